import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LineEvent } from './events.ts';
import { foldBatch, KEY_LIFETIME_MS, newLine, nextAction, unusableLine } from './manifest.ts';
import { chargeOf, micros, reserveFor } from './money.ts';

const SELECTION = { pending: true, only: new Set<string>(), unknown: false };
const intended = (line: number, key: string): LineEvent => ({
  type: 'intended',
  line,
  at: 100,
  key,
  reserved_usd: 0.08,
});
const accepted: LineEvent = { type: 'accepted', line: 1, at: 101, task: 't' };
const FREE = { price_usd: 0, possible_usd: 0 };
const failed: LineEvent = {
  type: 'failed',
  line: 1,
  at: 102,
  code: 'c',
  kind: 'k',
  message: 'm',
  billed: 'no',
  charge: FREE,
};
const done: LineEvent = {
  type: 'done',
  line: 1,
  at: 103,
  task: 't',
  charge: { price_usd: 0.04, possible_usd: 0.04 },
  files: [{ file: '0001.png', sha256: 'x', bytes: 1 }],
  missing: 1,
};
const fold = (...events: LineEvent[]) => foldBatch([newLine(1), newLine(2)], events);
const action = (events: LineEvent[], selection = SELECTION, now = 200) =>
  nextAction(fold(...events).line(1), 'id', selection, now);

test('sums follow the events', () => {
  const open = fold(intended(1, 'a'), intended(2, 'b'));
  assert.deepEqual([open.totals().lines.sent, open.totals().reservedMicros], [2, 160_000]);
  const { lines, charged, reservedMicros, pictures, missing } = fold(
    intended(1, 'a'),
    accepted,
    intended(2, 'b'),
    done,
  ).totals();
  assert.deepEqual([lines.done, lines.sent, reservedMicros, pictures, missing], [1, 1, 80_000, 1, 1]);
  assert.deepEqual(charged, { paidMicros: 40_000, possibleMicros: 40_000, countedMicros: 80_000, unpriced: 0 });
});

test('what cannot follow is damage, not a state', () => {
  const damaged: readonly (readonly LineEvent[])[] = [
    [intended(1, 'a'), intended(1, 'b')],
    [intended(1, 'a'), accepted, intended(1, 'b')],
    [accepted],
    [done],
    [intended(1, 'a'), done],
    [intended(1, 'a'), accepted, done, failed],
    [intended(1, 'a'), accepted, done, intended(1, 'b')],
    [{ ...failed, type: 'unknown' }],
    [intended(7, 'a')],
  ];
  for (const events of damaged) assert.throws(() => fold(...events), /^Error: line \d: /);
});

test('an open line goes on under its key as long as the gateway surely keeps it', () => {
  const sent = [intended(1, 'a')];
  assert.equal(action(sent, SELECTION, 100 + KEY_LIFETIME_MS - 1)?.kind, 'repeat');
  assert.deepEqual(action(sent, SELECTION, 100 + KEY_LIFETIME_MS), { kind: 'give-up', line: 1 });
  assert.deepEqual(action([...sent, accepted], SELECTION, Number.MAX_SAFE_INTEGER), {
    kind: 'follow',
    line: 1,
    task: 't',
  });
});

test('only what was asked for by name is begun again, and what cannot work never', () => {
  const nothing = { pending: false, only: new Set<string>(), unknown: false };
  const only = (code: string) => ({ ...nothing, only: new Set([code]) });
  const again = { kind: 'start', line: 1, key: 'batch-id-1-2' };
  const ended = [intended(1, 'a'), failed];
  assert.equal(action([], nothing), undefined);
  assert.equal(action(ended), undefined);
  assert.deepEqual(action(ended, only('c')), again);
  assert.deepEqual(action(ended, only('k')), again);
  assert.equal(action(ended, only('other')), undefined);
  const unknown: LineEvent = { ...failed, type: 'unknown' };
  assert.equal(action([intended(1, 'a'), unknown], only('c')), undefined);
  assert.deepEqual(action([intended(1, 'a'), unknown], { ...nothing, unknown: true }), again);
  const unusable = unusableLine(1, { code: 'c', message: 'm' }, 0);
  assert.equal(nextAction(unusable, 'id', only('c'), 0), undefined);
});

test('a line that was given back keeps the key it never used', () => {
  assert.deepEqual(action([intended(1, 'batch-id-1'), { type: 'withdrawn', line: 1, at: 101 }]), {
    kind: 'start',
    line: 1,
    key: 'batch-id-1',
  });
});

test('a charge nobody knows counts as its reserve, and without one it is told apart', () => {
  assert.equal(chargeOf({ price_usd: null, possible_usd: 0 }, 0.08).countedMicros, 80_000);
  assert.equal(chargeOf({ price_usd: 0.04, possible_usd: null }, 0.08).countedMicros, 80_000);
  assert.equal(chargeOf({ price_usd: 0.1, possible_usd: null }, 0.08).countedMicros, 100_000);
  assert.deepEqual(
    [chargeOf({ price_usd: null, possible_usd: 0 }, null).unpriced, chargeOf(FREE, null).unpriced],
    [1, 0],
  );
});

test('a reserve is for as many paid attempts as fit under the cap, one at least', () => {
  const room = (cap: number, counted = 0, reserved = 0) => ({
    capMicros: micros(cap),
    countedMicros: micros(counted),
    reservedMicros: micros(reserved),
  });
  assert.deepEqual(reserveFor(40_000, 2, room(0.1)), { micros: 80_000, maxPaidAttempts: 2 });
  assert.deepEqual(reserveFor(40_000, 2, room(0.1, 0.03)), { micros: 40_000, maxPaidAttempts: 1 });
  assert.deepEqual(reserveFor(40_000, 2, room(0.3, 0.1, 0.16)), { micros: 40_000, maxPaidAttempts: 1 });
  assert.equal(reserveFor(40_000, 2, room(0.1, 0.07)), undefined);
  assert.equal(reserveFor(undefined, 2, room(1)), undefined);
  assert.deepEqual(reserveFor(0, 2, room(0)), { micros: 0, maxPaidAttempts: 2 });
  assert.deepEqual(reserveFor(undefined, 2, { ...room(1), capMicros: undefined }), { micros: undefined });
});
