import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Failure } from '../failure.ts';
import { FINAL_CATEGORIES, REFUSAL_CATEGORIES } from './refusal-category.ts';
import {
  type Climbed,
  type Ladder,
  type LadderOffers,
  laxerSetting,
  nextRung,
  type Refusal,
  RUNGS,
  refusalOf,
  strictnessOf,
} from './refusal-ladder.ts';

const WHOLE: Ladder = { rungs: RUNGS, maxRungs: 4, maxPaid: 4 };
const INPUT: Refusal = { stage: 'input', categories: ['violence'], isBilled: false };
const OUTPUT: Refusal = { stage: 'output', categories: ['violence'], isBilled: true };
const OFFERS: LadderOffers = {
  laxer: { field: 'moderation', value: 'low' },
  rewrite: { prompt: 'a toy', changes: [{ from: 'a gun', to: 'a toy', rule: 'say-gun', at: 0 }] },
  nextTarget: 'bfl/flux-2-pro',
};

/** Climbs until it ends, every attempt refused as `refusals` says in turn. */
function climb(ladder: Ladder | undefined, refusals: readonly Refusal[], offers: LadderOffers) {
  const history: Climbed[] = [];
  const attempts = [refusals[0] ?? INPUT];
  for (;;) {
    const after = attempts.at(-1) ?? INPUT;
    const step = nextRung(ladder, after, history, offers);
    if (step === undefined) return { history, attempts };
    history.push({ index: step.index, rung: step.do, after });
    attempts.push(refusals[attempts.length % refusals.length] ?? INPUT);
    assert.ok(history.length <= 100, 'it does not end');
  }
}

const rungsOf = ({ history }: ReturnType<typeof climb>) => history.map(({ rung }) => rung);

test('without a ladder a refusal is the end', () => {
  assert.equal(nextRung(undefined, OUTPUT, [], OFFERS), undefined);
  assert.equal(nextRung({ rungs: [], maxRungs: 3, maxPaid: 3 }, OUTPUT, [], OFFERS), undefined);
});

test('a refused prompt is never sent a second time as it is', () => {
  assert.deepEqual(rungsOf(climb(WHOLE, [INPUT], OFFERS)), ['laxer_setting', 'rewrite', 'next_target']);
  const { stage: _stage, ...unknown } = INPUT;
  assert.deepEqual(rungsOf(climb(WHOLE, [unknown], OFFERS)), ['laxer_setting', 'rewrite', 'next_target']);
});

test('a withheld picture is asked for once more', () => {
  assert.deepEqual(rungsOf(climb({ ...WHOLE, maxPaid: 5 }, [OUTPUT], OFFERS)), [...RUNGS]);
});

test('what is not offered is passed over', () => {
  assert.deepEqual(rungsOf(climb(WHOLE, [INPUT], {})), []);
  assert.deepEqual(rungsOf(climb(WHOLE, [INPUT], { nextTarget: 'a/b' })), ['next_target']);
});

test('every step says what it changes', () => {
  assert.equal(nextRung(WHOLE, INPUT, [], OFFERS)?.told, 'moderation is set to low');
  const { laxer: _laxer, ...others } = OFFERS;
  assert.equal(nextRung(WHOLE, INPUT, [], others)?.told, 'the prompt is said otherwise (say-gun)');
});

test('with one paid attempt allowed a free refusal goes on and a paid one ends it', () => {
  const strict = { ...WHOLE, maxPaid: 1 };
  assert.equal(rungsOf(climb(strict, [INPUT], OFFERS)).length, 3);
  assert.deepEqual(rungsOf(climb(strict, [OUTPUT], OFFERS)), []);
  assert.deepEqual(rungsOf(climb(strict, [INPUT, OUTPUT], OFFERS)), ['laxer_setting']);
});

