import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealthBook, type Failure, type PlannedTarget } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { createFakeCells } from '../testing/fake-cells.ts';
import { shareHealth } from './shared-health.ts';
import { createSharedCells } from './state-cells.ts';

const targetOf = (id: string): Pick<PlannedTarget, 'id' | 'credential'> & PlannedTarget => ({
  ...{ id, provider: 'p', model: 'm', credential: 'key' },
  ...{ streams: false, maxImagesPerCall: 1, firstByteMs: 1_000 },
});
const [A, B] = [targetOf('p/a'), targetOf('p/b')];
const throttled = (notBefore: number): Failure => ({
  kind: 'throttled',
  certainty: 'rejected',
  message: 'slow down',
  notBefore,
});
const refused: Failure = { kind: 'authentication', certainty: 'rejected', message: 'no such key' };

/** Nodes on one store. */
async function cluster() {
  const clock = createVirtualClock();
  const fake = createFakeCells();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  return {
    ...{ fake, errors },
    async node() {
      const health = createHealthBook();
      shareHealth(health, await createSharedCells({ store: fake.store, prefix: 'gate/', io: clock, onError }), onError);
      return {
        fail: (target: PlannedTarget, failure: Failure) =>
          health.settle(target, health.acquire(target, 'key', 0), { ok: false, failure }, 0),
        gate: (target: PlannedTarget, now = 0) => health.view([target], now)[target.id],
      };
    },
  };
}

async function settled(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('a gate that closes at one node is closed at all, for as long, and for that target alone', async () => {
  const { node } = await cluster();
  const [here, there] = [await node(), await node()];
  here.fail(A, throttled(5_000));
  await settled();
  assert.deepEqual([there.gate(A)?.by, there.gate(A)?.until], ['hint', 5_000]);
  assert.equal(there.gate(A, 5_000), undefined);
  assert.equal(there.gate(B), undefined);
});

test('a key that was refused is closed for every target behind it, at every node', async () => {
  const { node } = await cluster();
  const [here, there] = [await node(), await node()];
  here.fail(A, refused);
  await settled();
  assert.deepEqual([there.gate(A)?.by, there.gate(B)?.by], ['credential', 'credential']);
});

test('a node that starts later finds what is closed', async () => {
  const { node } = await cluster();
  (await node()).fail(A, throttled(5_000));
  await settled();
  assert.equal((await node()).gate(A)?.until, 5_000);
});

test('of two gates the one that is closed for longer stays, whoever wrote last', async () => {
  const { node, fake } = await cluster();
  const [here, there] = [await node(), await node()];
  fake.beforeSwap.push(() => there.fail(A, throttled(9_000)));
  here.fail(A, throttled(4_000));
  await settled();
  const third = await node();
  assert.deepEqual([here.gate(A)?.until, there.gate(A)?.until, third.gate(A)?.until], [9_000, 9_000, 9_000]);
});

test('what is known to be closed for as long is not written again', async () => {
  const { node, fake } = await cluster();
  const here = await node();
  here.fail(A, throttled(9_000));
  await settled();
  const before = fake.swaps();
  here.fail(A, throttled(3_000));
  await settled();
  assert.equal(fake.swaps(), before);
});

test('a store that fails is told, and closes nothing less here', async () => {
  const { node, fake, errors } = await cluster();
  const here = await node();
  fake.beforeSwap.push(() => {
    throw new Error('the database is away');
  });
  here.fail(A, throttled(5_000));
  await settled();
  assert.deepEqual([errors.length, here.gate(A)?.until], [1, 5_000]);
});
