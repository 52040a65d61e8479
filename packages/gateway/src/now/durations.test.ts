import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { binOf, type Durations, quantileMs } from './durations.ts';

function counted(all: readonly number[]): Durations {
  const bins = new Map<number, number>();
  for (const ms of all) bins.set(binOf(ms), (bins.get(binOf(ms)) ?? 0) + 1);
  return { count: all.length, bins };
}

test('a quantile of any durations, over any minutes, is within 5 % of the exact one', () => {
  const ms = fc.integer({ min: 1, max: 86_400_000 });
  fc.assert(
    fc.property(
      fc.array(fc.array(ms, { maxLength: 30 }), { minLength: 1, maxLength: 5 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (minutes, share) => {
        const sorted = minutes.flat().toSorted((one, other) => one - other);
        const exact = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
        const told = quantileMs(minutes.map(counted), share);
        if (exact === undefined) assert.equal(told, undefined);
        else assert.ok(told !== undefined && Math.abs(told - exact) <= Math.max(1, exact * 0.05), `${told} ${exact}`);
      },
    ),
  );
});

test('what takes no time, or more than a day, is counted all the same', () => {
  assert.equal(quantileMs([counted([0])], 0.5), 1);
  assert.ok((quantileMs([counted([1e12])], 0.5) ?? 0) <= 86_400_000 * 1.05);
});
