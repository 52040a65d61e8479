import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../pacing.ts';
import { admit, ratesInForce } from './admission.ts';
import { type Call, EMPTY_LIMITS, type LimitState } from './limit-state.ts';
import { type Ending, settled } from './limits.ts';
import { reported } from './projection.ts';
import { told } from './told-limits.ts';

const NOW = 1_800_000_000_000;

const AN_HOUR_MS = 3_600_000;

/** One credential at one target that was called once, with calls by name. */
function account(configured?: Limits) {
  let state: LimitState = { ...EMPTY_LIMITS, uses: [[NOW - AN_HOUR_MS, NOW - AN_HOUR_MS, 1, 1, 0]] };
  const calls = new Map<string, Call>();
  return {
    state: () => state,
    /** True, or the instant to ask again at. */
    admit(id: string, now: number, images = 1): true | number {
      const admission = admit(state, configured, id, { images }, now);
      state = admission.state;
      if (!admission.admitted) return admission.until;
      calls.set(id, { id, at: admission.at, requests: 1, images, tokens: 0 });
      return true;
    },
    end(id: string, ending: Ending, now: number): void {
      const call = calls.get(id);
      assert.ok(call, `call ${id} was admitted`);
      state = settled(state, configured, call, ending, now);
    },
    tell(readings: Parameters<typeof told>[1], sentAt: number, now = sentAt): void {
      state = told(state, readings, sentAt, now);
    },
    rates: () =>
      ratesInForce(state, configured).map(({ dimension, count, windowMs }) => ({ dimension, count, windowMs })),
    report: (now: number) => reported(state, configured, now),
  };
}

const ACCEPTED: Ending = { kind: 'accepted' };
const REFUSED = { kind: 'refused', reason: 'Rate limit reached. Please try again later.' } as const;
const named = (dimension: 'requests' | 'images' | 'concurrency') => ({ ...REFUSED, dimension });

/** A burst of `count` calls of which the first `accepted` are accepted. */
function burst(one: ReturnType<typeof account>, count: number, accepted: number, ending: Ending, now: number): void {
  for (let index = 0; index < count; index += 1) assert.equal(one.admit(`${now}:${index}`, now), true);
  for (let index = accepted; index < count; index += 1) one.end(`${now}:${index}`, ending, now + 40);
}

test('a burst after silence tells the count, and the first acceptance after it the window', () => {
  const one = account();
  burst(one, 32, 30, named('requests'), NOW);
  const refused: number[] = [];
  let at = NOW + 41;
  for (;;) {
    const until = one.admit(`probe ${at}`, at);
    if (until !== true) {
      at = until;
      continue;
    }
    if (at - NOW >= 15_040) break;
    refused.push(at - NOW);
    one.end(`probe ${at}`, named('requests'), at + 40);
    at += 41;
  }
  assert.deepEqual(
    refused.map((ms) => Math.floor(ms / 1_000)),
    [1, 5, 10],
  );
  assert.equal(one.admit('too soon', at + 1), at + 250, 'one call at a time, until it must have been refused');
  assert.equal(one.admit('next', at + 250), true);
  assert.deepEqual(one.rates(), [{ dimension: 'requests', count: 30, windowMs: 15_000 }]);
  for (let index = 0; index < 28; index += 1) assert.equal(one.admit(`rest ${index}`, at + 251), true);
  const full = one.admit('full', at + 252);
  assert.ok(full !== true && full >= at + 15_000);
});

test('a refusal that names nothing is one of calls in flight until one beside fewer shows otherwise', () => {
  const one = account();
  burst(one, 14, 12, REFUSED, NOW);
  assert.deepEqual(one.report(NOW + 50).limits, { concurrency: 12 });
  one.end(`${NOW}:0`, ACCEPTED, NOW + 3_000);
  assert.equal(one.admit('next', NOW + 3_000), true);
  one.end('next', REFUSED, NOW + 3_040);
  assert.deepEqual(one.report(NOW + 3_050).limits, {});
  assert.ok(one.state().search);
});

test('with no other call in flight a refusal that names nothing is one of a rate', () => {
  const one = account();
  one.admit('a', NOW);
  one.end('a', ACCEPTED, NOW + 2_000);
  one.admit('b', NOW + 2_000);
  one.end('b', REFUSED, NOW + 2_040);
  assert.ok(one.state().search);
  assert.equal(one.state().ceiling, undefined);
});

test('refusals of calls in flight lower the ceiling to what was accepted, once per epoch', () => {
  const one = account();
  burst(one, 32, 12, named('concurrency'), NOW);
  assert.equal(one.report(NOW + 50).limits.concurrency, 12);
  assert.notEqual(one.admit('a', NOW + 60), true);
  one.end(`${NOW}:0`, ACCEPTED, NOW + 3_000);
  assert.equal(one.admit('a', NOW + 3_000), true);
});

test('a ceiling is raised by one after a clean minute at it, and doubly patient when that fails', () => {
  const one = account();
  burst(one, 5, 4, named('concurrency'), NOW);
  assert.notEqual(one.admit('a', NOW + 59_000), true);
  assert.equal(one.report(NOW + 59_000).limits.concurrency, 4);
  const fresh = account();
  burst(fresh, 5, 4, named('concurrency'), NOW);
  const renewedAt = NOW + 60_040;
  for (let index = 0; index < 4; index += 1) fresh.end(`${NOW}:${index}`, ACCEPTED, NOW + 30_000);
  for (let index = 0; index < 4; index += 1) assert.equal(fresh.admit(`b${index}`, NOW + 30_000), true);
  assert.equal(fresh.admit('fifth', renewedAt), true);
  fresh.end('fifth', named('concurrency'), renewedAt + 40);
  assert.equal(fresh.state().ceiling?.climb.count, 4);
  assert.equal(fresh.state().ceiling?.climb.periodMs, 120_000);
});

