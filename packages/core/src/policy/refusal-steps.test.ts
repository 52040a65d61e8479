import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cacheable } from '../cache.ts';
import type { Failure } from '../failure.ts';
import { foldGeneration } from '../generation.ts';
import { EMPTY_RUN, type Event, foldRun, type Outcome, paidAttempts, type Run } from '../journal.ts';
import type { Plan, Policy } from '../plan.ts';
import { SAMPLE_SUCCESS, sampleFailed, samplePlan } from '../testing/samples.ts';
import { decide } from './decide.ts';
import { type Ladder, RUNGS } from './refusal-ladder.ts';
import { isAnswered, isRewritten, rungAfter, standingRung, targetInForce } from './refusal-steps.ts';

const HERE = { unsentGraceMs: 10_000 };
const INPUT = sampleFailed('policy', { stage: 'input', message: 'safety_violations=[violence]' });
const OUTPUT = sampleFailed('policy', { stage: 'output', certainty: 'completed', message: 'withheld: violence' });
const FINAL = sampleFailed('policy', { stage: 'input', message: 'safety_violations=[hate]' });
const LADDER: Ladder = { rungs: RUNGS, maxRungs: 3, maxPaid: 2 };
const REWRITE = {
  prompt: 'a knight with a toy',
  changes: [{ from: 'weapon', to: 'toy', rule: 'say', at: 16 }],
};

function planOf(refusals: Ladder | undefined, policy: Partial<Policy> = {}, names = ['a', 'b']): Plan {
  const plan = samplePlan(names, { ...policy, ...(refusals && { refusals }) });
  const laxer = { field: 'moderation', value: 'low' };
  return { ...plan, rewrite: REWRITE, targets: plan.targets.map((target) => ({ ...target, laxer })) };
}

interface Told {
  readonly run: Run;
  readonly steps: readonly string[];
  readonly end: Outcome;
}

/** Plays a run whose attempts end as told, the last of them again and again. */
function play(plan: Plan, outcomes: readonly Outcome[]): Told {
  let [run, now] = [EMPTY_RUN, 0];
  const steps: string[] = [];
  const add = (...events: readonly Event[]) => {
    run = foldRun(events, run);
  };
  for (let turns = 0; turns < 200; turns += 1) {
    const decision = decide('run', plan, run, {}, HERE, now);
    if (decision.do === 'stop' || decision.do === 'finish') return { run, steps, end: decision.outcome };
    if (decision.do === 'wait') now = decision.until;
    else if (decision.do === 'climb') {
      steps.push(decision.rung.rung);
      add({ type: 'rung-taken', at: now, ...decision.rung });
    } else if (decision.do === 'start') {
      const { target, attempt } = decision;
      const { prompt = plan.request.prompt, moderation = '' } = targetInForce(plan, run, target).request ?? {};
      steps.push(`${target.provider}${prompt === REWRITE.prompt ? ' rewritten' : ''}${moderation && ` ${moderation}`}`);
      const outcome = outcomes[attempt - 1] ?? outcomes.at(-1) ?? SAMPLE_SUCCESS;
      add(
        { type: 'attempt-started', at: now, attempt, target: target.id },
        { type: 'attempt-ended', at: now, attempt, outcome },
      );
    } else assert.fail(decision.do);
  }
  assert.fail('it does not end');
}

test('without a ladder a refusal is the end, whatever else could be asked', () => {
  assert.deepEqual(play(planOf(undefined), [INPUT]).steps, ['a']);
  assert.deepEqual(play(planOf(undefined, { payment: 'available', maxPaidAttempts: 5 }), [OUTPUT]).steps, ['a']);
});

test('a refused prompt is asked for with the laxer setting, in other words, and elsewhere', () => {
  const { steps, end, run } = play(planOf(LADDER), [INPUT]);
  assert.deepEqual(steps, ['a', 'laxer_setting', 'a low', 'rewrite', 'a rewritten low', 'next_target', 'b rewritten']);
  assert.ok(!end.ok && end.failure.kind === 'policy');
  assert.deepEqual([run.attempts.length, paidAttempts(run), isRewritten(run)], [4, 0, true]);
});

