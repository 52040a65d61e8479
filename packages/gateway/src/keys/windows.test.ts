import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Period } from './key.ts';
import { type BoundedWindow, windowsOf } from './windows.ts';

const CREATED = Date.UTC(2026, 0, 1);
const at = (text: string) => Date.parse(text);

function windowAt(per: Period, now: number): BoundedWindow {
  const [window] = windowsOf({ budget: { microUsd: 5_000_000, per }, createdAt: CREATED }, now);
  assert.ok(window);
  return window;
}

test('windows are of the calendar in UTC', () => {
  const now = at('2026-11-21T14:30:00Z');
  const told = (per: Period) => {
    const { name, since, until } = windowAt(per, now);
    return [name, new Date(since).toISOString(), until === undefined ? undefined : new Date(until).toISOString()];
  };
  assert.deepEqual(told('hour'), ['budget hour 2026-11-21T14', '2026-11-21T14:00:00.000Z', '2026-11-21T15:00:00.000Z']);
  assert.deepEqual(told('day'), ['budget day 2026-11-21', '2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z']);
  assert.deepEqual(told('week'), ['budget week 2026-11-16', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z']);
  assert.deepEqual(told('month'), ['budget month 2026-11', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z']);
  assert.deepEqual(told('total'), ['budget total', new Date(CREATED).toISOString(), undefined]);
});

test('a month ends with its last day, in leap years and at the turn of the year', () => {
  const end = (text: string) => new Date(windowAt('month', at(text)).until ?? 0).toISOString().slice(0, 10);
  assert.equal(end('2028-02-29T23:59:59.999Z'), '2028-03-01');
  assert.equal(end('2027-02-28T23:59:59.999Z'), '2027-03-01');
  assert.equal(end('2026-12-31T00:00:00Z'), '2027-01-01');
});

const INSTANT = fc.integer({ min: at('1990-01-01T00:00:00Z'), max: at('2100-01-01T00:00:00Z') });
const PERIOD = fc.constantFrom<Exclude<Period, 'total'>>('hour', 'day', 'week', 'month');

test('a window contains its instant, and the next begins where it ends, under another name', () => {
  fc.assert(
    fc.property(PERIOD, INSTANT, (per, now) => {
      const window = windowAt(per, now);
      const { since, until = Number.NaN } = window;
      assert.ok(since <= now && now < until);
      assert.deepEqual(windowAt(per, since), window);
      assert.deepEqual(windowAt(per, until - 1), window);
      const next = windowAt(per, until);
      assert.equal(next.since, until);
      assert.notEqual(next.name, window.name);
      const first = new Date(since);
      assert.equal(since % 3_600_000, 0);
      if (per === 'week') assert.equal(first.getUTCDay(), 1);
      if (per === 'month') assert.equal(first.getUTCDate(), 1);
      if (per !== 'hour') assert.equal(since % 86_400_000, 0);
    }),
  );
});

test('a key has a window for its money, one for its pictures, both or none', () => {
  const now = at('2026-11-21T14:30:00Z');
  assert.deepEqual(windowsOf({ createdAt: 0 }, now), []);
  const windows = windowsOf(
    { createdAt: 0, budget: { microUsd: 7, per: 'day' }, images: { count: 9, per: 'day' } },
    now,
  );
  assert.deepEqual(
    windows.map(({ name, unit, most }) => [name, unit, most]),
    [
      ['budget day 2026-11-21', 'micro_usd', 7],
      ['images day 2026-11-21', 'images', 9],
    ],
  );
});
