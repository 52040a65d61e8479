import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitsAt, MAX_USES, mergedLogs, recorded, takenBack, type UseLog, usedWithin } from './sliding-window.ts';

const NOW = 1_800_000_000_000;
const WINDOW_MS = 60_000;
const one = { requests: 1, images: 2, tokens: 3 };
const logAt = (...at: readonly number[]): UseLog =>
  at.reduce<UseLog>((log, instant) => recorded(log, instant, one, WINDOW_MS), []);

test('a use leaves its window exactly when the window is over', () => {
  const log = logAt(NOW);
  assert.equal(usedWithin(log, 'images', WINDOW_MS, NOW + WINDOW_MS - 1), 2);
  assert.equal(usedWithin(log, 'images', WINDOW_MS, NOW + WINDOW_MS), 0);
  assert.equal(fitsAt(log, 'images', { count: 2, windowMs: WINDOW_MS }, 1, NOW + 1), NOW + WINDOW_MS);
});

test('what did not happen is taken out, and what others used at the same instant stays', () => {
  const log = recorded(recorded(logAt(NOW - 10), NOW, one, WINDOW_MS), NOW, one, WINDOW_MS);
  assert.deepEqual(takenBack(log, NOW, one), [
    [NOW - 10, NOW - 10, 1, 2, 3],
    [NOW, NOW, 1, 2, 3],
  ]);
  assert.deepEqual(takenBack(takenBack(log, NOW, one), NOW, one), logAt(NOW - 10));
});

test('a use that is known late stands where it was made', () => {
  assert.deepEqual(logAt(NOW, NOW + 20, NOW + 10), logAt(NOW, NOW + 10, NOW + 20));
});

test('two logs of one limit count together, within the bound and never too few', () => {
  const offsets = fc.array(fc.integer({ min: 0, max: 120_000 }), { minLength: 150, maxLength: 250 });
  fc.assert(
    fc.property(offsets, offsets, (first, second) => {
      const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b).map((offset) => NOW + offset);
      const end = NOW + 120_000;
      const [here, there] = [logAt(...sorted(first)), logAt(...sorted(second))];
      const merged = mergedLogs(here, there, end);
      assert.ok(merged.length <= MAX_USES);
      for (const last of first) {
        const exact = [...first, ...second].filter((offset) => offset >= last).length;
        const lastInstant = NOW + last + WINDOW_MS - 1;
        assert.ok(usedWithin(merged, 'requests', WINDOW_MS, lastInstant) >= exact);
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
});
