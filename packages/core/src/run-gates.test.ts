import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from './failure.ts';
import { callerMayRepeat, httpAnswer } from './http-answer.ts';
import type { Event } from './journal.ts';
import type { Spend } from './ledger.ts';
import type { PlannedTarget } from './plan.ts';
import { createRunRig, type RunRigOptions } from './testing/run-rig.ts';
import { SAMPLE_SUCCESS, sampleFailed } from './testing/samples.ts';
import { FREE_TURNS } from './turns.ts';

const RESET_AT = 3_600_000;
const REFUSED: Failure = {
  kind: 'budget',
  certainty: 'not_sent',
  message: 'budget day 2026-11-21: $0.04 is left of $5.00',
  notBefore: RESET_AT,
};
/** 100 tokens in at 1, 4,096 out at 2 dollars per million. */
const PRICE: Partial<PlannedTarget> = { price: { perMillionTokensUsd: { textInput: 1, imageInput: 1, output: 2 } } };
const ATTEMPT_MICRO_USD = 100 + 2 * 4_096;

type Afford = NonNullable<RunRigOptions['afford']>;

/** Targets that are refused, and what was asked. */
function createRig(refused: readonly string[], options: Partial<RunRigOptions> = {}) {
  const asked: Spend[] = [];
  const afford: Afford = async (spend) => {
    asked.push(spend);
    return refused.includes(spend.target) ? REFUSED : undefined;
  };
  const play: RunRigOptions['play'] = () => ({ outcome: SAMPLE_SUCCESS, afterMs: 10 });
  return { ...createRunRig({ play, afford, targets: { a: PRICE, b: PRICE }, ...options }), asked };
}

test('money is held before anything is sent: what the attempt may cost, for the target it goes to', async () => {
  const { clock, sent, start, asked } = createRig([]);
  const { outcome } = await clock.drive(start('run', ['a', 'b']));
  assert.ok(outcome.ok);
  assert.deepEqual(asked, [{ runId: 'run', target: 'a/model', microUsd: ATTEMPT_MICRO_USD, images: 0 }]);
  assert.equal(sent.length, 1);
});

test('what the caller may not spend is not sent: 402 with the reset, which no client should repeat', async () => {
  const { clock, sent, start } = createRig(['a/model']);
  const { outcome, events, endedAt } = await clock.drive(start('run', ['a']));
  assert.ok(!outcome.ok);
  assert.deepEqual(outcome.failure, REFUSED);
  assert.deepEqual(httpAnswer(outcome.failure), { status: 402, type: 'permission_error', code: 'budget_exceeded' });
  assert.equal(callerMayRepeat(outcome.failure), false);
  assert.deepEqual([sent.length, endedAt], [0, 0], 'its reset is not waited for');
  const [skipped] = events;
  assert.ok(skipped?.type === 'target-skipped');
  assert.deepEqual([skipped.target, skipped.reason, skipped.kind], ['a/model', REFUSED.message, 'budget']);
});

test('a cheaper target may still be asked, and the dearer one is told of once', async () => {
  const { clock, sent, start, asked } = createRig(['a/model']);
  const { outcome, events } = await clock.drive(start('run', ['a', 'b']));
  assert.ok(outcome.ok);
  assert.deepEqual(
    sent.map(({ target }) => target),
    ['b/model'],
  );
  assert.deepEqual(
    asked.map(({ target }) => target),
    ['a/model', 'b/model'],
  );
  assert.equal(events.filter(({ type }) => type === 'target-skipped').length, 1);
});

test('after an attempt the last failure speaks, and the held sum has what that attempt may have cost', async () => {
  const outcomes = [sampleFailed('server', { status: 500 })];
  let tries = 0;
  const asked: Spend[] = [];
  const afford: Afford = async (spend) => {
    asked.push(spend);
    return asked.length > 1 ? REFUSED : undefined;
  };
  const { clock, sent, start } = createRig([], {
    afford,
    play: () => ({ outcome: outcomes[tries++] ?? SAMPLE_SUCCESS, afterMs: 10 }),
  });
  const { outcome } = await clock.drive(start('run', ['a']));
  assert.ok(!outcome.ok && outcome.failure.kind === 'server');
  assert.equal(sent.length, 1);
  assert.deepEqual(
    asked.map(({ microUsd }) => microUsd),
    [ATTEMPT_MICRO_USD, 2 * ATTEMPT_MICRO_USD],
  );
});

test('what was rejected is not counted again: it did no work', async () => {
  let tries = 0;
  const { clock, start, asked } = createRig([], {
    play: () => ({ outcome: tries++ === 0 ? sampleFailed('throttled') : SAMPLE_SUCCESS, afterMs: 10 }),
  });
  const { outcome } = await clock.drive(start('run', ['a']));
  assert.ok(outcome.ok);
  assert.deepEqual(
    asked.map(({ microUsd }) => microUsd),
    [ATTEMPT_MICRO_USD, ATTEMPT_MICRO_USD],
  );
});

test('a free target never asks, and one without a price asks for what nobody knows', async () => {
  const free = createRig(['a/model'], { targets: { a: { free: true } } });
  const { outcome } = await free.clock.drive(free.start('run', ['a']));
  assert.ok(outcome.ok);
  assert.deepEqual(free.asked, []);
  const unknown = createRig([], { targets: {} });
  await unknown.clock.drive(unknown.start('run', ['a']));
  assert.deepEqual(
    unknown.asked.map(({ microUsd }) => microUsd),
    [undefined],
  );
});

test('a run that is taken up after a crash asks again', async () => {
  const failed = sampleFailed('server', { status: 500 });
  const past: readonly Event[] = [
    { type: 'attempt-started', at: 0, attempt: 1, target: 'a/model' },
    { type: 'attempt-ended', at: 0, attempt: 1, outcome: failed },
  ];
  const { clock, sent, start, asked } = createRig([]);
  await clock.drive(start('run', ['a'], 0, past));
  assert.deepEqual(
    asked.map(({ microUsd }) => microUsd),
    [2 * ATTEMPT_MICRO_USD],
  );
  assert.equal(sent.length, 1);
});

test('who waits long for a turn is asked for money once', async () => {
  let given = 0;
  const turns: RunRigOptions['turns'] = {
    ...FREE_TURNS,
    take: async (target, claim, signal) => {
      given += 1;
      return given < 5 ? undefined : FREE_TURNS.take(target, claim, signal);
    },
  };
  const { clock, sent, start, asked } = createRig([], { turns });
  const { outcome } = await clock.drive(start('run', ['a']));
  assert.ok(outcome.ok);
  assert.deepEqual([given, asked.length, sent.length], [5, 1, 1]);
});

test('200 runs at 5 cents on a budget of 5 dollars make exactly 100 calls', async () => {
  const held = new Map<string, number>();
  const afford: Afford = async ({ runId, microUsd = Number.POSITIVE_INFINITY }) => {
    const others = [...held].reduce((sum, [id, one]) => (id === runId ? sum : sum + one), 0);
    if (others + microUsd > 5_000_000) return REFUSED;
    held.set(runId, microUsd);
    return undefined;
  };
  const price = { perMillionTokensUsd: { textInput: 500, imageInput: 500, output: 0 } };
  const { clock, sent, start } = createRig([], { afford, targets: { a: { price } } });
  const runs = Array.from({ length: 200 }, (_, index) => start(`run ${index}`, ['a']));
  const ended = await clock.drive(Promise.all(runs));
  assert.equal(sent.length, 100);
  const refused = ended.filter(({ outcome }) => !outcome.ok && outcome.failure.kind === 'budget');
  assert.equal(refused.length, 100);
});
