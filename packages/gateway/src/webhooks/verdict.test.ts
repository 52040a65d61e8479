import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextTryAt, WEBHOOK_SCHEDULE } from './verdict.ts';

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
