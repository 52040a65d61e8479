import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonValue } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { createFakeCells } from '../testing/fake-cells.ts';
import { createOwnedCells, createSharedCells } from './state-cells.ts';

const PREFIX = 'limit/';
const raise = (value: number | undefined) => ({ value: (value ?? 0) + 1, result: (value ?? 0) + 1 });

async function rig(first: Readonly<Record<string, JsonValue>> = {}, revive?: (value: JsonValue) => JsonValue) {
  const clock = createVirtualClock(1_000);
  const fake = createFakeCells(first);
  const errors: unknown[] = [];
  const options = { store: fake.store, prefix: PREFIX, io: clock, onError: (error: unknown) => errors.push(error) };
  const open = { owned: () => createOwnedCells({ ...options, ...(revive && { revive }) }) };
  const pass = (ms: number) => clock.drive(new Promise<void>((resolve) => clock.timer(clock.now() + ms, resolve)));
  return { fake, errors, pass, ...open, shared: () => createSharedCells(options) };
}

suite('cells of a process that owns its store', () => {
  test('a change holds at once, and is in the store within a second', async () => {
    const { fake, owned, pass } = await rig();
    const cells = await owned();
    assert.equal(cells.update('a', raise), 1);
    assert.equal(cells.update('a', raise), 2);
    assert.deepEqual([cells.peek('a'), cells.keys(), fake.valueOf('limit/a')], [2, ['a'], undefined]);
    await pass(1_001);
    assert.equal(fake.valueOf('limit/a'), 2);
    cells.update('a', raise);
    await pass(1_001);
    assert.equal(fake.valueOf('limit/a'), 3);
    await cells.close();
  });

  test('what did not change is not written again', async () => {
    const { fake, owned, pass } = await rig({ 'limit/a': { used: 3 } });
    const cells = await owned();
    cells.update('a', (value) => ({ value, result: undefined }));
    await pass(5_000);
    assert.equal(fake.swaps(), 0);
    await cells.close();
  });

  test('a process goes on from what the one before left, as far as that still holds', async () => {
    const { fake, owned } = await rig({ 'limit/a': { permits: 4 }, 'gate/a': { permits: 9 } }, () => ({ permits: 0 }));
    const cells = await owned();
    assert.deepEqual([cells.keys(), cells.peek('a')], [['a'], { permits: 0 }]);
    await cells.close();
    assert.deepEqual(fake.valueOf('limit/a'), { permits: 0 });
  });
});

suite('the end of cells of a process that owns its store', () => {
  test('closing writes what is left, and then nothing is written any more', async () => {
    const { fake, owned, pass } = await rig();
    const cells = await owned();
    cells.update('a', raise);
    await cells.close();
    assert.equal(fake.valueOf('limit/a'), 1);
    cells.update('a', raise);
    await pass(5_000);
    assert.equal(fake.valueOf('limit/a'), 1);
  });

  test('closing while a write is under way waits for it, loses nothing and is the last', async () => {
    const { fake, owned, pass } = await rig();
    const cells = await owned();
    let closing: Promise<void> | undefined;
    cells.update('a', raise);
    fake.beforeSwap.push(() => {
      queueMicrotask(() => {
        cells.update('a', raise);
        closing = cells.close();
      });
    });
    await pass(1_010);
    await closing;
    assert.equal(fake.valueOf('limit/a'), 2);
    cells.update('a', raise);
    await pass(5_000);
    assert.deepEqual([fake.valueOf('limit/a'), fake.swaps()], [2, 2]);
  });

  test('a store that fails is told, and written to again a second later', async () => {
    const { fake, errors, owned, pass } = await rig();
    const cells = await owned();
    cells.update('a', raise);
    fake.beforeSwap.push(() => {
      throw new Error('the disk is full');
    });
    await pass(1_001);
    assert.deepEqual([errors.length, fake.valueOf('limit/a')], [1, undefined]);
    await pass(1_001);
    assert.deepEqual([errors.length, fake.valueOf('limit/a')], [1, 1]);
    await cells.close();
  });
});

suite('cells that nodes share', () => {
  test('a change that another node was faster with is made again on its value', async () => {
    const { fake, shared } = await rig({ 'limit/a': 1 });
    const cells = await shared();
    fake.beforeSwap.push(
      () => fake.put('limit/a', 10),
      () => fake.put('limit/a', 20),
    );
    assert.equal(await cells.update('a', raise), 21);
    assert.deepEqual([fake.valueOf('limit/a'), cells.peek('a')], [21, 21]);
    await cells.close();
  });

  test('a change that changes nothing is not written', async () => {
    const { fake, shared } = await rig({ 'limit/a': { used: 3 } });
    const cells = await shared();
    const seen = await cells.update<{ used: number }, number>('a', (value) => ({
      value: value ?? { used: 0 },
      result: value?.used ?? 0,
    }));
    assert.deepEqual([seen, fake.swaps()], [3, 0]);
    await cells.close();
  });

  test('what another node changed is seen here, and told by its key', async () => {
    const { fake, shared, pass } = await rig({ 'limit/a': 1 });
    const cells = await shared();
    const told: string[] = [];
    const stop = cells.onChange((key) => told.push(`${key} ${cells.peek(key)}`));
    fake.put('limit/a', 2);
    fake.put('gate/a', 3);
    await pass(1);
    assert.deepEqual(told, ['a 2']);
    stop();
    fake.put('limit/b', 4);
    await pass(1);
    assert.deepEqual([told.length, cells.keys()], [1, ['a', 'b']]);
    await cells.close();
    assert.equal(fake.listening(), 0);
  });

  test('a cell that never stands still ends in an error that names it', async () => {
    const { fake, shared } = await rig({ 'limit/a': 0 });
    const cells = await shared();
    for (let swap = 0; swap < 100; swap += 1) fake.beforeSwap.push(() => fake.put('limit/a', -swap));
    await assert.rejects(async () => await cells.update('a', raise), /"limit\/a" changed 100 times/);
    await cells.close();
  });
});
