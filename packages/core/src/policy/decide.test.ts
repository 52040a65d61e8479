import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Certainty, FAILURES, type Failure, type FailureKind } from '../failure.ts';
import type { Health } from '../health.ts';
import { EMPTY_RUN, foldRun, type Run } from '../journal.ts';
import type { Plan, Policy } from '../plan.ts';
import { SAMPLE_SUCCESS, sampleEvents, sampleFailed, samplePlan, sampleRun } from '../testing/samples.ts';
import { type Decision, decide } from './decide.ts';

const HERE = { unsentGraceMs: 10_000 };
const ALL_OPEN: Health = {};

function next(plan: Plan, run: Run, now = 0, health: Health = ALL_OPEN): Decision {
  return decide('run', plan, run, health, HERE, now);
}

/** The decision in a few words: what, at which target, and for a wait how long. */
function brief(decision: Decision, now = 0): string {
  switch (decision.do) {
    case 'start':
      return `start ${decision.target.provider}`;
    case 'wait':
      return `wait for ${decision.target.split('/')[0]}${decision.until - now > 5_000 ? ' long' : ''}`;
    case 'finish':
      return decision.outcome.ok ? 'finish ok' : `finish ${decision.outcome.failure.kind}`;
    default:
      return decision.do;
  }
}

const TWO = ['a', 'b'];
const available: Partial<Policy> = { payment: 'available', maxPaidAttempts: 3 };

/** After one attempt at `a`, the caller waiting and everything open: what the run of a route to a and b does at that instant. */
const afterOne: readonly (readonly [FailureKind, Certainty, Partial<Policy>, string])[] = [
  ['network', 'not_sent', {}, 'wait for a'],
  ['certificate', 'not_sent', {}, 'start b'],
  ['timeout', 'not_sent', {}, 'wait for a'],
  ['throttled', 'rejected', {}, 'wait for a'],
  ['overloaded', 'rejected', {}, 'wait for a'],
  ['quota', 'rejected', {}, 'start b'],
  ['billing', 'rejected', {}, 'start b'],
  ['authentication', 'rejected', {}, 'start b'],
  ['permission', 'rejected', {}, 'start b'],
  ['not_found', 'rejected', {}, 'start b'],
  ['retired', 'rejected', {}, 'start b'],
  ['capability', 'rejected', {}, 'start b'],
  ['invalid', 'rejected', {}, 'finish invalid'],
  ['too_large', 'rejected', {}, 'finish too_large'],
  ['image_url', 'rejected', {}, 'finish image_url'],
  ['image_format', 'rejected', {}, 'finish image_format'],
  ['policy', 'rejected', {}, 'finish policy'],
  ['policy', 'completed', {}, 'finish policy'],
  ['policy', 'completed', available, 'finish policy'],
  ['server', 'failed', {}, 'start b'],
  ['server', 'failed', { payment: 'strict', maxPaidAttempts: 1 }, 'finish server'],
  ['server', 'failed', { maxPaidAttempts: 1 }, 'finish server'],
  ['server', 'failed', available, 'wait for a'],
  ['out_of_memory', 'failed', {}, 'start b'],
  ['out_of_memory', 'failed', available, 'start b'],
  ['out_of_memory', 'failed', { payment: 'strict', maxPaidAttempts: 1 }, 'finish out_of_memory'],
  ['server', 'ambiguous', {}, 'finish server'],
  ['server', 'ambiguous', available, 'wait for a'],
  ['network', 'ambiguous', {}, 'finish network'],
  ['network', 'ambiguous', { payment: 'strict', maxPaidAttempts: 1 }, 'finish network'],
  ['timeout', 'ambiguous', {}, 'finish timeout'],
  ['timeout', 'ambiguous', available, 'wait for a'],
  ['interrupted', 'ambiguous', available, 'finish interrupted'],
  ['canceled', 'ambiguous', available, 'finish canceled'],
  ['empty', 'completed', available, 'finish empty'],
  ['corrupt', 'completed', available, 'finish corrupt'],
  ['suspect', 'completed', available, 'finish suspect'],
  ['storage', 'completed', available, 'finish storage'],
];

for (const [kind, certainty, policy, expected] of afterOne) {
  test(`${kind}, ${certainty}, ${policy.payment ?? 'standard'} with ${policy.maxPaidAttempts ?? 2} payments: ${expected}`, () => {
    const run = sampleRun(['a', sampleFailed(kind, { certainty })]);
    assert.equal(brief(next(samplePlan(TWO, policy), run)), expected);
  });
}

test('every kind is in the table above, or never ends an attempt', () => {
  const beforeAnyAttempt = ['budget', 'queue_full', 'unavailable'];
  const tested = new Set<string>(afterOne.map(([kind]) => kind));
  const missing = Object.keys(FAILURES).filter((kind) => !tested.has(kind) && !beforeAnyAttempt.includes(kind));
  assert.deepEqual(missing, []);
});

test('a new run starts the first target; a finished one stops; a success finishes', () => {
  assert.equal(brief(next(samplePlan(TWO), EMPTY_RUN)), 'start a');
  assert.equal(brief(next(samplePlan(TWO), sampleRun(['a', SAMPLE_SUCCESS]))), 'finish ok');
  const events = [
    ...sampleEvents(['a', SAMPLE_SUCCESS]),
    { type: 'finished', at: 0, outcome: SAMPLE_SUCCESS } as const,
  ];
  assert.deepEqual(next(samplePlan(TWO), foldRun(events), 1e12), { do: 'stop', outcome: SAMPLE_SUCCESS });
});

