import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFailure } from '../testing/samples.ts';
import {
  attemptBegan,
  attemptEnded,
  type Draw,
  drawRepeat,
  fullBudget,
  RETRY_BUDGET_POLICY,
  type RetryBudget,
  type RetryBudgetPolicy,
} from './retry-budget.ts';

const POLICY = RETRY_BUDGET_POLICY;
const SERVER = sampleFailure('server');
const THROTTLED = sampleFailure('throttled');

type Step = 'transient' | 'throttled' | 'success';

/** One run as AWS's specification tests have it: what is left after each answer, or why there is no repeat. */
function played(
  units: number,
  steps: readonly Step[],
  policy: RetryBudgetPolicy = POLICY,
): readonly (number | string)[] {
  let budget: RetryBudget = { ...fullBudget(0, policy), units };
  let drawn: number | undefined;
  return steps.map((step) => {
    budget = attemptEnded(attemptBegan(budget, drawn !== undefined), drawn, step === 'success', 0, policy);
    drawn = undefined;
    if (step === 'success') return budget.units;
    const draw = drawRepeat(budget, step === 'throttled' ? THROTTLED : SERVER, 0, policy);
    if (!draw.allowed) return draw.by;
    budget = draw.budget;
    drawn = draw.cost;
    return budget.units;
  });
}

/** From smithy-typescript's `retries.integ.spec.ts` (Apache-2.0). */
const VECTORS: readonly (readonly [units: number, steps: readonly Step[], expected: readonly (number | string)[]])[] = [
  [500, ['transient', 'transient', 'success'], [486, 472, 486]],
  [14, ['transient', 'transient'], [0, 'count']],
  [0, ['transient'], ['count']],
  [500, ['transient', 'transient', 'transient', 'transient'], [486, 472, 458, 444]],
  [20, ['transient', 'transient'], [6, 'count']],
  [30, ['transient', 'transient', 'success', 'transient', 'success'], [16, 2, 16, 2, 16]],
  [500, ['throttled', 'success'], [495, 500]],
];

for (const [units, steps, expected] of VECTORS) {
  test(`AWS: from ${units}, ${steps.join(' ')} leaves ${expected.join(' ')}`, () => {
    assert.deepEqual(played(units, steps), expected);
  });
}

test('a success that needed no repeat gives one, and never beyond the capacity', () => {
  assert.deepEqual(played(14, ['success', 'success']), [15, 16]);
  assert.deepEqual(played(500, ['success']), [500]);
});

test('what was never sent draws like any other', () => {
  const draw = drawRepeat(fullBudget(0, POLICY), sampleFailure('network'), 0, POLICY);
  assert.equal(draw.allowed && draw.cost, 14);
});

test('an empty budget allows a repeat every 14 s, and is full after 500 s without a call', () => {
  const empty: RetryBudget = { ...fullBudget(0, POLICY), units: 0 };
  assert.equal(drawRepeat(empty, SERVER, 13_999, POLICY).allowed, false);
  assert.equal(drawRepeat(empty, SERVER, 14_000, POLICY).allowed, true);
  assert.equal(drawRepeat(empty, THROTTLED, 5_000, POLICY).allowed, true);
  const rested = drawRepeat(empty, SERVER, 1_000_000, POLICY);
  assert.equal(rested.allowed && rested.budget.units, 486);
});

test('a clock that was set back neither adds nor takes', () => {
  const draw = drawRepeat(fullBudget(1_000_000, POLICY), SERVER, 0, POLICY);
  assert.equal(draw.allowed && draw.budget.units, 486);
});

test('a fifth of what is open may be repeats, and so many always', () => {
  const allowed = (open: number, openRepeats: number): Draw =>
    drawRepeat({ ...fullBudget(0, POLICY), open, openRepeats }, SERVER, 0, POLICY);
  assert.equal(allowed(0, 0).allowed, true);
  assert.equal(allowed(20, POLICY.minOpen - 1).allowed, true);
  assert.deepEqual(allowed(20, POLICY.minOpen), { allowed: false, by: 'concurrency' });
  assert.equal(allowed(198, 39).allowed, false);
  assert.equal(allowed(199, 39).allowed, true);
});

const ATTEMPTS = fc.array(
  fc.record({
    waitMs: fc.nat(3_000),
    isRepeat: fc.boolean(),
    throttled: fc.boolean(),
    succeeds: fc.boolean(),
    /** It ends when so many others have begun. */
    lasts: fc.nat(12),
  }),
  { maxLength: 300 },
);

test('whatever happens, repeats are no more than the budget, successes and time have given', () => {
  fc.assert(
    fc.property(ATTEMPTS, fc.integer({ min: 0, max: 500 }), (attempts, units) => {
      let budget: RetryBudget = { ...fullBudget(0, POLICY), units };
      let [now, drawnInAll, given] = [0, 0, 0];
      const open: { until: number; drawn: number | undefined; succeeds: boolean }[] = [];
      attempts.forEach(({ waitMs, isRepeat, throttled, succeeds, lasts }, index) => {
        now += waitMs;
        for (const one of open.filter(({ until }) => until === index)) {
          budget = attemptEnded(budget, one.drawn, one.succeeds, now, POLICY);
          if (one.succeeds) given += one.drawn ?? 1;
          open.splice(open.indexOf(one), 1);
        }
        let drawn: number | undefined;
        if (isRepeat) {
          const draw = drawRepeat(budget, throttled ? THROTTLED : SERVER, now, POLICY);
          if (!draw.allowed) return;
          ({ budget, cost: drawn } = draw);
          drawnInAll += drawn;
        }
        budget = attemptBegan(budget, isRepeat);
        open.push({ until: index + 1 + lasts, drawn, succeeds });
        const repeats = open.filter((one) => one.drawn !== undefined).length;
        assert.deepEqual([budget.open, budget.openRepeats], [open.length, repeats]);
        if (isRepeat) assert.ok(repeats <= Math.max(POLICY.minOpen, 0.2 * open.length));
        assert.ok(budget.units >= 0 && budget.units <= POLICY.capacity);
        assert.ok(drawnInAll <= units + given + now / 1_000 + 1e-6);
      });
    }),
  );
});
