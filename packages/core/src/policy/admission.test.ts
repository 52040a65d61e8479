import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Limits } from '../pacing.ts';
import { admit, withoutPermits } from './admission.ts';
import { EMPTY_LIMITS, type LimitState } from './limit-state.ts';
import { givenBack, leaving, settled } from './limits.ts';
import { MAX_USES } from './sliding-window.ts';

const NOW = 1_800_000_000_000;
const FIVE_A_MINUTE: Limits = { images: [{ count: 5, windowMs: 60_000 }] };

/** Asks for `images` at each instant; the state, and what was admitted when. */
function ask(limits: Limits, at: readonly number[], images: readonly number[] = [], start: LimitState = EMPTY_LIMITS) {
  const admitted: { readonly at: number; readonly images: number }[] = [];
  const state = at.reduce((before, instant, index) => {
    const wanted = images[index] ?? 1;
    const admission = admit(before, limits, `call ${index}`, { images: wanted }, instant);
    if (admission.admitted) admitted.push({ at: instant, images: wanted });
    else assert.ok(admission.until > instant);
    return admission.state;
  }, start);
  return { state, admitted };
}

const schedules = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 400 }).map((gaps) => {
  let at = NOW;
  return gaps.map((gap) => {
    at += gap;
    return at;
  });
});

test('the first five go at once, the sixth a minute and a guard later', () => {
  const { state, admitted } = ask(FIVE_A_MINUTE, [NOW, NOW, NOW, NOW, NOW, NOW]);
  assert.equal(admitted.length, 5);
  const sixth = admit(state, FIVE_A_MINUTE, 'sixth', { images: 1 }, NOW + 1);
  assert.ok(!sixth.admitted);
  assert.equal(sixth.until, NOW + 60_300);
  assert.equal(sixth.reason, '5 images in 60 s are used');
  assert.ok(admit(state, FIVE_A_MINUTE, 'sixth', { images: 1 }, sixth.until).admitted);
});

test('no schedule gets more than the count into any window', () => {
  fc.assert(
    fc.property(
      schedules,
      fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 400 }),
      fc.integer({ min: 3, max: 40 }),
      fc.integer({ min: 100, max: 120_000 }),
      (at, images, count, windowMs) => {
        const { admitted } = ask({ images: [{ count, windowMs }] }, at, images);
        for (const { at: end } of admitted) {
          const inside = admitted.filter((one) => one.at > end - windowMs && one.at <= end);
          assert.ok(inside.reduce((sum, one) => sum + one.images, 0) <= count);
        }
      },
    ),
  );
});

test('uses that were merged to bound the log are counted longer, never shorter', () => {
  const at = Array.from({ length: 3_000 }, (_, index) => NOW + index * 37);
  const { state, admitted } = ask({ requests: [{ count: 900, windowMs: 60_000 }] }, at);
  assert.ok(state.uses.length <= MAX_USES);
  for (const { at: end } of admitted)
    assert.ok(admitted.filter((one) => one.at > end - 60_000 && one.at <= end).length <= 900);
  assert.ok(admitted.length > 1_500, `${admitted.length} of 1,666 that a strict window allows`);
});

test('what is refused uses nothing up, in no dimension', () => {
  const both: Limits = { requests: [{ count: 100, windowMs: 60_000 }], images: [{ count: 5, windowMs: 60_000 }] };
  const { state } = ask(both, [NOW, NOW, NOW, NOW, NOW]);
  const refused = admit(state, both, 'too many', { images: 1 }, NOW + 10);
  assert.equal(refused.state, state);
});

test('a claim beyond every window waits for an empty one, and is not kept waiting for ever', () => {
  const { state } = ask(FIVE_A_MINUTE, [NOW]);
  const large = admit(state, FIVE_A_MINUTE, 'large', { images: 8 }, NOW + 1);
  assert.ok(!large.admitted);
  assert.ok(admit(state, FIVE_A_MINUTE, 'large', { images: 8 }, large.until).admitted);
});

test('the last admission can be given back, whatever it took', () => {
  fc.assert(
    fc.property(schedules, (at) => {
      const limits: Limits = { ...FIVE_A_MINUTE, concurrency: 500 };
      const { state } = ask(limits, at);
      const last = at.at(-1) ?? NOW;
      const admission = admit(state, limits, 'last', { images: 1 }, last);
      if (!admission.admitted) return;
      const call = { id: 'last', at: admission.at, requests: 1, images: 1, tokens: 0 };
      const { seenAt: _, ...after } = givenBack(admission.state, limits, call, last + 5);
      const { seenAt: __, ...before } = state;
      assert.deepEqual(
        { ...after, permits: after.permits.length },
        { ...before, permits: before.permits.filter((one) => one.until > last).length },
      );
    }),
  );
});

test('places in flight are free again after their calls, and after their process died', () => {
  const two: Limits = { concurrency: 2 };
  const { state, admitted } = ask(two, [NOW, NOW, NOW]);
  assert.equal(admitted.length, 2);
  const ended = settled(
    state,
    two,
    { id: 'call 0', at: NOW, requests: 1, images: 1, tokens: 0 },
    { kind: 'accepted' },
    NOW + 4_000,
  );
  assert.ok(admit(ended, two, 'next', { images: 1 }, NOW + 4_000).admitted);
  const waits = admit(state, two, 'next', { images: 1 }, NOW + 59_000);
  assert.ok(!waits.admitted && waits.until === NOW + 60_000);
  assert.ok(admit(state, two, 'next', { images: 1 }, NOW + 60_000).admitted);
});

