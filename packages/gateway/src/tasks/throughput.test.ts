import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createThroughput } from './throughput.ts';

const START = 10_000;

function seen(gapsMs: readonly number[], pictures = 1) {
  const throughput = createThroughput();
  let at = START;
  throughput.started('q', pictures, at);
  for (const gapMs of gapsMs) {
    at += gapMs;
    throughput.started('q', pictures, at);
  }
  return { at, etaMs: (wanted: number, now = at) => throughput.etaMs('q', wanted, now) };
}

test('nothing is said of a queue before two turns were seen', () => {
  assert.equal(createThroughput().etaMs('q', 5, START), undefined);
  assert.equal(seen([]).etaMs(5), undefined);
});

test('a queue goes on as it went: pictures, not turns, are what takes time', () => {
  assert.equal(seen([1_000, 1_000, 1_000]).etaMs(10), 10_000);
  assert.equal(seen([2_000, 2_000], 4).etaMs(10), 5_000);
  assert.equal(seen([1_000]).etaMs(0), 0);
});

test('a pause counts once it is longer than all that was seen before', () => {
  const { at, etaMs } = seen([1_000, 1_000]);
  assert.equal(etaMs(1, at + 2_000), 1_000);
  assert.equal(etaMs(1, at + 8_000), 5_000);
});

test('only the last turns tell: a queue that became faster is soon known to be', () => {
  const { etaMs } = seen([...Array.from({ length: 100 }, () => 60_000), ...Array.from({ length: 63 }, () => 100)]);
  assert.equal(etaMs(10), 1_000);
});
