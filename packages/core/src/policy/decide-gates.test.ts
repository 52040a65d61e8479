import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureKind } from '../failure.ts';
import type { Gate } from '../gates.ts';
import type { Health } from '../health.ts';
import { callerMayRepeat, httpAnswer } from '../http-answer.ts';
import { EMPTY_RUN, type Run } from '../journal.ts';
import type { Plan } from '../plan.ts';
import { sampleFailed, sampleFailure, samplePlan, sampleRun } from '../testing/samples.ts';
import { type Decision, decide } from './decide.ts';

const NOW = 100_000;
const TWO = ['a', 'b'];
const HERE = { unsentGraceMs: 0 };

function next(plan: Plan, health: Health, run: Run = EMPTY_RUN): Decision {
  return decide('run', { ...plan, deadlineAt: 700_000 }, run, health, HERE, NOW);
}

const gate = (by: Gate['by'], until: number, kind: FailureKind = 'server'): Gate => ({
  by,
  until,
  failure: sampleFailure(kind, { message: `${by} says ${kind}` }),
});

function finished(decision: Decision) {
  assert.ok(decision.do === 'finish' && !decision.outcome.ok, decision.do);
  return decision.outcome.failure;
}

test('a target behind an open breaker is skipped with the reason', () => {
  const decision = next(samplePlan(TWO), { 'a/model': gate('breaker', NOW + 1) });
  assert.ok(decision.do === 'start');
  assert.equal(decision.target.id, 'b/model');
  assert.deepEqual(decision.skipped, [{ target: 'a/model', reason: 'breaker says server', kind: 'unavailable' }]);
});

test('a gate whose time has come is none', () => {
  for (const by of ['breaker', 'credential', 'hint'] as const) {
    const decision = next(samplePlan(TWO), { 'a/model': gate(by, NOW) });
    assert.ok(decision.do === 'start' && decision.target.id === 'a/model', by);
    assert.deepEqual(decision.skipped, []);
  }
});

test('another run’s hint is waited for up to 5 s, and beyond that the next target is taken', () => {
  const near = next(samplePlan(TWO), { 'a/model': gate('hint', NOW + 4_500, 'throttled') });
  assert.ok(near.do === 'wait' && near.target === 'a/model' && near.until >= NOW + 4_500);
  const far = next(samplePlan(TWO), { 'a/model': gate('hint', NOW + 5_001, 'throttled') });
  assert.ok(far.do === 'start' && far.target.id === 'b/model');
});

test('the runs that wait for one hint do not all come back at its instant', () => {
  const instants = Array.from({ length: 100 }, (_, index) => {
    const health = { 'a/model': gate('hint', NOW + 30_000, 'throttled') };
    const decision = decide(`run ${index}`, { ...samplePlan(['a']), deadlineAt: 7e5 }, EMPTY_RUN, health, HERE, NOW);
    return decision.do === 'wait' ? decision.until : 0;
  });
  assert.ok(instants.every((instant) => instant >= NOW + 30_000 && instant <= NOW + 31_000));
  assert.ok(new Set(instants).size > 50);
});

test('of two long hints the earlier is waited for', () => {
  const health = { 'a/model': gate('hint', NOW + 60_000), 'b/model': gate('hint', NOW + 20_000) };
  const decision = next(samplePlan(TWO), health);
  assert.ok(decision.do === 'wait' && decision.target === 'b/model' && decision.until >= NOW + 20_000);
});

test('with every breaker open it is unavailable now, with each reason and the time of the first to open', () => {
  const health = { 'a/model': gate('breaker', NOW + 9_000), 'b/model': gate('breaker', NOW + 4_000) };
  const failure = finished(next(samplePlan(TWO), health));
  assert.equal(failure.kind, 'unavailable');
  assert.equal(failure.certainty, 'not_sent');
  assert.equal(failure.notBefore, NOW + 4_000);
  assert.match(failure.message, /a\/model: breaker says server; b\/model: breaker says server/);
  assert.equal(httpAnswer(failure).status, 503);
  assert.equal(callerMayRepeat(failure), true);
});

test('a closed credential replays its own failure: quota stays a 429 insufficient_quota that nobody should repeat', () => {
  const failure = finished(next(samplePlan(['a']), { 'a/model': gate('credential', NOW + 60_000, 'quota') }));
  assert.deepEqual(httpAnswer(failure), { status: 429, type: 'rate_limit_error', code: 'insufficient_quota' });
  assert.equal(callerMayRepeat(failure), false);
  assert.equal(failure.notBefore, NOW + 60_000);
});

