import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Catalogue, createHealthBook, type Failure, openai, type PlannedTarget } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { shareHealth } from '../store/shared-health.ts';
import { createSharedCells } from '../store/state-cells.ts';
import { createFakeCells } from '../testing/fake-cells.ts';
import { createTargetOperations } from './operate.ts';

const CATALOGUE: Catalogue = {
  connections: [{ id: 'openai', provider: openai, baseUrl: 'https://api.openai.com/v1', secret: 'a' }],
  routes: {},
  defaultModel: undefined,
};
const TARGET: PlannedTarget = {
  ...{ id: 'openai/gpt-image-2', provider: 'openai', model: 'gpt-image-2', credential: 'openai' },
  ...{ streams: true, maxImagesPerCall: 10, firstByteMs: 1_000 },
};
const REFUSED: Failure = { kind: 'authentication', certainty: 'rejected', message: 'no such key' };

/** Nodes on one store. */
function cluster() {
  const clock = createVirtualClock();
  const { store } = createFakeCells();
  const onError = (error: unknown) => assert.fail(String(error));
  return async () => {
    const health = createHealthBook();
    const gates = await createSharedCells({ store, prefix: 'health/', io: clock, onError });
    shareHealth(health, gates, onError);
    const hands = await createSharedCells({ store, prefix: 'target/', io: clock, onError });
    const operations = createTargetOperations({ health, catalogue: CATALOGUE, hands, gates });
    return {
      operations,
      gate: () => health.view([TARGET], 0)[TARGET.id],
      fail: () => health.settle(TARGET, health.acquire(TARGET, 'openai', 0), { ok: false, failure: REFUSED }, 0),
    };
  };
}

async function settled(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('what is drained on one node takes nothing on any, nor after a start, until it is resumed', async () => {
  const node = cluster();
  const [here, there] = [await node(), await node()];
  await here.operations.drain(TARGET.id);
  await settled();
  for (const one of [here, there, await node()]) {
    assert.equal(one.gate()?.by, 'drained');
    assert.deepEqual(one.operations.drained(), [TARGET.id]);
  }
  await there.operations.resume(TARGET.id);
  await settled();
  assert.deepEqual([here.gate(), there.gate(), (await node()).gate()], [undefined, undefined, undefined]);
});

test('a reset opens a refused key on every node, and for those that start later', async () => {
  const node = cluster();
  const [here, there] = [await node(), await node()];
  here.fail();
  await settled();
  assert.deepEqual([here.gate()?.by, there.gate()?.by], ['credential', 'credential']);
  await there.operations.reset(TARGET.id);
  await settled();
  assert.deepEqual([here.gate(), there.gate(), (await node()).gate()], [undefined, undefined, undefined]);
  there.fail();
  await settled();
  assert.equal(here.gate()?.by, 'credential', 'what fails after it closes it again');
});

test('a reset of before is no reason to open what was closed since', async () => {
  const node = cluster();
  const here = await node();
  await here.operations.reset(TARGET.id);
  here.fail();
  await settled();
  const later = await node();
  assert.equal(later.gate()?.by, 'credential');
});

test('a target is known by its provider', async () => {
  const { operations } = await cluster()();
  const known = ['openai/gpt-image-2', 'openai/new', 'openai', 'openai/', 'bfl/flux'].map(operations.isKnown);
  assert.deepEqual(known, [true, true, false, false, false]);
});
