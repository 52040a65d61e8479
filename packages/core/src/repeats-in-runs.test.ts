import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatHttpAnswer, chatMayRepeat } from './chat/http-answer.ts';
import { createHealthBook, HEALTH_POLICY } from './health.ts';
import type { Outcome } from './journal.ts';
import { RETRY_BUDGET_POLICY, type RetryBudgetPolicy } from './policy/retry-budget.ts';
import { createRepeats } from './repeats.ts';
import { createRunRig, type RunRigOptions } from './testing/run-rig.ts';
import { SAMPLE_SUCCESS, sampleFailed } from './testing/samples.ts';

const FAILED = sampleFailed('server');
const NEVER = Number.POSITIVE_INFINITY;
const NO_REPEATS: Partial<RetryBudgetPolicy> = { capacity: 0, refillPerSecond: 0 };

function createRig(play: RunRigOptions['play'], changes: Partial<RetryBudgetPolicy> = {}) {
  // The breakers would end the trouble before the budget does.
  const health = createHealthBook({
    ...HEALTH_POLICY,
    breaker: { ...HEALTH_POLICY.breaker, consecutive: NEVER, minimumOutcomes: NEVER },
  });
  const repeats: RunRigOptions['repeats'] = (io) => createRepeats(io, { ...RETRY_BUDGET_POLICY, ...changes });
  return createRunRig({ play, repeats, health });
}

const always =
  (outcome: Outcome, afterMs = 10) =>
  () => ({ outcome, afterMs });

test('a run that may not be repeated ends with its failure, and its journal says why', async () => {
  const { clock, sent, start } = createRig(always(sampleFailed('server', { status: 500 })), NO_REPEATS);
  const { outcome, events } = await clock.drive(start('run', ['a']));
  assert.equal(sent.length, 1);
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.failure.kind, chatHttpAnswer(outcome.failure).status], ['server', 500]);
  const [skipped, finished] = events.slice(-2);
  assert.ok(skipped?.type === 'target-skipped' && finished?.type === 'finished');
  assert.equal(skipped.target, 'a/model');
  assert.match(skipped.reason, /no more repeats/);
  assert.deepEqual(finished.outcome, outcome);
});

test('a throttle or an overload that may not be repeated here says when the caller may come back', async () => {
  for (const kind of ['throttled', 'overloaded'] as const) {
    const silent = createRig(always(sampleFailed(kind)), NO_REPEATS);
    const { outcome, endedAt } = await silent.clock.drive(silent.start('run', ['a']));
    assert.ok(!outcome.ok && outcome.failure.notBefore !== undefined && outcome.failure.notBefore >= endedAt, kind);
    assert.ok(chatMayRepeat(outcome.failure), kind);

    const told = createRig(always(sampleFailed(kind, { notBefore: 4_000 })), NO_REPEATS);
    const late = await told.clock.drive(told.start('run', ['a']));
    assert.ok(!late.outcome.ok && late.outcome.failure.notBefore === 4_000, kind);
  }
});

test('a fallback is a repeat too, and draws from the target it goes to', async () => {
  const rig = createRig(({ target }) =>
    target === 'a/model'
      ? { outcome: sampleFailed('permission'), afterMs: 10 }
      : { outcome: SAMPLE_SUCCESS, afterMs: 10 },
  );
  const { outcome } = await rig.clock.drive(rig.start('run', ['a', 'b']));
  assert.ok(outcome.ok);
  assert.deepEqual(
    rig.sent.map(({ target }) => target),
    ['a/model', 'b/model'],
  );
  const denied = createRig(always(sampleFailed('permission')), NO_REPEATS);
  const ended = await denied.clock.drive(denied.start('run', ['a', 'b']));
  assert.ok(!ended.outcome.ok && ended.outcome.failure.kind === 'permission');
  assert.equal(denied.sent.length, 1);
  const skipped = ended.events.find((event) => event.type === 'target-skipped');
  assert.equal(skipped?.type === 'target-skipped' && skipped.target, 'b/model');
});

test('a target without repeats to give is passed over, and a later one that has some is asked', async () => {
  for (const spent of [['b/model'], ['a/model', 'b/model'], ['a/model', 'b/model', 'c/model']]) {
    const repeats: RunRigOptions['repeats'] = () => ({
      allow: (target) => !spent.includes(target),
      began: () => () => {},
    });
    const kind = spent.includes('a/model') ? 'server' : 'permission';
    const play: RunRigOptions['play'] = ({ target }) => ({
      ...{ outcome: target === 'c/model' ? SAMPLE_SUCCESS : sampleFailed(kind), afterMs: 10 },
    });
    const rig = createRunRig({ play, repeats });
    const { outcome, events } = await rig.clock.drive(rig.start('run', ['a', 'b', 'c']));
    const skipped = events.flatMap((one) => (one.type === 'target-skipped' ? [one.target] : []));
    assert.deepEqual([...new Set(skipped)].sort(), skipped.sort(), 'told once');
    const reaches = !spent.includes('c/model');
    assert.equal(outcome.ok, reaches);
    assert.deepEqual(
      rig.sent.map(({ target }) => target),
      reaches ? ['a/model', 'c/model'] : ['a/model'],
    );
    assert.ok(skipped.includes('b/model'));
  }
});

test('in steady trouble, 1,000 runs a second are at most 1.25 times as many calls', async () => {
  const rig = createRig(always(FAILED));
  const runs = Array.from({ length: 3_000 }, (_, index) => rig.start(`${index}`, ['a'], index));
  const ended = await rig.clock.drive(Promise.all(runs));
  assert.ok(ended.every(({ outcome }) => !outcome.ok));
  assert.ok(rig.sent.length <= 1.25 * runs.length, `${rig.sent.length} calls`);
});

test('of the calls in flight a fifth are repeats, or one', async () => {
  const calls: { readonly runId: string; readonly at: number; readonly endsAt: number }[] = [];
  const rig = createRig(
    ({ runId, at }, index) => {
      const ending = index % 3 === 0 ? { outcome: FAILED, afterMs: 100 } : { outcome: SAMPLE_SUCCESS, afterMs: 500 };
      calls.push({ runId, at, endsAt: at + ending.afterMs });
      return ending;
    },
    { minOpen: 1 },
  );
  await rig.clock.drive(
    Promise.all(Array.from({ length: 200 }, (_, index) => rig.start(`${index}`, ['a'], index * 20))),
  );
  const isRepeat = (index: number) => calls.findIndex(({ runId }) => runId === calls[index]?.runId) < index;
  assert.ok(calls.length > 210, 'there are repeats');
  calls.forEach(({ at }, sent) => {
    if (!isRepeat(sent)) return;
    const open = calls.flatMap(({ endsAt }, index) => (index <= sent && endsAt > at ? [index] : []));
    assert.ok(
      open.filter(isRepeat).length <= Math.max(1, 0.2 * open.length),
      `call ${sent} of ${open.length} in flight`,
    );
  });
});

test('one run alone has all the repeats of its policy', async () => {
  const rig = createRig((_call, index) =>
    index < 4 ? { outcome: FAILED, afterMs: 10 } : { outcome: SAMPLE_SUCCESS, afterMs: 10 },
  );
  const { outcome, events } = await rig.clock.drive(rig.start('run', ['a']));
  assert.ok(outcome.ok);
  assert.equal(events.filter(({ type }) => type === 'attempt-started').length, 5);
});
