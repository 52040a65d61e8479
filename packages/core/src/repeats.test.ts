import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fraction } from './policy/retry.ts';
import { RETRY_BUDGET_POLICY } from './policy/retry-budget.ts';
import { createRepeats } from './repeats.ts';
import { SAMPLE_SUCCESS, sampleFailed } from './testing/samples.ts';

const FAILED = sampleFailed('server');
const THROTTLED = sampleFailed('throttled');
const MAX_ATTEMPTS = 5;

/** Runs one after the other, each tried up to five times as far as the budget allows; how many calls that makes. */
function attemptsOf(runs: number, perSecond: number, isGood: (attempt: number) => boolean, failed = FAILED): number {
  let now = 0;
  let attempts = 0;
  const repeats = createRepeats({ now: () => now });
  for (let run = 0; run < runs; run += 1) {
    now += 1_000 / perSecond;
    for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
      if (tries > 0 && !repeats.allow('a', failed.failure)) break;
      const settle = repeats.began('a', tries > 0);
      attempts += 1;
      const good = isGood(attempts);
      settle(good ? SAMPLE_SUCCESS : failed);
      if (good) break;
    }
  }
  return attempts;
}

test('where every call fails, 1,000 runs a second make few more calls than runs', () => {
  for (const failed of [FAILED, THROTTLED]) {
    const runs = 120_000;
    const attempts = attemptsOf(runs, 1_000, () => false, failed);
    assert.ok(attempts <= 1.01 * runs, `${attempts} calls for ${runs} runs`);
  }
});

test('whatever share of the calls fails at random, repeats stay a part of the runs', () => {
  const runs = 30_000;
  for (const failed of [FAILED, THROTTLED]) {
    // Where a fifth fails, or a third is throttled, what successes give just pays for all repeats; beyond, for fewer.
    const most = failed === FAILED ? 1.3 : 1.5;
    for (let share = 0.05; share < 1; share += 0.05) {
      const attempts = attemptsOf(runs, 1_000, (attempt) => fraction(`${attempt}`) >= share, failed);
      assert.ok(attempts <= most * runs, `${attempts} calls for ${runs} runs, ${share} of which fail`);
    }
  }
});

test('a target called once a minute has all its repeats, however long its trouble lasts', () => {
  assert.equal(
    attemptsOf(1_000, 1 / 60, () => false),
    1_000 * MAX_ATTEMPTS,
  );
});

test('each target has its own', () => {
  const repeats = createRepeats({ now: () => 0 }, { ...RETRY_BUDGET_POLICY, capacity: 14 });
  assert.deepEqual(
    ['a', 'a', 'b'].map((target) => repeats.allow(target, FAILED.failure)),
    [true, false, true],
  );
});

test('so many repeats at a time where little is open, until one ends', () => {
  const repeats = createRepeats({ now: () => 0 }, { ...RETRY_BUDGET_POLICY, minOpen: 1 });
  assert.ok(repeats.allow('a', FAILED.failure));
  const settle = repeats.began('a', true);
  assert.equal(repeats.allow('a', FAILED.failure), false);
  settle(FAILED);
  assert.ok(repeats.allow('a', FAILED.failure));
});

test('what a repeat drew comes back with its success, 5 of a throttle and 14 of all else', () => {
  const repeats = createRepeats({ now: () => 0 }, { ...RETRY_BUDGET_POLICY, capacity: 14 });
  for (const { failure } of [FAILED, THROTTLED, FAILED]) {
    assert.ok(repeats.allow('a', failure));
    repeats.began('a', true)(SAMPLE_SUCCESS);
  }
  assert.ok(repeats.allow('a', FAILED.failure));
  repeats.began('a', true)(FAILED);
  assert.equal(repeats.allow('a', THROTTLED.failure), false);
});

test('a second picture after a doubted one, for which nothing was drawn, gives nothing back', () => {
  const repeats = createRepeats({ now: () => 0 }, { ...RETRY_BUDGET_POLICY, capacity: 14 });
  assert.ok(repeats.allow('a', FAILED.failure));
  repeats.began('a', true)(FAILED);
  for (let index = 0; index < 20; index += 1) repeats.began('a', true)(SAMPLE_SUCCESS);
  assert.equal(repeats.allow('a', THROTTLED.failure), false);
});

test('of 1,000 targets the one idle for longest is forgotten, and none with a call in flight', () => {
  const repeats = createRepeats({ now: () => 0 }, { ...RETRY_BUDGET_POLICY, capacity: 14 });
  for (const target of ['busy', 'idle']) assert.ok(repeats.allow(target, FAILED.failure));
  const settle = repeats.began('busy', true);
  repeats.began('idle', true)(FAILED);
  for (let index = 0; index < 999; index += 1) repeats.began(`other ${index}`, false)(FAILED);
  assert.equal(repeats.allow('busy', THROTTLED.failure), false);
  assert.equal(repeats.allow('idle', FAILED.failure), true);
  settle(FAILED);
});
