import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTally } from './tally.ts';

const STEP = fc.record({ index: fc.integer({ min: -1, max: 32 }), completed: fc.boolean() });

test('in whatever order lines end, each counts once, and nothing before the mark is open', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.array(STEP, { maxLength: 80 }), (total, steps) => {
      const tally = createTally({ counts: { total, completed: 0, failed: 0 }, settled: { lines: 0, completed: 0 } });
      const model = new Map<number, boolean>();
      for (const { index, completed } of steps) {
        tally.settle(index, completed);
        if (index >= 0 && index < total && !model.has(index)) model.set(index, completed);
      }
      const ends = [...model.values()];
      const completed = ends.filter(Boolean).length;
      assert.deepEqual(tally.counts(), { total, completed, failed: ends.length - completed });
      const { lines, completed: before } = tally.settled();
      for (let index = 0; index < lines; index += 1) assert.ok(model.has(index));
      assert.ok(!model.has(lines));
      assert.equal(before, [...model].filter(([index, ok]) => index < lines && ok).length);
      // Taken over from the mark, telling the rest again comes to the same.
      const next = createTally({ counts: tally.counts(), settled: tally.settled() });
      for (const [index, ok] of model) next.settle(index, ok);
      assert.deepEqual(next.counts(), tally.counts());
    }),
  );
});
