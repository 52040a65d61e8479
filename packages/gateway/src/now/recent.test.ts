import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '@onetake/core';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import { createRecent, KEPT_MINUTES, MINUTE_MS } from './recent.ts';

/** Everything of `signals/testing/lives.ts` ends at this instant. */
const ENDED_AT = 1_000_110;

function listening() {
  const signals = createSignals({ error: (fault: unknown) => assert.fail(String(fault)) });
  const recent = createRecent(0);
  signals.on(recent.listen);
  const live = () => {
    const one = finishedLive();
    signals.watch(one.live);
    return one;
  };
  return { recent, live };
}

function failure(change: Partial<Failure>): Failure {
  return { kind: 'server', certainty: 'failed', message: 'it failed', ...change };
}

test('how requests and attempts ended, what was made and what it cost', () => {
  const { recent, live } = listening();
  live().finish();
  live().fail(failure({}));
  live().fail(failure({ certainty: 'ambiguous', kind: 'timeout' }));
  live().fail(failure({ kind: 'policy', certainty: 'rejected' }));
  live().fail(failure({ kind: 'canceled', certainty: 'not_sent' }));
  const { byTarget, p50Ms, p95Ms, ...seen } = recent.window(5 * MINUTE_MS, ENDED_AT);
  const tally = { ended: 5, completed: 1, failed: 2, refused: 1, canceled: 1, unknown: 2 };
  assert.deepEqual(
    { ...seen, usd: undefined, unpriced: undefined },
    { ...tally, images: 1, usd: undefined, unpriced: undefined },
  );
  for (const told of [p50Ms, p95Ms]) assert.ok(told !== undefined && Math.abs(told - 110) <= 6, String(told));
  const { p50Ms: attemptMs, p95Ms: _p95Ms, ...ofTarget } = byTarget.get('sandbox/fast') ?? {};
  assert.deepEqual(ofTarget, tally);
  assert.ok(attemptMs !== undefined && Math.abs(attemptMs - 100) <= 5);
});

test('a window is whole minutes that end with the one that goes on, a series the last hour', () => {
  const { recent, live } = listening();
  live().finish();
  const minute = Math.floor(ENDED_AT / MINUTE_MS) * MINUTE_MS;
  assert.equal(recent.window(MINUTE_MS, ENDED_AT).ended, 1);
  assert.equal(recent.window(MINUTE_MS, minute + MINUTE_MS).ended, 0);
  assert.equal(recent.window(2 * MINUTE_MS, minute + MINUTE_MS).ended, 1);
  const series = recent.series(minute + 2 * MINUTE_MS);
  assert.equal(series.length, KEPT_MINUTES);
  assert.deepEqual(
    series.flatMap(({ at, ended, images }) => (ended > 0 ? [[at, ended, images]] : [])),
    [[minute, 1, 1]],
  );
  assert.equal(series.at(-1)?.at, minute + 2 * MINUTE_MS);
});

test('nothing is kept for longer than an hour, nor more than 200 targets a minute', () => {
  const recent = createRecent(0);
  const end = (at: number, target: string) => {
    const { live } = finishedLive();
    const started = { type: 'attempt-started', at, attempt: 1, target } as const;
    const ended = {
      type: 'attempt-ended',
      at: at + 1,
      attempt: 1,
      outcome: { ok: false, failure: failure({}) },
    } as const;
    live.record(0, [started, ended]);
    recent.listen({ type: 'event', live, event: ended });
  };
  for (let index = 0; index < 1_000; index += 1) end(0, `sandbox/${index}`);
  assert.equal(recent.window(MINUTE_MS, 0).byTarget.size, 200);
  end(KEPT_MINUTES * MINUTE_MS, 'sandbox/late');
  assert.equal(recent.window(MINUTE_MS, 0).byTarget.size, 0, 'the minute of an hour ago is gone');
  assert.equal(recent.window(KEPT_MINUTES * 2 * MINUTE_MS, KEPT_MINUTES * MINUTE_MS).byTarget.size, 1);
});

test('a clock that was far ahead for a moment does not stop the counting', () => {
  const recent = createRecent(0);
  const endAt = (finishedAt: number) => {
    const { live, finish } = finishedLive();
    finish();
    recent.listen({ type: 'ended', live, summary: { status: 'completed', finishedAt, billed: 'no', assets: [] } });
  };
  endAt(30 * KEPT_MINUTES * MINUTE_MS);
  endAt(ENDED_AT);
  endAt(ENDED_AT);
  assert.equal(recent.window(MINUTE_MS, ENDED_AT).ended, 2);
});
