import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stretchOf } from './period.ts';
import { RequestProblem } from './problem.ts';

const NOW = Date.UTC(2026, 10, 21, 22, 30);
const DAY_MS = 86_400_000;

test('so long ago, a day whole, an instant; a week to now where nothing is said', () => {
  const cases = [
    [{}, NOW - 7 * DAY_MS, NOW + 1],
    [{ since: '12h' }, NOW - DAY_MS / 2, NOW + 1],
    [{ since: '4w', until: '1d' }, NOW - 28 * DAY_MS, NOW - DAY_MS],
    [{ since: '30m' }, NOW - 1_800_000, NOW + 1],
    [{ since: '2026-11-01', until: '2026-11-01' }, Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 2)],
    [
      { since: '2026-11-01T06:00:00Z', until: '2026-11-01T09:00:00+02:00' },
      Date.UTC(2026, 10, 1, 6),
      Date.UTC(2026, 10, 1, 7),
    ],
    [{ since: '99999d' }, 0, NOW + 1],
  ] as const;
  for (const [given, since, until] of cases) assert.deepEqual(stretchOf(given, NOW), { since, until });
});

test('what is no time, or ends before it begins, is refused by its name', () => {
  for (const [given, param] of [
    [{ since: 'yesterday' }, 'since'],
    [{ since: '7' }, 'since'],
    [{ since: '2026-13-45' }, 'since'],
    [{ since: '2026-02-30' }, 'since'],
    [{ since: '2026-02-30T10:00:00Z' }, 'since'],
    [{ until: '2026-11-21 14:00' }, 'until'],
    [{ since: '1d', until: '2d' }, 'since'],
    [{ since: '2027-01-01' }, 'since'],
  ] as const)
    assert.throws(
      () => stretchOf(given, NOW),
      (error) => error instanceof RequestProblem && error.status === 400 && error.param === param,
      JSON.stringify(given),
    );
});
