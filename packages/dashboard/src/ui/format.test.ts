import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, bytes, duration, percent, usd } from './format.ts';

test('money: what nobody knows is never nothing', () => {
  assert.deepEqual(
    [null, undefined, 0, 0.04, 0.0405, 12.3, 0.0000123].map((amount) => usd(amount)),
    ['unknown', 'unknown', '$0', '$0.04', '$0.0405', '$12.30', '$0.0000'],
  );
});

test('durations name two units at most', () => {
  assert.deepEqual(
    [null, 0, 999, 1_234, 12_345, 60_000, 200_000, 7_500_000, 273_600_000].map((ms) => duration(ms)),
    ['–', '0 ms', '999 ms', '1.2 s', '12 s', '1 min', '3 min 20 s', '2 h 5 min', '3 d 4 h'],
  );
});

test('bytes, shares and distances', () => {
  assert.deepEqual([0, 999, 1_000, 1_234_567, 250_000_000].map(bytes), ['0 B', '999 B', '1.0 KB', '1.2 MB', '250 MB']);
  assert.deepEqual([null, 0, 0.004, 0.5, 1].map(percent), ['–', '0 %', '0.4 %', '50 %', '100 %']);
  assert.deepEqual([ago(1_000, 1_500), ago(1_000, 13_000), ago(193_000, 13_000)], ['now', '12 s ago', 'in 3 min']);
});
