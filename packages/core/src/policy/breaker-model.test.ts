import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFailure } from '../testing/samples.ts';
import { type BreakerPolicy, type BreakerState, CLOSED, closedUntil, permit, settle } from './breaker.ts';

const POLICY: BreakerPolicy = {
  consecutive: 3,
  window: 8,
  minimumOutcomes: 4,
  failureShare: 0.5,
  firstOpenMs: 100,
  maxOpenMs: 1_000,
  probeLeaseMs: 500,
};

type Result = 'success' | 'failure' | 'ignored';

interface InFlight {
  readonly permit: ReturnType<typeof permit>['permit'];
  /** The model's stretch of unchanged state in which it was given; results of another stretch are stale. */
  readonly stretch: number;
}

/** What a breaker should be, told in other words: a list of outcomes, stretches between changes, and who may pass when. */
interface Model {
  now: number;
  stretch: number;
  outcomes: readonly boolean[];
  /** Undefined while calls pass freely. */
  closed: { until: number; openings: number; probing: boolean } | undefined;
  inFlight: readonly InFlight[];
}

interface Real {
  state: BreakerState;
}

type Command = fc.Command<Model, Real>;

function fresh(): { model: Model; real: Real } {
  return { model: { now: 0, stretch: 0, outcomes: [], closed: undefined, inFlight: [] }, real: { state: CLOSED } };
}

function agree(model: Model, { state }: Real): void {
  const passes = model.closed === undefined || model.closed.until <= model.now;
  assert.equal(closedUntil(state, model.now) === undefined, passes, 'who may pass');
  assert.equal(state.phase === 'closed', model.closed === undefined, 'phase');
  assert.ok(state.recent.length <= POLICY.window);
}

function shouldTrip(outcomes: readonly boolean[]): boolean {
  const row = outcomes.slice(-POLICY.consecutive);
  if (row.length === POLICY.consecutive && row.every(Boolean)) return true;
  const window = outcomes.slice(-POLICY.window);
  const failures = window.filter(Boolean).length;
  return window.length >= POLICY.minimumOutcomes && failures >= window.length * POLICY.failureShare;
}

function open(model: Model, real: Real, openings: number, notBefore: number): void {
  const shortest = Math.min(POLICY.maxOpenMs, POLICY.firstOpenMs * 2 ** openings);
  const longest = Math.min(POLICY.maxOpenMs, shortest * 1.5);
  const until = real.state.openUntil;
  assert.ok(until >= Math.max(model.now + shortest, notBefore), 'opened for too short a time');
  assert.ok(until <= Math.max(model.now + longest, notBefore), 'opened for too long a time');
  model.closed = { until, openings: openings + 1, probing: false };
  model.outcomes = [];
  model.stretch += 1;
}

const advance = (ms: number): Command => ({
  check: () => true,
  run(model, real) {
    model.now += ms;
    agree(model, real);
  },
  toString: () => `advance ${ms}`,
});

const start = (): Command => ({
  check: (model) => model.inFlight.length < 20 && (model.closed === undefined || model.closed.until <= model.now),
  run(model, real) {
    const taken = permit(real.state, model.now, POLICY);
    real.state = taken.state;
    assert.equal(taken.permit.probe, model.closed !== undefined);
    if (model.closed) {
      model.stretch += 1;
      model.closed = { ...model.closed, until: model.now + POLICY.probeLeaseMs, probing: true };
    }
    model.inFlight = [...model.inFlight, { permit: taken.permit, stretch: model.stretch }];
    agree(model, real);
  },
  toString: () => 'start',
});

const end = (index: number, result: Result, hintMs: number): Command => ({
  check: (model) => model.inFlight.length > 0,
  run(model, real) {
    const ended = model.inFlight[index % model.inFlight.length];
    assert.ok(ended);
    model.inFlight = model.inFlight.filter((one) => one !== ended);
    const notBefore = model.now + hintMs;
    const failure = sampleFailure('overloaded', { notBefore });
    const before = real.state;
    const verdict = result === 'failure' ? { result, failure } : { result };
    real.state = settle(before, ended.permit, verdict, model.now, POLICY);
    if (ended.stretch !== model.stretch) assert.deepEqual(real.state, before, 'a stale result changed something');
    else apply(model, real, result, notBefore);
    agree(model, real);
  },
  toString: () => `end ${index} ${result} ${hintMs}`,
});

function apply(model: Model, real: Real, result: Result, notBefore: number): void {
  if (model.closed?.probing) {
    const { openings } = model.closed;
    if (result === 'ignored') model.closed = { until: model.now, openings, probing: false };
    if (result === 'failure') open(model, real, openings, notBefore);
    if (result === 'success') {
      model.closed = undefined;
      model.outcomes = [];
      model.stretch += 1;
    }
    return;
  }
  if (result === 'ignored') return;
  model.outcomes = [...model.outcomes, result === 'failure'];
  if (result === 'failure' && shouldTrip(model.outcomes)) open(model, real, 0, notBefore);
}

test('in any order of starts, ends and waits the breaker does what the model does', () => {
  const commands = [
    fc.constantFrom(1, 50, 150, 500, 2_000).map(advance),
    fc.constant(start()),
    fc.constant(start()),
    fc
      .tuple(fc.nat(19), fc.constantFrom<Result>('success', 'failure', 'failure', 'ignored'), fc.constantFrom(0, 700))
      .map(([index, result, hintMs]) => end(index, result, hintMs)),
  ];
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 150, size: 'max' }), (sequence) => {
      fc.modelRun(fresh, sequence);
    }),
    { numRuns: 300 },
  );
});
