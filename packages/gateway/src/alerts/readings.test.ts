import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Failure } from '@onetake/core';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import { amountText, durationText, shareText } from './amounts.ts';
import type { Reading } from './reading.ts';
import { evaluate, type Facts, isUnknown, type TargetFacts } from './readings.ts';
import { RULES, type Rule, withSettings } from './rules.ts';
import { createStreaks } from './streaks.ts';
import { over } from './testing/policy.ts';

const NOW = 1_000_000_000;

function facts(change: Partial<Facts> = {}): Facts {
  return {
    ...{ now: NOW, targets: [], streaks: [], budgets: [], models: [], disk: [] },
    ...{ unknownOutcomes: undefined, waiting: undefined, givenUp: undefined, unanswered: [], countedSince: 0 },
    recent: () => ({ completed: 0, failed: 0, byTarget: new Map() }),
    ...change,
  };
}

/** What is over, and how grave it is. */
function found(change: Partial<Facts>) {
  return evaluate(facts(change), RULES)
    .filter(({ isOver }) => isOver)
    .map(({ rule, subject, severity }) => `${rule} ${subject} ${severity}`.replace('  ', ' '));
}

const WELL: TargetFacts = { target: 'p/m', credential: 'p', state: 'closed', credentialState: 'closed' };

suite('what the rules find', () => {
  test('nothing known is nothing wrong', () => {
    assert.deepEqual(evaluate(facts(), RULES), []);
  });

  test('a share of failures, once there were enough requests to speak of one', () => {
    const recent = (completed: number, failed: number) => ({
      recent: () => ({ completed, failed, byTarget: new Map() }),
    });
    assert.deepEqual(found(recent(0, 9)), []);
    assert.deepEqual(found(recent(8, 2)), ['failure_rate warning']);
    assert.deepEqual(found(recent(81, 19)), []);
    assert.deepEqual(found(recent(5, 5)), ['failure_rate critical']);
  });

  test('a target that is slow, once it made enough pictures to say so', () => {
    const slow = (completed: number, p95Ms: number) => ({
      recent: () => ({ completed: 0, failed: 0, byTarget: new Map([['p/m', { completed, p95Ms }]]) }),
    });
    assert.deepEqual([slow(9, 400_000), slow(10, 179_000)].map(found), [[], []]);
    assert.deepEqual(found(slow(10, 180_000)), ['p95_latency p/m warning']);
  });

  test('a breaker or a key that is not closed, while it was used lately', () => {
    const lastFailureAt = NOW - 1_000;
    const open = { ...WELL, state: 'open', lastFailureAt } as const;
    assert.deepEqual(found({ targets: [WELL, open] }), ['breaker_open p/m warning']);
    assert.deepEqual(found({ targets: [{ ...open, state: 'half_open' }] }), ['breaker_open p/m warning']);
    assert.deepEqual(found({ targets: [{ ...open, lastFailureAt: NOW - 7_200_000 }] }), []);
    const dead = { ...WELL, credentialState: 'open', lastFailureAt, reason: 'insufficient quota' } as const;
    assert.deepEqual(found({ targets: [dead, { ...WELL, target: 'p/other' }] }), ['key_dead p critical']);
  });

  test('a budget by the fullest of its windows, at three levels', () => {
    const used = (...shares: readonly number[]) => ({
      budgets: shares.map((share, index) => ({ key: 'app', window: `w${index}`, used: share * 100, most: 100 })),
    });
    assert.deepEqual(found(used(0.5, 0.74)), []);
    assert.deepEqual(found(used(0.5, 0.75)), ['budget app notice']);
    assert.deepEqual(found(used(0.95, 0.2)), ['budget app warning']);
    assert.deepEqual(found(used(1.2)), ['budget app critical']);
    assert.deepEqual(found({ budgets: [{ key: 'none', window: 'w', used: 0, most: 0 }] }), []);
  });

  test('what waits, what nobody knows, what was given up, what retires, and what fills', () => {
    assert.deepEqual(found({ waiting: { oldestAt: NOW - 3_600_000 } }), ['queue_age warning']);
    assert.deepEqual(found({ waiting: { oldestAt: undefined } }), []);
    assert.deepEqual(found({ unknownOutcomes: { count: 10, isAtLeast: false } }), ['unknown_outcomes warning']);
    assert.deepEqual(found({ givenUp: { count: 1, isAtLeast: false } }), ['webhooks_given_up warning']);
    const model = (days: number) => ({ models: [{ target: 'openai/old', on: '2026-12-01', days }] });
    assert.deepEqual(
      [31, 30, 7, 0, -9].flatMap((days) => found(model(days))),
      [
        'model_retiring openai/old notice',
        'model_retiring openai/old warning',
        'model_retiring openai/old critical',
        'model_retiring openai/old critical',
      ],
    );
    const disk = (used: number) => ({ disk: [{ subject: 'data directory', used, most: 100e9 }] });
    assert.deepEqual(
      [89e9, 90e9, 98e9].flatMap((used) => found(disk(used))),
      ['disk data directory warning', 'disk data directory critical'],
    );
  });
});

