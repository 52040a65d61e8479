import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import { createRecent } from '../now/recent.ts';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import { createFakeCells } from '../testing/fake-cells.ts';
import type { Note } from './message.ts';
import type { Reading } from './reading.ts';
import { evaluate, type Facts } from './readings.ts';
import { RULES } from './rules.ts';
import { createStreaks } from './streaks.ts';
import { MINUTE, over, samplePolicy } from './testing/policy.ts';
import { startWatch, type WatchOptions } from './watch.ts';

const START = 1_000_000;
const EVERY_MS = 15_000;

function scene(start = START) {
  const clock = createVirtualClock(start);
  const cells = createFakeCells();
  const sent: string[] = [];
  const errors: unknown[] = [];
  const node = (name: string, look: () => readonly Reading[], change: Partial<WatchOptions> = {}) =>
    startWatch({
      ...{ cells: cells.store, io: clock, node: name, everyMs: EVERY_MS, policy: samplePolicy() },
      look: async () => ({ readings: look() }),
      outlet: { tell: ({ type }: Note) => sent.push(`${name} ${type}`) },
      pageUrl: () => undefined,
      onError: (error) => errors.push(error),
      ...change,
    });
  const until = (at: number) => clock.drive(new Promise<void>((resolve) => clock.timer(at, resolve)));
  return { clock, cells, sent, errors, node, until };
}

const BAD: readonly Reading[] = [{ ...over(), isOver: true }];

suite('the watch', () => {
  test('of two nodes that see the same, one sends one message for each change', async () => {
    const { sent, errors, node, until } = scene();
    let found = BAD;
    const nodes = ['a', 'b'].map((name) => node(name, () => found));
    await until(START + 10 * MINUTE);
    assert.deepEqual(
      sent.map((one) => one.slice(2)),
      ['alert.fired'],
    );
    found = [];
    await until(START + 20 * MINUTE);
    assert.deepEqual(
      sent.map((one) => one.slice(2)),
      ['alert.fired', 'alert.recovered'],
    );
    await Promise.all(nodes.map((one) => one.stop()));
    assert.deepEqual(errors, []);
  });

  test('a restart repeats nothing, and goes on from where it was', async () => {
    const { sent, node, until } = scene();
    const first = node('only', () => BAD);
    await until(START + 2 * MINUTE);
    await first.stop();
    let found = BAD;
    const second = node('only', () => found);
    await until(START + 5 * MINUTE);
    assert.deepEqual(sent, ['only alert.fired']);
    found = [];
    await until(START + 10 * MINUTE);
    assert.deepEqual(sent, ['only alert.fired', 'only alert.recovered']);
    await second.stop();
  });

  test('a restart that has seen nothing yet is no recovery', async () => {
    const { clock, sent, node, until } = scene();
    const first = node('only', () => BAD);
    await until(START + 2 * MINUTE);
    await first.stop();
    const knownAt = START + 8 * MINUTE;
    const second = node('only', () => [], {
      look: async () => ({ readings: [], isUnknown: () => clock.now() < knownAt }),
    });
    await until(knownAt - 1);
    assert.deepEqual(sent, ['only alert.fired']);
    await until(START + 12 * MINUTE);
    assert.deepEqual(sent, ['only alert.fired', 'only alert.recovered']);
    await second.stop();
  });
});

suite('the state that is shared', () => {
  test('who loses the swap sends nothing of what it would have changed', async () => {
    const { cells, sent, node, until } = scene();
    const watch = node('a', () => BAD);
    await until(START + MINUTE - EVERY_MS + 1);
    const before = cells.valueOf('alerts/state') as { rows: object[] };
    // Another node fires it in the moment before this one would.
    const rows = before.rows.map((row) => ({
      ...row,
      isFiring: true,
      told: { severity: 'warning', at: START + MINUTE, reminders: 0 },
    }));
    cells.beforeSwap.push(() => cells.put('alerts/state', { ...before, rows }));
    await until(START + 2 * MINUTE);
    assert.deepEqual(sent, []);
    await watch.stop();
  });

  test('while nothing is wrong nothing is written', async () => {
    const { cells, node, until } = scene();
    const watch = node('a', () => [{ ...over(), isOver: false }]);
    await until(START + 10 * MINUTE);
    assert.equal(cells.swaps(), 0);
    assert.equal(watch.readings().length, 1);
    await watch.stop();
  });

  test('a look that fails is made again', async () => {
    const { sent, errors, node, until } = scene();
    let looks = 0;
    const watch = node('a', () => {
      looks += 1;
      if (looks === 2) throw new Error('the store is away');
      return BAD;
    });
    await until(START + 3 * MINUTE);
    assert.deepEqual([sent, errors.length], [['a alert.fired'], 1]);
    await watch.stop();
  });
});

test('ten thousand failing requests are one alert, and healthy ones after them one recovery', async () => {
  const { clock, sent, node, until } = scene();
  const signals = createSignals({ error: assert.fail });
  const recent = createRecent(START);
  const streaks = createStreaks();
  signals.on(recent.listen);
  signals.on(streaks.listen);
  const { failure_rate, repeated_failure } = RULES;
  const rules = { failure_rate: { ...failure_rate, forMs: 0 }, repeated_failure };
  const none = {
    unanswered: [],
    countedSince: START,
    targets: [],
    budgets: [],
    models: [],
    disk: [],
    unknownOutcomes: undefined,
    waiting: undefined,
  };
  const look = () => {
    const now = clock.now();
    const facts: Facts = {
      ...{ ...none, givenUp: undefined, now, streaks: streaks.report() },
      recent: (windowMs) => recent.window(windowMs, now),
    };
    return evaluate(facts, rules);
  };
  const watch = node('a', look, { policy: samplePolicy({ rules }) });
  // What happens in a life of the samples happens at this instant, whatever the clock says.
  for (let each = 0; each < 10_000; each += 1) {
    const { live, fail } = finishedLive();
    signals.watch(live);
    fail({ kind: 'server', certainty: 'failed', message: `the provider failed, request req_${each}a9z8y7x6` });
    if (each % 100 === 0) await until(clock.now() + 100);
  }
  await until(clock.now() + MINUTE);
  assert.deepEqual(sent, ['a alert.fired', 'a alert.fired']);
  for (let each = 0; each < 50_000; each += 1) {
    const { live, finish } = finishedLive();
    signals.watch(live);
    finish();
  }
  await until(clock.now() + 10 * MINUTE);
  assert.deepEqual(sent.slice(2), ['a alert.recovered', 'a alert.recovered']);
  await watch.stop();
});
