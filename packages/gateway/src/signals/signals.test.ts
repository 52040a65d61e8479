import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSignals, type Signal } from './signals.ts';
import { finishedLive } from './testing/lives.ts';

test('a generation is told from its start to its end, once each', () => {
  const seen: Signal[] = [];
  const signals = createSignals({ error: (fault: unknown) => assert.fail(String(fault)) });
  signals.on((signal) => seen.push(signal));
  const { live, finish } = finishedLive();
  signals.watch(live);
  finish();
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['started', 'event', 'event', 'event', 'ended'],
  );
  const last = seen.at(-1);
  assert.ok(last?.type === 'ended');
  assert.equal(last.summary.status, 'completed');
});

test('a listener that throws ends nothing, and the others are told', () => {
  const faults: unknown[] = [];
  let told = 0;
  const signals = createSignals({ error: (fault: unknown) => faults.push(fault) });
  signals.on(() => {
    throw new Error('a fault of a listener');
  });
  const off = signals.on(() => {
    told += 1;
  });
  const { live, finish } = finishedLive();
  signals.watch(live);
  finish();
  assert.equal(told, 5);
  assert.equal(faults.length, 5);
  off();
  signals.watch(live);
  assert.equal(told, 5);
});
