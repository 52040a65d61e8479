import assert from 'node:assert/strict';
import { test } from 'node:test';
import { billed, httpAnswer } from '../http-answer.ts';
import { type Attempt, type GeneratedImage, type Outcome, openAttempt, type Run } from '../journal.ts';
import type { Plan, Policy } from '../plan.ts';
import type { SuspicionCode } from '../suspects.ts';
import {
  SAMPLE_ASSET,
  SAMPLE_DOUBTED,
  SAMPLE_SUCCESS,
  sampleFailed,
  sampleFailure,
  samplePlan,
  sampleRequest,
  sampleRun,
  sampleTarget,
} from '../testing/samples.ts';
import { type Decision, decide } from './decide.ts';
import type { Presence } from './presence.ts';
import { targetInForce } from './refusal-steps.ts';

const HERE: Presence = { unsentGraceMs: 10_000 };
const AGAIN = { suspect: 'retry_new_seed' } as const;

function next(run: Run, policy: Partial<Policy> = AGAIN, now = 10, presence = HERE): Decision {
  return decide('run', samplePlan(['a', 'b'], policy), run, {}, presence, now);
}

function told(decision: Decision): Outcome {
  assert.ok(decision.do === 'finish', decision.do);
  return decision.outcome;
}

function doubted(...codes: readonly SuspicionCode[]): GeneratedImage {
  return { asset: SAMPLE_ASSET, suspect: codes.map((code) => ({ code, detail: `it is ${code}` })) };
}

test('a doubted picture is the answer, unless its policy says otherwise', () => {
  const run = sampleRun(['a', SAMPLE_DOUBTED]);
  assert.equal(told(next(run, {})), SAMPLE_DOUBTED);
  assert.equal(told(next(run, { suspect: 'accept' })), SAMPLE_DOUBTED);
  const again = next(run);
  assert.ok(again.do === 'start');
  assert.deepEqual([again.target.id, again.attempt], ['a/model', 2]);
});

test('another is paid for only as far as the allowance goes, and only for somebody who waits in time', () => {
  const once = sampleRun(['a', SAMPLE_DOUBTED]);
  const twice = sampleRun(['a', SAMPLE_DOUBTED], ['a', SAMPLE_DOUBTED]);
  assert.equal(told(next(once, { ...AGAIN, payment: 'strict', maxPaidAttempts: 1 })), SAMPLE_DOUBTED);
  assert.equal(told(next(twice)), SAMPLE_DOUBTED);
  assert.equal(next(twice, { ...AGAIN, maxPaidAttempts: 3 }).do, 'start');
  assert.equal(told(next(once, AGAIN, 600_000)), SAMPLE_DOUBTED);
  assert.equal(told(next(once, AGAIN, 10, { ...HERE, absentSince: 5 })), SAMPLE_DOUBTED);
  assert.equal(told(next({ ...once, partialSent: true })), SAMPLE_DOUBTED);
  assert.equal(next(sampleRun(['a', SAMPLE_SUCCESS])).do, 'finish');
});

test('what failed before counts: it may have been paid for', () => {
  const run = sampleRun(['a', sampleFailed('server')], ['b', SAMPLE_DOUBTED]);
  assert.equal(told(next(run)), SAMPLE_DOUBTED);
  const free = sampleRun(['a', sampleFailed('overloaded')], ['b', SAMPLE_DOUBTED]);
  const decision = next(free);
  assert.equal(decision.do === 'start' && decision.target.id, 'b/model');
});

test('no other seed cures a size, a shape or a type, nor is one good picture of several thrown away', () => {
  for (const code of ['wrong_size', 'wrong_aspect', 'wrong_type'] as const) {
    assert.equal(next(sampleRun(['a', { ok: true, images: [doubted(code)] }])).do, 'finish', code);
  }
  for (const code of ['black', 'uniform', 'transparent', 'placeholder', 'flagged', 'undecodable'] as const) {
    assert.equal(next(sampleRun(['a', { ok: true, images: [doubted('wrong_size', code)] }])).do, 'start', code);
  }
  const mixed: Outcome = { ok: true, images: [doubted('black'), { asset: SAMPLE_ASSET }] };
  assert.equal(told(next(sampleRun(['a', mixed]))), mixed);
  const partly: Outcome = { ok: true, images: [doubted('black')], missing: [sampleFailure('empty')] };
  assert.equal(told(next(sampleRun(['a', partly]))), partly);
});

test('whatever becomes of the second try, the first picture is the answer where it brings none', () => {
  const policy = { ...AGAIN, payment: 'available', maxPaidAttempts: 5 } as const;
  for (const failure of [sampleFailed('throttled'), sampleFailed('timeout'), sampleFailed('policy')]) {
    assert.equal(told(next(sampleRun(['a', SAMPLE_DOUBTED], ['a', failure]), policy)), SAMPLE_DOUBTED);
  }
  assert.equal(told(next(sampleRun(['a', SAMPLE_DOUBTED], ['a', SAMPLE_SUCCESS]), policy)), SAMPLE_SUCCESS);
});

