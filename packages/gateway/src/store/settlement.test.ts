import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { settled, settledAmounts } from './settlement.ts';

const charged = (microUsd?: number) => ({ verdict: 'charged', ...(microUsd !== undefined && { microUsd }) }) as const;
const settlement = { generation: 'g', at: 1 };

test('what is free costs nothing, and what is charged what it was to cost', () => {
  assert.deepEqual(settledAmounts([5, null, 7], { verdict: 'free' }), [0, 0, 0]);
  assert.deepEqual(settledAmounts([5, null, 7], charged()), [5, null, 7]);
});

test('an amount goes to known prices first, and its rest to the first unknown one', () => {
  assert.deepEqual(settledAmounts([null], charged(40)), [40]);
  assert.deepEqual(settledAmounts([5, null, null, 7], charged(40)), [5, 28, 0, 7]);
  assert.deepEqual(settledAmounts([5, 7], charged(40)), [33, 7]);
  assert.deepEqual(settledAmounts([5, 7], charged(6)), [5, 1]);
});

test('amounts sum to what was charged', () => {
  const prices = fc.array(fc.option(fc.nat()), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(prices, fc.nat(), (possible, microUsd) => {
      const amounts = settledAmounts(possible, charged(microUsd));
      assert.equal(
        amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0),
        microUsd,
      );
      assert.ok(amounts.every((amount) => (amount ?? 0) >= 0));
    }),
  );
});

test('a generation without lines is settled by its row', () => {
  const row = { costUsd: null, possibleUsd: 0.04, isBilled: false, lines: [] };
  assert.deepEqual(settled(row, { ...settlement, verdict: 'charged' }), { billed: 'yes', costUsd: 0.04, lines: [] });
  const told = settled(row, { ...settlement, verdict: 'charged', microUsd: 50_000 });
  assert.equal(told.costUsd, 0.05);
  assert.deepEqual(settled(row, { ...settlement, verdict: 'free' }), { billed: 'no', costUsd: null, lines: [] });
  const unknown = settled({ ...row, possibleUsd: null }, { ...settlement, verdict: 'charged' });
  assert.deepEqual(unknown, { billed: 'yes', costUsd: null, lines: [] });
});

test('what was billed besides stays billed when the rest turns out to be free', () => {
  const line = { number: 1, at: 5, possible: null, kept: 9, images: 1 };
  const row = { costUsd: 0.04, possibleUsd: null, isBilled: true, lines: [line] };
  assert.deepEqual(settled(row, { ...settlement, verdict: 'free' }), {
    billed: 'yes',
    costUsd: 0.04,
    lines: [{ number: 1, at: 5, spent: 0, images: 0, released: 9, releasedImages: 1 }],
  });
});
