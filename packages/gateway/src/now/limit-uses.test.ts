import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitReport } from '@onetake/core';
import { limitUses } from './limit-uses.ts';

function report(change: Partial<LimitReport>): LimitReport {
  return {
    ...{ target: 'lab/x', credential: 'a', limits: {}, source: 'configured', inFlight: 0, waiting: 0, rates: [] },
    used: { requests: 0, images: 0, tokens: 0 },
    ...change,
  };
}

test('every window of a dimension is told by itself, keys are added up, and the fullest is first', () => {
  const rates = (used: number) => [
    { dimension: 'images' as const, count: 10, windowMs: 60_000, used },
    { dimension: 'images' as const, count: 1_000, windowMs: 86_400_000, used: used * 10 },
  ];
  const found = limitUses([
    report({ rates: rates(4), limits: { concurrency: 2 }, inFlight: 2, waiting: 7 }),
    report({ credential: 'b', rates: rates(2), limits: { concurrency: 2 }, inFlight: 1, waiting: 7 }),
    report({ target: 'lab/y', rates: [{ dimension: 'requests', count: 5, windowMs: 1_000, used: 5 }] }),
  ]);
  const shown = found.map((one) => [one.target, one.dimension, one.windowMs, one.used, one.count, one.waiting]);
  assert.deepEqual(shown, [
    ['lab/y', 'requests', 1_000, 5, 5, 0],
    ['lab/x', 'concurrency', undefined, 3, 4, 7],
    ['lab/x', 'images', 60_000, 6, 20, 7],
    ['lab/x', 'images', 86_400_000, 60, 2_000, 7],
  ]);
  assert.deepEqual(found[1]?.share, 0.75);
});

test('what has no known limit has no row', () => {
  assert.deepEqual(limitUses([report({ inFlight: 3 })]), []);
});