test('a rung that brings the picture ends it', () => {
  const { steps, end } = play(planOf({ ...LADDER, rungs: ['rewrite'] }), [INPUT, SAMPLE_SUCCESS]);
  assert.deepEqual([steps, end.ok], [['a', 'rewrite', 'a rewritten'], true]);
});

test('a withheld picture is paid for once more, and never beyond any of the bounds', () => {
  const again: Ladder = { ...LADDER, rungs: ['same_again', 'same_again', 'next_target'] };
  assert.deepEqual(play(planOf(again), [OUTPUT]).steps, ['a', 'same_again', 'a']);
  assert.deepEqual(play(planOf({ ...again, maxPaid: 1 }), [OUTPUT]).steps, ['a']);
  assert.deepEqual(play(planOf({ ...again, maxPaid: 9 }), [OUTPUT]).steps, ['a', 'same_again', 'a']);
  const strict = planOf({ ...again, maxPaid: 9 }, { payment: 'strict', maxPaidAttempts: 1 });
  assert.deepEqual(play(strict, [OUTPUT]).steps, ['a']);
  const wide = planOf({ ...again, maxPaid: 9 }, { payment: 'available', maxPaidAttempts: 9 });
  assert.deepEqual(play(wide, [OUTPUT]).steps, ['a', 'same_again', 'a', 'same_again', 'a', 'next_target', 'b']);
});

test('a refusal that names hate ends the ladder, first or later', () => {
  assert.deepEqual(play(planOf(LADDER), [FINAL]).steps, ['a']);
  assert.deepEqual(play(planOf(LADDER), [INPUT, FINAL]).steps, ['a', 'laxer_setting', 'a low']);
});

test('what fails on a rung otherwise is treated as ever, in the words of the rung, and within its payments', () => {
  const plan = planOf({ ...LADDER, rungs: ['rewrite'] });
  const overloaded = sampleFailed('quota');
  assert.deepEqual(play(plan, [INPUT, overloaded, SAMPLE_SUCCESS]).steps, [
    'a',
    'rewrite',
    'a rewritten',
    'b rewritten',
  ]);
  const wide = { payment: 'available', maxPaidAttempts: 9 } as const;
  const paid = play(planOf({ ...LADDER, rungs: ['same_again'] }, wide), [OUTPUT, sampleFailed('server')]);
  assert.deepEqual(paid.steps, ['a', 'same_again', 'a'], 'the failed attempt was the second payment');
  const free = play(planOf({ ...LADDER, rungs: ['same_again'] }), [OUTPUT, sampleFailed('network'), SAMPLE_SUCCESS]);
  assert.deepEqual(free.steps, ['a', 'same_again', 'a', 'b'], 'what was never sent is tried again');
});

test('nothing is climbed after a preview was sent, nor to a target that is closed', () => {
  const refused = foldRun([
    { type: 'attempt-started', at: 0, attempt: 1, target: 'a/model' },
    { type: 'attempt-ended', at: 0, attempt: 1, outcome: INPUT },
  ]);
  const plan = planOf({ ...LADDER, rungs: ['next_target'] });
  const failure = sampleFailed('authentication').failure;
  const closed = { 'b/model': { by: 'credential', until: 60_000, failure } } as const;
  assert.equal(rungAfter(plan, refused, {}, 0)?.target, 'b/model');
  assert.equal(rungAfter(plan, refused, closed, 0), undefined);
  assert.equal(rungAfter(plan, { ...refused, partialSent: true }, {}, 0), undefined);
  assert.equal(rungAfter({ ...plan, policy: { ...plan.policy, fallback: false } }, refused, {}, 0), undefined);
});

test('a picture that a ladder came to is not kept for the request that was refused', () => {
  const good = [{ type: 'attempt-started', at: 0, attempt: 1, target: 'a/model' }] as const;
  const ends: readonly Event[] = [
    { type: 'attempt-ended', at: 1, attempt: 1, outcome: SAMPLE_SUCCESS },
    { type: 'finished', at: 1, outcome: SAMPLE_SUCCESS },
  ];
  const rung = { attempt: 1, rung: 'rewrite', index: 0, target: 'a/model', told: '' } as const;
  const plan = planOf(LADDER);
  assert.ok(cacheable(plan, foldGeneration([[...good, ...ends]])));
  const climbed: readonly Event[] = [{ type: 'rung-taken', at: 0, ...rung }, ...good, ...ends];
  assert.equal(cacheable(plan, foldGeneration([climbed])), undefined);
});