test('attempts are numbered from 1 without gaps', () => {
  const run = sampleRun(['a', sampleFailed('network')], ['a', sampleFailed('network')]);
  const decision = next(samplePlan(TWO), run);
  assert.ok(decision.do === 'start');
  assert.equal(decision.attempt, 3);
});

const hinted = (kind: FailureKind, notBefore: number): Partial<Failure> & { kind: FailureKind } => ({
  kind,
  notBefore,
});

test('a hint up to 5 s is waited for, never less than it says', () => {
  const run = sampleRun(['a', sampleFailed('throttled', hinted('throttled', 4_500))]);
  const decision = next(samplePlan(TWO), run);
  assert.ok(decision.do === 'wait' && decision.until >= 4_500 && decision.until <= 5_500);
  assert.equal(brief(next(samplePlan(TWO), run, decision.until)), 'start a');
});

test('a hint beyond 5 s falls back to a target that is ready, and says what was passed over', () => {
  const run = sampleRun(['a', sampleFailed('throttled', { notBefore: 6_000, message: 'slow down' })]);
  const decision = next(samplePlan(TWO), run);
  assert.ok(decision.do === 'start');
  assert.equal(decision.target.provider, 'b');
  assert.deepEqual(decision.skipped, [{ target: 'a/model', reason: 'slow down', kind: 'throttled' }]);
});

test('a hint beyond 5 s is waited for when there is nobody else', () => {
  const run = sampleRun(['a', sampleFailed('throttled', { notBefore: 60_000 })]);
  assert.equal(brief(next(samplePlan(['a']), run)), 'wait for a long');
  assert.equal(brief(next(samplePlan(TWO, { fallback: false }), run)), 'wait for a long');
});

test('when the same target’s wait would pass the deadline, a ready target is taken instead of giving up', () => {
  const run = sampleRun(['a', sampleFailed('throttled', { notBefore: 4_000 })]);
  const plan = { ...samplePlan(TWO), deadlineAt: 3_000 };
  assert.equal(brief(next(plan, run)), 'start b');
});

test('a target that is refused twice is left for the next one', () => {
  const refused = sampleFailed('network');
  const once = sampleRun(['a', refused]);
  assert.equal(brief(next(samplePlan(TWO), once, 50)), 'start a');
  assert.equal(brief(next(samplePlan(TWO), sampleRun(['a', refused], ['a', refused]))), 'start b');
});

test('alone, a target is tried five times as long as nothing may have been billed', () => {
  const refused = ['a', sampleFailed('network')] as const;
  const four = sampleRun(refused, refused, refused, refused);
  assert.equal(brief(next(samplePlan(['a']), four, 30_000)), 'start a');
  const five = sampleRun(refused, refused, refused, refused, refused);
  assert.equal(brief(next(samplePlan(['a']), five, 30_000)), 'finish network');
});

test('the last target of a route is tried five times too, and an earlier one is not gone back to', () => {
  const a = ['a', sampleFailed('network')] as const;
  const b = ['b', sampleFailed('network')] as const;
  assert.equal(brief(next(samplePlan(TWO), sampleRun(a, a, b, b, b, b), 30_000)), 'start b');
  assert.equal(brief(next(samplePlan(TWO), sampleRun(a, a, b, b, b, b, b), 30_000)), 'finish network');
});

test('alone, a failed attempt is repeated once under standard and never a third time', () => {
  const failed = ['a', sampleFailed('server')] as const;
  assert.equal(brief(next(samplePlan(['a']), sampleRun(failed), 2_000)), 'start a');
  assert.equal(brief(next(samplePlan(['a']), sampleRun(failed, failed), 30_000)), 'finish server');
});

test('of three payments under available the first target gets two', () => {
  const failed = ['a', sampleFailed('server')] as const;
  assert.equal(brief(next(samplePlan(TWO, available), sampleRun(failed), 30_000)), 'start a');
  assert.equal(brief(next(samplePlan(TWO, available), sampleRun(failed, failed), 30_000)), 'start b');
});

test('free failures after a paid one still lead on, and leave the last payment to be made', () => {
  const run = sampleRun(['a', sampleFailed('server')], ['b', sampleFailed('throttled')]);
  assert.equal(brief(next(samplePlan(TWO), run, 1_000)), 'start b');
});

test('with fallback off no other target is ever named', () => {
  const plan = samplePlan(TWO, { fallback: false });
  for (const kind of ['certificate', 'quota', 'authentication', 'not_found'] as const) {
    assert.equal(brief(next(plan, sampleRun(['a', sampleFailed(kind)]))), `finish ${kind}`);
  }
});

test('after a partial picture was sent no other target is tried', () => {
  const run = { ...sampleRun(['a', sampleFailed('quota')]), partialSent: true };
  assert.equal(brief(next(samplePlan(TWO), run)), 'finish quota');
});

test('an overload that gives up says when our own backoff would have come back', () => {
  const overloaded = ['a', sampleFailed('overloaded'), 1_000] as const;
  const run = sampleRun(overloaded, overloaded, overloaded, overloaded, overloaded);
  const decision = next(samplePlan(['a']), run, 1_000);
  assert.ok(decision.do === 'finish' && !decision.outcome.ok);
  const { notBefore = 0 } = decision.outcome.failure;
  assert.ok(notBefore >= 1_000 && notBefore <= 31_000);
});