test('a target whose breaker is open is not waited for', () => {
  const gate = { by: 'breaker', until: 60_000, failure: sampleFailure('unavailable') } as const;
  const plan = samplePlan(['a'], AGAIN);
  const run = sampleRun(['a', SAMPLE_DOUBTED]);
  assert.equal(told(decide('run', plan, run, { 'a/model': gate }, HERE, 10)), SAMPLE_DOUBTED);
  const queue = { ...gate, by: 'limit', until: 2_000 } as const;
  assert.equal(decide('run', plan, run, { 'a/model': queue }, HERE, 10).do, 'start');
  assert.equal(told(decide('run', plan, run, { 'a/model': { ...queue, until: 60_000 } }, HERE, 10)), SAMPLE_DOUBTED);
});

test('at the deadline a job for a better picture is given up', () => {
  const run = sampleRun(['a', SAMPLE_DOUBTED]);
  const job: Attempt = { attempt: 2, target: 'a/model', startedAt: 1, handle: { id: 'job' }, pollAt: 700_000 };
  const working = { ...run, attempts: [...run.attempts, job] };
  assert.ok(openAttempt(working));
  assert.equal(next(working, AGAIN, 600_000).do, 'cancel');
});

test('each try has a seed of its own, within what the model takes', () => {
  const seedAfter = (seed: number | undefined, tries: number, maxSeed?: number) => {
    const request = sampleRequest(seed === undefined ? {} : { seed });
    const target = sampleTarget('a', { request, ...(maxSeed !== undefined && { maxSeed }) });
    const plan: Plan = { ...samplePlan(['a'], AGAIN), targets: [target] };
    const ended = sampleRun(...Array.from({ length: tries }, () => ['a', SAMPLE_DOUBTED] as const));
    const open: Attempt = { attempt: tries + 1, target: 'a/model', startedAt: 0 };
    return targetInForce(plan, { ...ended, attempts: [...ended.attempts, open] }, target).request?.seed;
  };
  assert.deepEqual([seedAfter(7, 0), seedAfter(7, 1), seedAfter(7, 2)], [7, 1_004, 2_001]);
  assert.equal(seedAfter(4_294_967_295, 1, 4_294_967_295), 996);
  assert.ok((seedAfter(50, 1, 99) ?? 100) <= 99);
  assert.equal(seedAfter(undefined, 1), undefined);
});

test('fail: a doubted picture counts as missing, billed as it is', () => {
  const fail = { suspect: 'fail' } as const;
  const outcome = told(next(sampleRun(['a', SAMPLE_DOUBTED]), fail));
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.failure.kind, outcome.failure.certainty], ['suspect', 'completed']);
  assert.deepEqual([httpAnswer(outcome.failure).status, billed(outcome.failure)], [424, 'yes']);
  assert.match(outcome.failure.message, /black: the picture is black/);
  const mixed: Outcome = { ok: true, images: [doubted('wrong_size'), { asset: SAMPLE_ASSET }] };
  const left = told(next(sampleRun(['a', mixed]), fail));
  assert.ok(left.ok);
  assert.deepEqual([left.images.length, left.missing?.map(({ kind }) => kind)], [1, ['suspect']]);
});

test('what is said of the format holds for it, instead of what is said of suspects', () => {
  const kindOf = (policy: Partial<Policy>, ...codes: SuspicionCode[]) => {
    const outcome = told(next(sampleRun(['a', { ok: true, images: [doubted(...codes)] }]), policy));
    return outcome.ok ? 'ok' : outcome.failure.kind;
  };
  assert.equal(kindOf({ outputMismatch: 'fail' }, 'wrong_type'), 'suspect');
  assert.equal(kindOf({ outputMismatch: 'fail' }, 'wrong_size'), 'ok');
  assert.equal(kindOf({ outputMismatch: 'rename', suspect: 'fail' }, 'wrong_type'), 'ok');
  assert.equal(kindOf({ outputMismatch: 'convert', suspect: 'fail' }, 'wrong_type'), 'ok');
  assert.equal(kindOf({ outputMismatch: 'rename', suspect: 'fail' }, 'wrong_type', 'wrong_size'), 'suspect');
  assert.equal(kindOf({ suspect: 'fail' }, 'wrong_type'), 'suspect');
});

test('fail where nothing is billed says so, unless something else may have been', () => {
  const plan: Plan = {
    ...samplePlan(['a', 'b'], { suspect: 'fail' }),
    targets: [sampleTarget('a'), sampleTarget('b', { free: true })],
  };
  const free = (run: Run): Run => ({
    ...run,
    attempts: run.attempts.map((one) => (one.target === 'b/model' ? { ...one, free: true } : one)),
  });
  const only = told(decide('run', plan, free(sampleRun(['b', SAMPLE_DOUBTED])), {}, HERE, 10));
  assert.ok(!only.ok && billed(only.failure) === 'no');
  const paid = sampleRun(['a', sampleFailed('timeout')], ['b', SAMPLE_DOUBTED]);
  const after = told(decide('run', plan, free(paid), {}, HERE, 10));
  assert.ok(!after.ok && billed(after.failure) === 'maybe');
});