test('a closed credential replays 502 for a refused key and 402 for an empty balance', () => {
  const statusOf = (kind: FailureKind) =>
    httpAnswer(finished(next(samplePlan(['a']), { 'a/model': gate('credential', NOW + 60_000, kind) }))).status;
  assert.equal(statusOf('authentication'), 502);
  assert.equal(statusOf('billing'), 402);
});

test('a closed credential is no reason to fail while another target is open', () => {
  const decision = next(samplePlan(TWO), { 'a/model': gate('credential', NOW + 60_000, 'quota') });
  assert.ok(decision.do === 'start' && decision.target.id === 'b/model');
});

test('a breaker that our own failure opened ends the run with that failure, which says more', () => {
  const run = sampleRun(['a', sampleFailed('overloaded'), NOW]);
  const failure = finished(next(samplePlan(['a']), { 'a/model': gate('breaker', NOW + 7_000, 'overloaded') }, run));
  assert.equal(failure.kind, 'overloaded');
});

test('a failure that may be repeated is not said to be over before the breaker lets a call through', () => {
  const run = sampleRun(['a', sampleFailed('overloaded'), NOW]);
  const failure = finished(next(samplePlan(['a']), { 'a/model': gate('breaker', NOW + 200_000, 'overloaded') }, run));
  assert.ok((failure.notBefore ?? 0) >= NOW + 200_000, `${(failure.notBefore ?? 0) - NOW}`);
});

test('a blocked fallback is not waited for: the same target is tried again', () => {
  const run = sampleRun(['a', sampleFailed('network'), NOW - 1_000], ['a', sampleFailed('network'), NOW - 500]);
  const decision = next(samplePlan(TWO), { 'b/model': gate('breaker', NOW + 1_000) }, run);
  assert.ok(decision.do === 'start' && decision.target.id === 'a/model');
});

test('a hint beyond the deadline fails now and says when', () => {
  const health = { 'a/model': gate('hint', 800_000, 'throttled') };
  const failure = finished(next(samplePlan(['a']), health));
  assert.equal(failure.kind, 'throttled');
  assert.equal(failure.certainty, 'not_sent');
  assert.ok((failure.notBefore ?? 0) >= 800_000);
  assert.equal(callerMayRepeat(failure), true);
});

test('a wait that would end at the deadline itself fails now, because nothing starts then', () => {
  const health = { 'a/model': gate('hint', NOW + 30_000, 'throttled') };
  const within = (deadlineAt: number) =>
    decide('run', { ...samplePlan(['a']), deadlineAt }, EMPTY_RUN, health, HERE, NOW);
  const waiting = within(700_000);
  assert.ok(waiting.do === 'wait');
  assert.equal(finished(within(waiting.until)).kind, 'throttled');
  assert.equal(within(waiting.until + 1).do, 'wait');
});

test('a drained target is passed over; alone, a call is told so with its return time, and a task waits', () => {
  const drained: Health = { 'a/model': gate('drained', NOW + 60_000, 'unavailable') };
  const other = next(samplePlan(TWO), drained);
  assert.ok(other.do === 'start' && other.target.id === 'b/model');
  const alone = finished(next(samplePlan(['a']), drained));
  assert.deepEqual([alone.kind, alone.certainty, alone.notBefore], ['unavailable', 'not_sent', NOW + 60_000]);
  const task = next({ ...samplePlan(['a']), unattended: true }, drained);
  assert.ok(task.do === 'wait' && task.until >= NOW + 60_000);
});

test('what a budget closes is passed over, and not waited for, by a task either', () => {
  const unaffordable = gate('budget', NOW + 1, 'budget');
  const other = next(samplePlan(TWO), { 'a/model': unaffordable });
  assert.ok(other.do === 'start' && other.target.id === 'b/model');
  assert.deepEqual(other.skipped, [{ target: 'a/model', reason: 'budget says budget', kind: 'unavailable' }]);
  for (const plan of [samplePlan(['a']), { ...samplePlan(['a']), unattended: true } as const])
    assert.deepEqual(finished(next(plan, { 'a/model': unaffordable })), unaffordable.failure);
});

test('with nobody left to ask a budget speaks before a breaker or a key, and after an attempt', () => {
  const unaffordable = gate('budget', NOW + 1, 'budget');
  for (const by of ['breaker', 'credential', 'repeats'] as const) {
    const health = { 'a/model': gate(by, NOW + 1), 'b/model': unaffordable };
    assert.deepEqual(finished(next(samplePlan(TWO), health)), unaffordable.failure);
  }
  const tried = sampleRun(['a', sampleFailed('throttled'), NOW]);
  const failure = finished(next(samplePlan(['a']), { 'a/model': gate('budget', NOW + 60_000, 'budget') }, tried));
  assert.deepEqual([failure.kind, failure.notBefore], ['throttled', NOW + 60_000]);
});
