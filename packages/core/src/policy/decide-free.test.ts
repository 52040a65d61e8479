import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Certainty, Failure, FailureKind } from '../failure.ts';
import { EMPTY_RUN, type Event, foldRun, type Outcome, type Run } from '../journal.ts';
import type { Plan, PlannedTarget } from '../plan.ts';
import { sampleFailed, samplePlan, sampleTarget } from '../testing/samples.ts';
import { type Decision, decide } from './decide.ts';
import { unbilled } from './free.ts';

const STALL_MS = 20_000;
const HOSTS = ['free:a:1', 'free:b:1', 'free:c:1'];

/** `free` bills nothing, `pool` neither and has three hosts, `paid` does. */
function target(name: string): PlannedTarget {
  if (name === 'paid') return sampleTarget(name);
  return sampleTarget(name, { free: true, stallMs: STALL_MS, ...(name === 'pool' && { credentials: HOSTS }) });
}

function planOf(names: readonly string[], changes: Partial<Plan> = {}): Plan {
  return { ...samplePlan(names), targets: names.map(target), ...changes };
}

type Tried = readonly [name: string, kind: FailureKind, certainty: Certainty];

/** The run after these attempts, as `run` writes them down. */
function runOf(...tried: readonly Tried[]): Run {
  const events = tried.flatMap(([name, kind, certainty], index): readonly Event[] => {
    const { free, credentials } = target(name);
    const outcome: Outcome = sampleFailed(kind, { certainty });
    const host = credentials && { credential: credentials[index % credentials.length] ?? '' };
    return [
      { type: 'attempt-started', at: 0, attempt: index + 1, target: `${name}/model`, ...host, ...(free && { free }) },
      { type: 'attempt-ended', at: 0, attempt: index + 1, outcome: free ? unbilled(outcome) : outcome },
    ];
  });
  return foldRun(events);
}

const next = (plan: Plan, run: Run, now = 0) => decide('run', plan, run, {}, { unsentGraceMs: 10_000 }, now);

function brief(decision: Decision): string {
  if (decision.do === 'start') return `start ${decision.target.provider}`;
  if (decision.do === 'wait') return `wait for ${decision.target.split('/')[0]}`;
  if (decision.do !== 'finish') return decision.do;
  return decision.outcome.ok ? 'finish ok' : `finish ${decision.outcome.failure.kind}`;
}

/** After one attempt at the first of these targets. */
const afterOne: readonly (readonly [string, FailureKind, Certainty, string])[] = [
  ['free', 'network', 'ambiguous', 'wait for free'],
  ['free', 'timeout', 'ambiguous', 'wait for free'],
  ['free', 'server', 'failed', 'wait for free'],
  ['free', 'interrupted', 'ambiguous', 'wait for free'],
  ['free', 'empty', 'completed', 'wait for free'],
  ['free', 'corrupt', 'completed', 'wait for free'],
  ['free', 'out_of_memory', 'failed', 'finish out_of_memory'],
  ['free', 'storage', 'completed', 'finish storage'],
  ['free', 'policy', 'completed', 'finish policy'],
  ['free', 'invalid', 'rejected', 'finish invalid'],
  ['free', 'canceled', 'ambiguous', 'finish canceled'],
  ['pool', 'out_of_memory', 'failed', 'wait for pool'],
  ['pool', 'corrupt', 'completed', 'wait for pool'],
  ['free paid', 'empty', 'completed', 'start paid'],
  ['free paid', 'out_of_memory', 'failed', 'start paid'],
  ['free paid', 'interrupted', 'ambiguous', 'start paid'],
  ['pool paid', 'empty', 'completed', 'wait for pool'],
  ['paid free', 'timeout', 'ambiguous', 'start free'],
  ['paid free', 'interrupted', 'ambiguous', 'finish interrupted'],
  ['paid free', 'empty', 'completed', 'finish empty'],
];

for (const [names, kind, certainty, expected] of afterOne) {
  test(`a route to ${names}, after ${kind} that would be ${certainty}: ${expected}`, () => {
    const list = names.split(' ');
    const strict = { ...samplePlan().policy, payment: 'strict' as const, maxPaidAttempts: 1 };
    const [first = ''] = list;
    assert.equal(brief(next(planOf(list, { policy: strict }), runOf([first, kind, certainty]))), expected);
  });
}

test('free attempts are bounded: five alone, and of a pool before others one for each host', () => {
  const lost: Tried = ['free', 'network', 'ambiguous'];
  const lostInPool: Tried = ['pool', 'network', 'ambiguous'];
  const times = (count: number, tried: Tried) => runOf(...Array.from({ length: count }, () => tried));
  assert.equal(brief(next(planOf(['free']), times(4, lost))), 'wait for free');
  assert.equal(brief(next(planOf(['free']), times(5, lost))), 'finish network');
  assert.equal(brief(next(planOf(['free', 'paid']), times(2, lost))), 'start paid');
  assert.equal(brief(next(planOf(['pool', 'paid']), times(2, lostInPool))), 'wait for pool');
  assert.equal(brief(next(planOf(['pool', 'paid']), times(3, lostInPool))), 'start paid');
});

