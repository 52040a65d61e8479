import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpAnswer } from '../http-answer.ts';
import { EMPTY_RUN, type Event, foldRun, type Run } from '../journal.ts';
import type { Plan } from '../plan.ts';
import {
  SAMPLE_SUCCESS,
  sampleEvents,
  sampleFailed,
  sampleFailure,
  samplePlan,
  sampleRun,
} from '../testing/samples.ts';
import { type Decision, decide } from './decide.ts';
import type { Presence } from './presence.ts';

const HERE: Presence = { unsentGraceMs: 10_000 };
const GONE_AT_1000: Presence = { absentSince: 1_000, unsentGraceMs: 10_000 };
const PLAN = samplePlan(['a', 'b'], { payment: 'available', maxPaidAttempts: 5 });

function next(run: Run, now: number, presence = HERE, plan: Plan = PLAN): Decision {
  return decide('run', plan, run, {}, presence, now);
}

function finished(decision: Decision) {
  assert.ok(decision.do === 'finish' && !decision.outcome.ok, decision.do);
  return decision.outcome.failure;
}

const STARTED: Event = { type: 'attempt-started', at: 0, attempt: 1, target: 'a/model' };
const accepted = (pollAt: number): Event => ({
  type: 'handle-received',
  at: 0,
  attempt: 1,
  handle: { id: 'job' },
  pollAt,
});
const OVERDUE: Event = {
  type: 'clock-fired',
  at: 600_000,
  attempt: 1,
  clock: 'total',
  failure: sampleFailure('timeout'),
};

test('a started attempt without an answer is given up as outcome_unknown, never repeated, even under available', () => {
  const decision = next(foldRun([STARTED]), 5);
  assert.ok(decision.do === 'give-up-attempt' && !decision.outcome.ok);
  assert.equal(decision.outcome.failure.certainty, 'ambiguous');
  assert.equal(httpAnswer(decision.outcome.failure).code, 'outcome_unknown');
  const ended: Event = { type: 'attempt-ended', at: 5, attempt: 1, outcome: decision.outcome };
  assert.equal(finished(next(foldRun([STARTED, ended]), 5)).kind, 'interrupted');
});

test('a job with a handle is polled on when its time has come, and waited for until then', () => {
  const run = foldRun([STARTED, accepted(2_000)]);
  const waiting = next(run, 1_999);
  assert.ok(waiting.do === 'wait' && waiting.until === 2_000);
  const polling = next(run, 2_000);
  assert.ok(polling.do === 'poll');
  assert.deepEqual(polling.attempt.handle, { id: 'job' });
});

test('a job whose target is gone from the plan cannot be polled and is given up', () => {
  const events: readonly Event[] = [{ ...STARTED, target: 'gone/model' }, accepted(0)];
  assert.equal(next(foldRun(events), 0).do, 'give-up-attempt');
});

test('at the deadline the caller of a running job is released, once, and the job is polled on', () => {
  const run = foldRun([STARTED, accepted(900_000)]);
  const before = next(run, 599_999);
  assert.ok(before.do === 'wait' && before.until === 600_000);
  const at = next(run, 600_000);
  assert.ok(at.do === 'release-caller');
  assert.equal(at.failure.certainty, 'ambiguous');
  assert.equal(at.failure.clock?.afterMs, 600_000);
  const after = next(foldRun([STARTED, accepted(900_000), OVERDUE]), 600_001);
  assert.ok(after.do === 'wait' && after.until === 900_000);
  assert.equal(next(foldRun([STARTED, accepted(900_000), OVERDUE]), 900_000).do, 'poll');
});

test('a job that outlasts its harvest is given up with its possible charge', () => {
  const decision = next(foldRun([STARTED, accepted(0), OVERDUE]), 1_200_000);
  assert.ok(decision.do === 'give-up-attempt' && !decision.outcome.ok);
  assert.equal(decision.outcome.failure.certainty, 'ambiguous');
});

test('an absent caller’s running job is polled on: it is paid for', () => {
  assert.equal(next(foldRun([STARTED, accepted(0)]), 50_000, GONE_AT_1000).do, 'poll');
});

test('an absent caller’s success is finished like any other', () => {
  const decision = next(sampleRun(['a', SAMPLE_SUCCESS]), 50_000, GONE_AT_1000);
  assert.ok(decision.do === 'finish' && decision.outcome.ok);
});

test('an unsent run waits the grace out for somebody to attach, then is canceled without a charge', () => {
  const waiting = next(EMPTY_RUN, 10_999, GONE_AT_1000);
  assert.ok(waiting.do === 'wait' && waiting.until === 11_000);
  const failure = finished(next(EMPTY_RUN, 11_000, GONE_AT_1000));
  assert.equal(failure.kind, 'canceled');
  assert.equal(failure.certainty, 'not_sent');
});

test('an unsent run goes on when somebody attaches within the grace', () => {
  assert.equal(next(EMPTY_RUN, 10_999, HERE).do, 'start');
});

test('after a failed attempt nothing new is paid for while nobody waits', () => {
  const run = sampleRun(['a', sampleFailed('throttled'), 2_000]);
  assert.equal(next(run, 10_000, GONE_AT_1000).do, 'wait');
  assert.equal(finished(next(run, 11_000, GONE_AT_1000)).kind, 'throttled');
});

test('an overdue run never starts another attempt, whatever its late answer was', () => {
  for (const kind of ['network', 'throttled', 'overloaded', 'server'] as const) {
    const ended: Event = { type: 'attempt-ended', at: 700_000, attempt: 1, outcome: sampleFailed(kind) };
    const early: Event = { ...OVERDUE, at: 300_000 };
    const run = foldRun([STARTED, early, { ...ended, at: 301_000 }]);
    assert.equal(finished(next(run, 302_000)).kind, kind);
  }
});

test('a run that waited past its deadline before it was sent says which clock and how long', () => {
  const failure = finished(next(EMPTY_RUN, 600_000));
  assert.equal(failure.kind, 'timeout');
  assert.equal(failure.clock?.name, 'queue');
  assert.deepEqual(httpAnswer(failure), { status: 504, type: 'server_error', code: 'timeout' });
});

test('past the deadline the last failure is the answer and nothing starts', () => {
  const failure = finished(next(sampleRun(['a', sampleFailed('throttled'), 599_000]), 600_000));
  assert.equal(failure.kind, 'throttled');
});

test('a retry that would come after the deadline fails now and says when', () => {
  const run = sampleRun(['b', sampleFailed('throttled', { notBefore: 650_000 }), 100_000]);
  const failure = finished(next(run, 100_000));
  assert.equal(failure.kind, 'throttled');
  assert.ok((failure.notBefore ?? 0) >= 650_000);
});

test('the same arguments give the same decision', () => {
  const events = sampleEvents(['a', sampleFailed('throttled'), 10], ['a', sampleFailed('network'), 20]);
  assert.deepEqual(next(foldRun(events), 21), next(foldRun(structuredClone(events)), 21));
});