suite('what is known of a rule', () => {
  test('nothing found is nothing wrong, but for what had no time to be found', () => {
    const young = facts({ countedSince: NOW - 60_000, unanswered: ['budget'] });
    const unknown = (rule: keyof typeof RULES, readings: readonly Reading[] = [], change: Partial<Facts> = {}) =>
      isUnknown({ rule, subject: '' }, { ...young, ...change }, readings, RULES);
    assert.equal(unknown('failure_rate'), true);
    assert.equal(unknown('failure_rate', [{ ...over(), isOver: false }]), false);
    assert.equal(unknown('failure_rate', [], { countedSince: NOW - 300_000 }), false);
    assert.deepEqual([unknown('budget'), unknown('disk')], [true, false]);
  });

  test('a threshold that is set moves the first level, and the milder ones it passes go', () => {
    const levels = (rule: Rule, threshold: number) => withSettings(rule, { threshold }).levels.map(({ at }) => at);
    assert.deepEqual(levels(RULES.budget, 0.5), [0.5, 0.9, 1]);
    assert.deepEqual(levels(RULES.budget, 0.95), [0.95, 1]);
    assert.deepEqual(withSettings(RULES.budget, { threshold: 0.95 }).levels[0].severity, 'warning');
    assert.deepEqual(levels(RULES.failure_rate, 0.5), [0.5]);
    assert.deepEqual(levels(RULES.model_retiring, 5), [5, 0]);
  });
});

suite('the same failure in a row', () => {
  const BROKEN: Failure = { kind: 'permission', certainty: 'rejected', message: 'organisation 4711 is not verified' };

  function played() {
    const signals = createSignals({ error: assert.fail });
    const streaks = createStreaks();
    signals.on(streaks.listen);
    const make = () => {
      const one = finishedLive();
      signals.watch(one.live);
      return one;
    };
    const wrong = () =>
      evaluate(facts({ now: 1_000_200, streaks: streaks.report() }), RULES).filter(({ isOver }) => isOver);
    return { make, wrong, streaks };
  }

  test('three times is over, whatever numbers are in it, and one that worked ends it', () => {
    const { make, wrong } = played();
    make().fail(BROKEN);
    make().fail({ ...BROKEN, message: 'organisation 815 is not verified' });
    assert.deepEqual(wrong(), []);
    make().fail(BROKEN);
    assert.deepEqual(
      wrong().map(({ subject, value }) => [subject, value]),
      [['sandbox/fast', 3]],
    );
    assert.match(wrong()[0]?.message ?? '', /3 requests in a row in the same way: permission: organisation <n> is not/);
    make().finish();
    assert.deepEqual(wrong(), []);
  });

  test('the prompt that a provider repeats is not told, and makes it no other failure', () => {
    const { make, wrong } = played();
    for (const text of ['no a red fox', 'no a red fox', 'no a red fox']) make().fail({ ...BROKEN, message: text });
    assert.match(wrong()[0]?.message ?? '', /same way: permission: no …$/);
  });

  test('another failure in between begins anew', () => {
    const { make, wrong } = played();
    for (const message of ['one', 'two', 'one', 'one']) make().fail({ ...BROKEN, message });
    assert.deepEqual(wrong(), []);
  });

  test('what its caller has to mend, or what passes, does not count', () => {
    const { make, wrong, streaks } = played();
    for (const kind of ['policy', 'throttled', 'canceled'] as const)
      for (let each = 0; each < 4; each += 1) make().fail({ ...BROKEN, kind });
    assert.deepEqual([wrong(), streaks.report()], [[], []]);
    make().finish();
    assert.deepEqual(
      streaks.report().map(({ count }) => count),
      [0],
    );
  });
});

test('amounts are written as people say them', () => {
  assert.deepEqual([0, 0.005, 0.2, 0.666, 1].map(shareText), ['0 %', '0.5 %', '20 %', '67 %', '100 %']);
  const times = [0, 850, 1_000, 90_000, 60_000, 300_000, 3_600_000, 86_400_000, 7 * 86_400_000];
  assert.deepEqual(times.map(durationText), [
    '0 ms',
    '850 ms',
    '1 s',
    '90 s',
    '1 min',
    '5 min',
    '1 h',
    '1 day',
    '7 days',
  ]);
  assert.deepEqual([amountText(1, 'days'), amountText(3, 'count')], ['1 day', '3']);
});
