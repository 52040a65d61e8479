import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WebhookDelivery } from '../store/store.ts';
import { judge, nextTryAt, WEBHOOK_SCHEDULE } from './verdict.ts';

const DAY = WEBHOOK_SCHEDULE.giveUpAfterMs;

test('a next try is never in the past, before a hint, or after the deadline, and waits at most an hour by itself', () => {
  fc.assert(
    fc.property(
      fc.record({
        age: fc.integer({ min: 0, max: 3 * DAY }),
        tries: fc.integer({ min: 0, max: 2_000 }),
        hint: fc.option(fc.integer({ min: 0, max: 2 * DAY }), { nil: undefined }),
        random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      }),
      ({ age, tries, hint, random }) => {
        const at = 1_000_000;
        const now = at + age;
        const notBefore = hint === undefined ? undefined : now + hint;
        const next = nextTryAt({ at, tries }, now, notBefore, random, WEBHOOK_SCHEDULE);
        const few = tries + 1 < WEBHOOK_SCHEDULE.minTries;
        if (next === undefined) {
          assert.ok(age >= DAY || (notBefore ?? 0) > at + DAY, 'given up before its time');
          if (few) assert.ok((hint ?? 0) > WEBHOOK_SCHEDULE.maxDelayMs, 'a first try is never the last without a hint');
          return;
        }
        assert.ok(next >= now && next >= (notBefore ?? 0));
        assert.ok(few || next <= at + DAY);
        assert.ok(next - now <= Math.max(WEBHOOK_SCHEDULE.maxDelayMs, hint ?? 0));
      },
    ),
  );
});

test('tried at every next instant, a delivery ends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 }),
      (randoms) => {
        let now = 0;
        let tries = 0;
        for (; tries < 100_000; tries += 1) {
          const random = randoms[tries % randoms.length] ?? 0;
          // An answer takes a while, even where the jitter is always nothing.
          const next = nextTryAt({ at: 0, tries }, now + 1_000, undefined, random, WEBHOOK_SCHEDULE);
          if (next === undefined) return;
          now = next;
        }
        assert.fail(`${tries} tries and no end`);
      },
    ),
  );
});

const DELIVERY: WebhookDelivery = {
  ...{ id: 'evt_1', type: 'task.completed', at: 0 },
  ...{ generation: 'gen_1', caller: 'alice', url: 'https://hooks.test/a', tries: 0 },
};
const judged = (status: number, headers: Readonly<Record<string, string>> = {}) =>
  judge(DELIVERY, { kind: 'answered', status, headers }, 1_000, 0.5, WEBHOOK_SCHEDULE);

test('any 2xx is a delivery; a redirect, a refusal and a fault are tried again', () => {
  for (const status of [200, 204, 299]) assert.equal(judged(status).result.state, 'delivered');
  for (const status of [301, 307, 400, 404, 500])
    assert.deepEqual([judged(status).result.state, judged(status).gone], ['waiting', false], String(status));
});

test('a 410 ends the delivery and its address, whatever time is left', () => {
  assert.deepEqual([judged(410).result.state, judged(410).gone], ['given-up', true]);
});

test('what cannot be reached is tried again unless that is hopeless', () => {
  const unanswered = (hopeless: boolean) =>
    judge(DELIVERY, { kind: 'unanswered', reason: 'refused', hopeless }, 1_000, 0.5, WEBHOOK_SCHEDULE);
  assert.deepEqual([unanswered(false).result.state, unanswered(true).result.state], ['waiting', 'given-up']);
  assert.equal(unanswered(true).gone, false);
});

test('the wait doubles from five seconds, and a receiver that asks for more gets it', () => {
  const waits = [0, 1, 2, 3].map((tries) => nextTryAt({ at: 0, tries }, 0, undefined, 0.5, WEBHOOK_SCHEDULE));
  assert.deepEqual(waits, [2_500, 5_000, 10_000, 20_000]);
  const { result } = judged(503, { 'retry-after': '120' });
  assert.ok(result.state === 'waiting' && result.retryAt >= 121_000);
});