test('a clock that was set back locks nobody out, and its node a little behind changes nothing', () => {
  const { state } = ask(FIVE_A_MINUTE, [NOW, NOW, NOW, NOW, NOW]);
  const hour = 3_600_000;
  const later = admit(state, FIVE_A_MINUTE, 'a', { images: 1 }, NOW - hour + 60_300);
  const first = admit(state, FIVE_A_MINUTE, 'a', { images: 1 }, NOW - hour);
  assert.ok(!first.admitted);
  assert.equal(first.until, NOW - hour + 60_300);
  assert.ok(admit(first.state, FIVE_A_MINUTE, 'a', { images: 1 }, first.until).admitted);
  assert.ok(!later.admitted && later.until <= NOW - hour + 120_600);
  const behind = admit(state, FIVE_A_MINUTE, 'b', { images: 1 }, NOW - 2_000);
  assert.ok(!behind.admitted);
  assert.equal(behind.until, NOW + 60_300);
});

test('tokens are reserved by estimate and settled by usage', () => {
  const limits: Limits = { tokens: [{ count: 1_000, windowMs: 60_000 }] };
  const call = { id: 'a', at: NOW, requests: 1, images: 1, tokens: 600 };
  const first = admit(EMPTY_LIMITS, limits, 'a', { images: 1, tokens: 600 }, NOW);
  assert.ok(!admit(first.state, limits, 'b', { images: 1, tokens: 600 }, NOW).admitted);
  const less = settled(first.state, limits, call, { kind: 'accepted', tokens: 400 }, NOW + 1_000);
  assert.ok(admit(less, limits, 'b', { images: 1, tokens: 600 }, NOW + 1_000).admitted);
  const more = settled(first.state, limits, call, { kind: 'accepted', tokens: 900 }, NOW + 1_000);
  assert.ok(!admit(more, limits, 'b', { images: 1, tokens: 200 }, NOW + 1_000).admitted);
});

test('state is plain JSON', () => {
  const { state } = ask({ ...FIVE_A_MINUTE, concurrency: 3 }, [NOW, NOW, NOW]);
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
});

test('a provider that was never called is met with a few calls, which become more at an even pace', () => {
  const burst = (at: number, start: LimitState) => {
    let state = start;
    for (let count = 0; ; count += 1) {
      const admission = admit(state, undefined, `${at}:${count}`, { images: 1 }, at);
      if (!admission.admitted) return { state, count, until: admission.until };
      state = admission.state;
    }
  };
  const first = burst(NOW, EMPTY_LIMITS);
  assert.deepEqual([first.count, first.until > NOW && first.until < NOW + 50], [8, true]);
  const second = burst(NOW + 200, first.state);
  assert.equal(second.count, 8);
  assert.equal(burst(NOW + 400, second.state).count, 10);
  const later = Array.from({ length: 200 }).reduce<LimitState>((state, _, index) => {
    const admission = admit(state, undefined, `later ${index}`, { images: 1 }, NOW + 3_000);
    assert.ok(admission.admitted, 'and then freely');
    return admission.state;
  }, second.state);
  assert.equal(later.permits.length, 216);
});

test('a call without an estimate counts as many tokens as those before it used', () => {
  const limits: Limits = { tokens: [{ count: 1_000, windowMs: 60_000 }] };
  const first = admit(EMPTY_LIMITS, limits, 'a', { images: 1 }, NOW);
  const call = { id: 'a', at: NOW, requests: 1, images: 1, tokens: 1 };
  const known = settled(first.state, limits, call, { kind: 'accepted', tokens: 400 }, NOW + 1_000);
  const second = admit(known, limits, 'b', { images: 1 }, NOW + 1_000);
  assert.ok(second.admitted);
  assert.ok(!admit(second.state, limits, 'c', { images: 1 }, NOW + 1_000).admitted);
});

test('a use counts from when its call left, not from when it was let go', () => {
  const { state } = ask(FIVE_A_MINUTE, [NOW, NOW, NOW, NOW, NOW]);
  const call = { id: 'call 4', at: NOW, requests: 1, images: 1, tokens: 0 };
  const left = leaving(state, call, NOW + 2_000);
  const four = admit(left, FIVE_A_MINUTE, 'four', { images: 4 }, NOW + 60_300);
  assert.ok(four.admitted);
  const fifth = admit(four.state, FIVE_A_MINUTE, 'fifth', { images: 1 }, NOW + 60_300);
  assert.ok(!fifth.admitted && fifth.until === NOW + 62_300);
});

test('a process that starts alone finds the uses of the one before, and nothing of it in flight', () => {
  const { state } = ask({ ...FIVE_A_MINUTE, concurrency: 2 }, [NOW, NOW]);
  const revived = withoutPermits(JSON.parse(JSON.stringify(state)));
  assert.deepEqual(revived, { ...state, permits: [] });
  assert.equal(withoutPermits(null), null);
});