test('the seed that was drawn here is another one the second time, the caller’s own is not', () => {
  const plan = planOf({ ...LADDER, rungs: ['same_again'] });
  const [target] = plan.targets;
  assert.ok(target);
  const { run } = play(plan, [OUTPUT]);
  const drawn = { ...target, maxSeed: 9, seedDrawn: true, request: { ...plan.request, seed: 9 } } as const;
  assert.equal(targetInForce(plan, run, drawn).request?.seed, 6);
  const { seedDrawn: _, ...own } = drawn;
  assert.equal(targetInForce(plan, run, own), own);
});

test('a rung that came to nothing answers nothing, and its refusal is paid for once', () => {
  const plan = planOf({ ...LADDER, rungs: ['rewrite', 'rewrite', 'next_target'], rewriter: 'chat' });
  const { rewrite: _, ...unruled } = plan;
  const withheld: readonly Event[] = [
    { type: 'attempt-started', at: 0, attempt: 1, target: 'a/model' },
    { type: 'attempt-ended', at: 0, attempt: 1, outcome: OUTPUT },
  ];
  const asked = rungAfter(unruled, foldRun(withheld), {}, 0);
  assert.deepEqual([asked?.rung, asked?.by, asked?.changes], ['rewrite', 'chat', undefined]);
  assert.ok(asked);
  const failed = foldRun([...withheld, { type: 'rung-taken', at: 0, ...asked, failed: 'it declines' }]);
  assert.deepEqual([standingRung(failed), isAnswered(failed, { attempt: 1 })], [undefined, false]);
  assert.deepEqual([isRewritten(failed), targetInForce(unruled, failed, targetAt(plan))], [false, targetAt(plan)]);
  const next = rungAfter(unruled, failed, {}, 0);
  assert.deepEqual([next?.rung, next?.index, next?.target], ['next_target', 2, 'b/model']);
  const had = foldRun([...withheld, { type: 'rung-taken', at: 0, ...asked, prompt: 'a toy' }]);
  assert.equal(standingRung(had)?.prompt, 'a toy');
  assert.equal(targetInForce(unruled, had, targetAt(plan)).request?.prompt, 'a toy');
  assert.equal(rungAfter({ ...plan, policy: { ...plan.policy } }, foldRun(withheld), {}, 0)?.by, undefined);
});

function targetAt({ targets: [target] }: Plan) {
  assert.ok(target);
  return target;
}

const failures = fc.constantFrom<Outcome>(INPUT, OUTPUT, FINAL, sampleFailed('server'), sampleFailed('network'));
const ladders = fc.record({
  rungs: fc.array(fc.constantFrom(...RUNGS), { minLength: 1, maxLength: 8 }),
  maxRungs: fc.integer({ min: 1, max: 8 }),
  maxPaid: fc.integer({ min: 1, max: 5 }),
});

test('it always ends, and never takes more rungs or payments than any bound allows', () => {
  fc.assert(
    fc.property(
      fc.array(failures, { minLength: 1, maxLength: 12 }),
      ladders,
      fc.constantFrom<Policy['payment']>('strict', 'standard', 'available'),
      fc.integer({ min: 1, max: 5 }),
      (outcomes, ladder, payment, most) => {
        const maxPaidAttempts = payment === 'strict' ? 1 : payment === 'standard' ? Math.min(2, most) : most;
        const { run, end } = play(planOf(ladder, { payment, maxPaidAttempts }, ['a', 'b', 'c']), outcomes);
        const { rungs = [] } = run;
        assert.ok(!end.ok && rungs.length <= ladder.maxRungs);
        assert.ok(paidAttempts(run) <= maxPaidAttempts);
        assert.ok(rungs.length === 0 || paidAttempts(run) <= Math.max(ladder.maxPaid, 1));
        const answered = run.attempts.filter(({ attempt }) => rungs.some((rung) => rung.attempt === attempt));
        assert.ok(answered.every(({ outcome }) => isRefusal(outcome) && outcome !== FINAL));
      },
    ),
  );
});

function isRefusal(outcome: Outcome | undefined): outcome is { readonly ok: false; readonly failure: Failure } {
  return outcome?.ok === false && outcome.failure.kind === 'policy';
}