test('the floor of a ceiling is one, and what nothing in flight explains is a growing pause', () => {
  const one = account();
  one.admit('a', NOW);
  one.end('a', named('concurrency'), NOW + 40);
  assert.equal(one.report(NOW).limits.concurrency, 1);
  assert.equal(one.admit('b', NOW + 41), NOW + 1_040);
  one.admit('b', NOW + 1_040);
  one.end('b', named('concurrency'), NOW + 1_080);
  assert.equal(one.admit('c', NOW + 1_081), NOW + 3_080);
});

test('a hint closes for all until then', () => {
  const one = account();
  burst(one, 2, 1, { ...named('requests'), notBefore: NOW + 20_000 }, NOW);
  assert.ok(Number(one.admit('next', NOW + 100)) >= NOW + 20_000);
});

test('words of a refusal set limit and window at once, and take the place of what was guessed', () => {
  const one = account();
  burst(one, 32, 5, REFUSED, NOW);
  one.tell([{ dimension: 'images', source: 'words', limit: 5, windowMs: 60_000, remaining: 0 }], NOW, NOW + 40);
  assert.deepEqual(one.rates(), [{ dimension: 'images', count: 5, windowMs: 60_000 }]);
  assert.equal(one.state().search, undefined);
  assert.equal(one.admit('next', NOW + 100), NOW + 60_300);
  assert.equal(one.report(NOW + 100).source, 'refusals');
});

test('headers only ever lower the view: what others used counts until its reset, our own is not counted twice', () => {
  const one = account();
  for (let index = 0; index < 4; index += 1) one.admit(`${index}`, NOW);
  const headers = { dimension: 'requests', source: 'headers', limit: 10, windowMs: 60_000 } as const;
  one.tell([{ ...headers, remaining: 6, resetAt: NOW + 65_000 }], NOW, NOW + 5_000);
  assert.deepEqual(one.report(NOW + 5_000).used, { requests: 4, images: 0, tokens: 0 });
  one.tell([{ ...headers, remaining: 1, resetAt: NOW + 45_000 }], NOW, NOW + 5_000);
  assert.equal(one.report(NOW + 5_000).used.requests, 9);
  assert.equal(one.report(NOW + 39_000).used.requests, 9);
  assert.equal(one.report(NOW + 41_000).used.requests, 4, 'the reset was told when the call was let in');
  assert.equal(one.report(NOW).source, 'headers');
});

test('nothing left and a reset closes until then, where no limit was told', () => {
  const one = account();
  one.admit('a', NOW);
  one.tell([{ dimension: 'tokens', remaining: 0, resetAt: NOW + 37_000 }], NOW);
  assert.equal(one.admit('b', NOW + 10), NOW + 37_000);
});

test('a limit that is not used up and refuses all the same is spaced evenly', () => {
  const one = account({ requests: [{ count: 60, windowMs: 60_000 }] });
  burst(one, 10, 5, named('requests'), NOW);
  const first = one.admit('a', NOW + 50);
  assert.equal(first, true);
  const second = one.admit('b', NOW + 51);
  assert.equal(second, NOW + 1_050);
  assert.equal(one.admit('b', NOW + 1_050), true);
});

test('a configured limit that turns out too high is held lower, and never passed', () => {
  const one = account({ requests: [{ count: 10, windowMs: 60_000 }] });
  burst(one, 10, 9, named('requests'), NOW);
  assert.deepEqual(
    one.rates().map((rate) => rate.count),
    [10, 9],
  );
  assert.notEqual(one.admit('a', NOW + 50), true);
});

test('refusals of calls sent before the last change only make it exact', () => {
  const one = account({ requests: [{ count: 30, windowMs: 15_000 }] });
  burst(one, 30, 28, named('requests'), NOW);
  assert.deepEqual(
    one.rates().map((rate) => rate.count),
    [30, 28],
  );
});

test('what never left and what failed otherwise is no evidence', () => {
  const one = account({ requests: [{ count: 2, windowMs: 60_000 }] });
  one.admit('a', NOW);
  one.end('a', { kind: 'other' }, NOW + 1_000);
  assert.equal(one.state().rates.length, 0);
  assert.equal(one.state().permits.length, 0);
});

test('a limit seems to be a day long only as long as nothing better explains it, and no pause is that long', () => {
  const one = account();
  for (let index = 0; index < 20; index += 1) {
    one.admit(`${index}`, NOW + index * 1_000);
    one.end(`${index}`, ACCEPTED, NOW + index * 1_000 + 500);
  }
  let at = NOW + 20_000;
  const probes: number[] = [];
  while (probes.length < 20) {
    const until = one.admit(`probe ${at}`, at);
    if (until !== true) {
      assert.ok(until - at <= 15 * 60_000);
      at = until;
      continue;
    }
    probes.push(at);
    one.end(`probe ${at}`, REFUSED, at + 40);
    at += 41;
  }
  assert.ok((probes.at(-1) ?? 0) - NOW > 3_600_000, 'an hour of refusals takes less than twenty calls');
});