test('what is clear is not worked around, even when it was said of an earlier attempt', () => {
  for (const category of FINAL_CATEGORIES) {
    assert.equal(nextRung(WHOLE, { ...INPUT, categories: ['violence', category] }, [], OFFERS), undefined);
    const earlier: Climbed = { index: 0, rung: 'laxer_setting', after: { ...INPUT, categories: [category] } };
    assert.equal(nextRung(WHOLE, INPUT, [earlier], OFFERS), undefined);
  }
});

const refusals = fc.record({
  stage: fc.constantFrom('input' as const, 'output' as const),
  categories: fc.subarray([...REFUSAL_CATEGORIES], { maxLength: 2 }),
  isBilled: fc.boolean(),
});
const ladders = fc.record({
  rungs: fc.array(fc.constantFrom(...RUNGS), { maxLength: 12 }),
  maxRungs: fc.nat(12),
  maxPaid: fc.nat(6),
});
const offers = fc.record(
  { laxer: fc.constant({ field: 'moderation', value: 'low' }), nextTarget: fc.constant('a/b') },
  { requiredKeys: [] },
);

test('whatever is refused, it ends within its rungs and pays no more than its bound', () => {
  fc.assert(
    fc.property(
      ladders,
      fc.array(refusals, { minLength: 1, maxLength: 10 }),
      offers,
      fc.boolean(),
      (ladder, refused, some, mayRewrite) => {
        const all = { ...some, ...(mayRewrite && OFFERS.rewrite && { rewrite: OFFERS.rewrite }) };
        const { history, attempts } = climb(ladder, refused, all);
        assert.ok(history.length <= ladder.maxRungs && history.length <= ladder.rungs.length);
        assert.equal(attempts.length, history.length + 1);
        // The first attempt is the run's own; what the ladder adds never passes the bound.
        const paid = attempts.filter(({ isBilled }) => isBilled).length;
        assert.ok(paid <= Math.max(ladder.maxPaid, attempts[0]?.isBilled ? 1 : 0));
        assert.ok(history.filter(({ rung }) => rung === 'rewrite').length <= 1);
        for (const { rung, after } of history) assert.ok(rung !== 'same_again' || after.stage === 'output');
        const indexes = history.map(({ index }) => index);
        assert.deepEqual(
          indexes,
          [...new Set(indexes)].toSorted((a, b) => a - b),
        );
        assert.ok(history.every(({ rung, index }) => ladder.rungs[index] === rung));
      },
    ),
    { numRuns: 2_000 },
  );
});

const failure = (changes: Partial<Failure>): Failure => ({
  kind: 'policy',
  certainty: 'rejected',
  message: 'no',
  ...changes,
});

test('only a refusal of which the bill is known enters the ladder', () => {
  assert.equal(refusalOf(failure({ kind: 'server' }), []), undefined);
  assert.equal(refusalOf(failure({ certainty: 'ambiguous' }), []), undefined);
  assert.equal(refusalOf(failure({}), [])?.isBilled, false);
  assert.equal(refusalOf(failure({ certainty: 'completed', stage: 'output' }), [])?.isBilled, true);
});

test('the laxer setting is the documented one, once, and not over what nobody knows', () => {
  const openai = strictnessOf({ size: { kind: 'any' }, moderation: ['auto', 'low'] });
  assert.deepEqual(laxerSetting(openai, {}), { field: 'moderation', value: 'low' });
  assert.equal(laxerSetting(openai, { moderation: 'low' }), undefined);
  assert.equal(laxerSetting(strictnessOf({ size: { kind: 'any' } }), {}), undefined);
  const bfl = { field: 'safety_tolerance', values: [0, 1, 2, 3, 4, 5] };
  assert.deepEqual(laxerSetting(bfl, { extra: { safety_tolerance: 2 } }), { field: 'safety_tolerance', value: 5 });
  assert.equal(laxerSetting(bfl, { extra: { safety_tolerance: 5 } }), undefined);
  assert.equal(laxerSetting(bfl, { extra: { safety_tolerance: 9 } }), undefined);
});
