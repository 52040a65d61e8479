import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock, type VirtualClock } from '@onetake/core/testing';
import fc from 'fast-check';
import { createFakeCells } from '../testing/fake-cells.ts';
import { COUNT_WINDOW_MS, openRequestCounts } from './request-counts.ts';

const NOW = 1_000_000;
const OWNERSHIPS = ['exclusive', 'shared'] as const;

function opened(ownership: (typeof OWNERSHIPS)[number], cells = createFakeCells(), clock = createVirtualClock(NOW)) {
  const store = { ...cells.store, ownership };
  return openRequestCounts({ store, io: clock, onError: (error) => assert.fail(String(error)) });
}

function pass(clock: VirtualClock, ms: number): Promise<void> {
  return clock.drive(new Promise((resolve) => void clock.timer(clock.now() + ms, resolve)));
}

for (const ownership of OWNERSHIPS) {
  test(`${ownership}: so many go, the next waits until the first is a minute old`, async () => {
    const clock = createVirtualClock(NOW);
    const counts = await opened(ownership, createFakeCells(), clock);
    assert.deepEqual(counts.peek('app', 2), { isTaken: false, remaining: 2, resetMs: 0 });
    assert.deepEqual(await counts.take('app', 2), { isTaken: true, remaining: 1, resetMs: 60_000 });
    await pass(clock, 10_000);
    assert.deepEqual(await counts.take('app', 2), { isTaken: true, remaining: 0, resetMs: 50_000 });
    assert.deepEqual(await counts.take('app', 2), { isTaken: false, remaining: 0, resetMs: 50_000 });
    assert.deepEqual(await counts.take('other', 2), { isTaken: true, remaining: 1, resetMs: 60_000 });
    await pass(clock, 49_999);
    assert.equal((await counts.take('app', 2)).isTaken, false);
    await pass(clock, 1);
    assert.deepEqual(counts.peek('app', 2), { isTaken: false, remaining: 1, resetMs: 10_000 });
    assert.deepEqual(await counts.take('app', 2), { isTaken: true, remaining: 0, resetMs: 10_000 });
    await counts.close();
  });

  test(`${ownership}: in no 60 s more than so many, and no fewer where nobody waited in vain`, async () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), gaps, async (rpm, waits) => {
        const clock = createVirtualClock(NOW);
        const counts = await opened(ownership, createFakeCells(), clock);
        const taken: number[] = [];
        for (const ms of waits) {
          await pass(clock, ms);
          const before = taken.filter((at) => at > clock.now() - COUNT_WINDOW_MS).length;
          const { isTaken, remaining } = await counts.take('app', rpm);
          assert.equal(isTaken, before < rpm);
          if (isTaken) taken.push(clock.now());
          assert.equal(remaining, rpm - before - (isTaken ? 1 : 0));
        }
        await counts.close();
      }),
      { numRuns: 50 },
    );
  });

  test(`${ownership}: of a thousand a minute never one too many`, async () => {
    const clock = createVirtualClock(NOW);
    const counts = await opened(ownership, createFakeCells(), clock);
    const taken: number[] = [];
    for (let round = 0; round < 3_000; round += 1) {
      await pass(clock, 17);
      if ((await counts.take('app', 1_000)).isTaken) taken.push(clock.now());
    }
    for (const at of taken) {
      const inWindow = taken.filter((one) => one > at - COUNT_WINDOW_MS && one <= at).length;
      assert.ok(inWindow <= 1_000, `${inWindow}`);
    }
    assert.ok(taken.length >= 1_000);
    await counts.close();
  });
}

test('two nodes count together, and what waits for a swap goes with the next', async () => {
  const cells = createFakeCells();
  const clock = createVirtualClock(NOW);
  const [one, other] = [await opened('shared', cells, clock), await opened('shared', cells, clock)];
  const takes = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? one : other).take('app', 60));
  const counts = await clock.drive(Promise.all(takes));
  assert.equal(counts.filter(({ isTaken }) => isTaken).length, 60);
  assert.ok(cells.swaps() < 20, `${cells.swaps()} swaps`);
});

test('a store that does not answer lets nobody through, and the next one is asked again', async () => {
  const cells = createFakeCells();
  let isAway = true;
  const store = {
    ...{ ...cells.store, ownership: 'shared' as const },
    readCell: async (key: string) => (isAway ? assert.fail('away') : cells.store.readCell(key)),
  };
  const counts = await openRequestCounts({
    store,
    io: createVirtualClock(NOW),
    onError: (error) => assert.fail(String(error)),
  });
  await assert.rejects(counts.take('app', 1), /away/);
  isAway = false;
  assert.equal((await counts.take('app', 1)).isTaken, true);
});
