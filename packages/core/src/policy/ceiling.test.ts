import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../pacing.ts';
import { admit } from './admission.ts';
import { type Call, EMPTY_LIMITS, type LimitState } from './limit-state.ts';
import { type Ending, settled } from './limits.ts';
import { told } from './told-limits.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const ACCEPTED: Ending = { kind: 'accepted' };
const REFUSED: Ending = { kind: 'refused', dimension: 'concurrency', reason: 'too many at once' };

/** One credential at one target; its calls by name. */
function account(configured?: Limits, start: LimitState = EMPTY_LIMITS) {
  let state = start;
  const calls = new Map<string, Call>();
  const one = {
    state: () => state,
    admit(id: string, now: number): true | number {
      const admission = admit(state, configured, id, { images: 1 }, now);
      state = admission.state;
      if (!admission.admitted) return admission.until;
      calls.set(id, { id, at: admission.at, requests: 1, images: 1, tokens: 0 });
      return true;
    },
    end(id: string, ending: Ending, now: number): void {
      const call = calls.get(id);
      assert.ok(call, `call ${id} was admitted`);
      calls.delete(id);
      state = settled(state, configured, call, ending, now);
    },
    /** Ends all, a second later as many begin as may; how many. */
    refill(now: number): number {
      for (const id of [...calls.keys()]) one.end(id, ACCEPTED, now - 1_000);
      for (let count = 0; count < 100; count += 1) if (one.admit(`${now}:${count}`, now) !== true) return count;
      return assert.fail('no bound');
    },
  };
  return one;
}

/** The first `accepted` of so many at once are accepted. */
function burst(one: ReturnType<typeof account>, count: number, accepted: number): void {
  for (let index = 0; index < count; index += 1) assert.equal(one.admit(`${index}`, NOW), true);
  for (let index = accepted; index < count; index += 1) one.end(`${index}`, REFUSED, NOW + 40);
}

test('it never climbs beyond what is configured', () => {
  const one = account({ concurrency: 5 });
  burst(one, 5, 3);
  const held = Array.from({ length: 20 }, (_, minute) => one.refill(NOW + (minute + 1) * MINUTE));
  assert.equal(Math.max(...held), 5);
  assert.ok((held[0] ?? 9) <= 4, 'and not at once');
});

test('what the provider told is believed for ten minutes', () => {
  const start = told(EMPTY_LIMITS, [{ dimension: 'concurrency', limit: 4, source: 'headers' }], NOW, NOW);
  const one = account(undefined, start);
  const held = Array.from({ length: 11 }, (_, minute) => one.refill(NOW + minute * MINUTE + 1_000));
  assert.deepEqual(held.slice(0, 10), Array(10).fill(4));
  assert.equal(held[10], 5);
  const refused = account(undefined, start);
  burst(refused, 4, 3);
  assert.deepEqual(
    [refused.state().ceiling?.climb.count, refused.state().ceiling?.climb.periodMs],
    [3, 10 * MINUTE],
    'a refusal within it lowers it, for as long',
  );
});

test('a refusal right after another’s end shows a provider that counts calls out late', () => {
  const one = account();
  burst(one, 5, 4);
  one.end('0', ACCEPTED, NOW + 3_000);
  assert.equal(one.admit('a', NOW + 3_000), true);
  one.end('a', REFUSED, NOW + 3_040);
  assert.equal(one.state().ceiling?.climb.count, 4, 'it is not lowered for it');
  assert.equal(one.admit('b', NOW + 4_000), true);
  one.end('1', ACCEPTED, NOW + 5_000);
  assert.equal(one.admit('c', NOW + 5_000), NOW + 5_100);
  assert.equal(one.admit('c', NOW + 5_100), true);
});

test('a refusal of a call sent before a failed raise makes the count exact, and patience no shorter', () => {
  const one = account();
  burst(one, 5, 4);
  one.refill(NOW + 30_000);
  assert.equal(one.admit('fifth', NOW + 60_040), true);
  one.end('fifth', REFUSED, NOW + 60_080);
  one.end(`${NOW + 30_000}:3`, REFUSED, NOW + 60_090);
  const { count, periodMs } = one.state().ceiling?.climb ?? assert.fail('no ceiling');
  assert.deepEqual([count, periodMs], [3, 120_000]);
});

test('pauses begin anew after a call was accepted', () => {
  const one = account();
  for (const [id, at] of [
    ['a', NOW],
    ['b', NOW + 1_040],
  ] as const) {
    assert.equal(one.admit(id, at), true);
    one.end(id, REFUSED, at + 40);
  }
  assert.equal(one.admit('c', NOW + 1_081), NOW + 3_080);
  assert.equal(one.admit('c', NOW + 3_080), true);
  one.end('c', ACCEPTED, NOW + 4_000);
  assert.equal(one.admit('d', NOW + 5_000), true);
  one.end('d', REFUSED, NOW + 5_040);
  assert.equal(one.admit('e', NOW + 5_041), NOW + 6_040);
});