test('a picture that is none, and too little memory, are tried once more and no third time', () => {
  for (const kind of ['corrupt', 'empty', 'out_of_memory'] as const) {
    const tried: Tried = ['pool', kind, kind === 'out_of_memory' ? 'failed' : 'completed'];
    assert.equal(brief(next(planOf(['pool']), runOf(tried, tried))), `finish ${kind}`);
  }
});

test('a paid target after free ones has its whole allowance', () => {
  const before: readonly Tried[] = [
    ['free', 'network', 'ambiguous'],
    ['free', 'server', 'failed'],
  ];
  const plan = planOf(['free', 'paid']);
  const failed: Tried = ['paid', 'server', 'failed'];
  assert.equal(brief(next(plan, runOf(...before))), 'start paid');
  assert.equal(brief(next(plan, runOf(...before, failed))), 'wait for paid');
  assert.equal(brief(next(plan, runOf(...before, failed, failed))), 'finish server');
});

test('where no payment is left or allowed, a free target still is asked, and pays for nobody after it', () => {
  const plan = planOf(['paid', 'free', 'paid']);
  const lost: Tried = ['paid', 'timeout', 'ambiguous'];
  const two: Tried = ['free', 'network', 'ambiguous'];
  assert.equal(brief(next(plan, runOf(lost))), 'start free');
  assert.equal(brief(next(plan, runOf(lost, two, two, two, two, two))), 'finish timeout');
});

const handle: Event = { type: 'handle-received', at: 1_000, attempt: 1, handle: { job: 'j' }, pollAt: 2_000 };
const started: Event = { type: 'attempt-started', at: 0, attempt: 1, target: 'free/model', free: true };
const polled = (at: number, told: Partial<Extract<Event, { type: 'polled' }>>): Event => ({
  ...{ type: 'polled', at, attempt: 1, pollAt: at + 1_000 },
  ...told,
});

/** The decision on an open job at `now`, just after a look that brought nothing. */
function watched(events: readonly Event[], now: number, plan = planOf(['free'])): Decision {
  const run = foldRun([started, handle, ...events]);
  const attempts = run.attempts.map((one) => ({ ...one, pollAt: now + 1_000 }));
  return next(plan, { ...run, attempts }, now);
}

test('a job that told of progress and stands still for the stall time is given up with that clock', () => {
  const moved = polled(5_000, { progress: 10 });
  assert.equal(watched([moved], 24_999).do, 'wait');
  const decision = watched([moved], 25_000);
  assert.ok(decision.do === 'cancel');
  const { kind, certainty, clock } = decision.because ?? sampleFailed('server').failure;
  assert.deepEqual([kind, certainty, clock?.name, clock?.setting], ['timeout', 'rejected', 'idle', 'stall_timeout_ms']);
});

test('progress holds the watchdog off, however long the job lasts', () => {
  const moves = Array.from({ length: 29 }, (_, index) => polled(5_000 + index * 19_000, { progress: index }));
  assert.equal(watched(moves, 5_000 + 28 * 19_000 + 19_999).do, 'wait');
});

test('a job that waits for its turn there is not expected to move', () => {
  assert.equal(watched([polled(5_000, { progress: 0, stage: 'queued' })], 400_000).do, 'wait');
});

test('a job that never tells how far it is has the time of a first byte', () => {
  assert.equal(watched([], 300_999).do, 'wait');
  const decision = watched([], 301_000);
  assert.ok(decision.do === 'cancel');
  assert.equal(decision.because?.clock?.setting, 'first_byte_timeout_ms');
});

test('a job is looked at before it is given up: it may have moved while nobody looked', () => {
  const run = foldRun([started, handle, polled(5_000, { progress: 10 })]);
  assert.equal(next(planOf(['free']), run, 500_000).do, 'poll');
});

test('three failed looks in a row, or ten seconds of them, end the attempt without asking the host', () => {
  const failure: Failure = sampleFailed('network').failure;
  const missed = (since: number, looks: number, now: number) => {
    const run = foldRun([started, handle]);
    const attempts = run.attempts.map((one) => ({ ...one, pollAt: now + 5_000, missed: { since, looks, failure } }));
    return next(planOf(['free']), { ...run, attempts }, now);
  };
  assert.equal(missed(3_000, 2, 12_999).do, 'wait');
  assert.equal(missed(3_000, 2, 13_000).do, 'give-up-attempt');
  const decision = missed(3_000, 3, 5_000);
  assert.ok(decision.do === 'give-up-attempt' && !decision.outcome.ok);
  assert.deepEqual([decision.outcome.failure.kind, decision.outcome.failure.certainty], ['network', 'rejected']);
});

test('at the deadline a free job is ended instead of harvested, and the caller is told that it cost nothing', () => {
  const decision = watched([polled(599_000, { progress: 90 })], 600_000);
  assert.ok(decision.do === 'cancel');
  assert.deepEqual([decision.because?.kind, decision.because?.certainty], ['timeout', 'rejected']);
});

test('a submit that a crash cut off is made again', () => {
  const decision = next(planOf(['free']), foldRun([started]), 1_000);
  assert.ok(decision.do === 'give-up-attempt' && !decision.outcome.ok);
  const ended: Event = { type: 'attempt-ended', at: 1_000, attempt: 1, outcome: decision.outcome };
  assert.equal(brief(next(planOf(['free']), foldRun([started, ended]), 5_000)), 'start free');
  assert.equal(brief(next(planOf(['free']), EMPTY_RUN)), 'start free');
});
