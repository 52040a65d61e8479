import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Failure, LimitReport } from '@onetake/core';
import type { Stored } from '../now/stored.ts';
import { NOTHING_STORED } from '../now/testing/nothing-stored.ts';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import type { Looked } from './looking.ts';
import { createMetrics } from './metrics.ts';
import { type Family, parseExposition } from './testing/exposition.ts';

const NOTHING_SEEN: Looked = { targets: [], drained: [], limits: [], lives: [], stored: NOTHING_STORED };

function counting(targets: readonly string[] = []) {
  const metrics = createMetrics({ version: '1.2.3', targets });
  const signals = createSignals({ error: (fault: unknown) => assert.fail(String(fault)) });
  signals.on(metrics.listen);
  const live = () => {
    const one = finishedLive();
    signals.watch(one.live);
    return one;
  };
  const read = async (looked: Partial<Looked> = {}) => {
    metrics.lookAt(() => ({ ...NOTHING_SEEN, ...looked }));
    return parseExposition(await metrics.read());
  };
  return { metrics, live, read };
}

/** The value of the one sample that has these labels. */
function sampled(families: readonly Family[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  const samples = families.flatMap((one) => one.samples).filter((one) => one.name === `onetake_${name}`);
  const found = samples.filter((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value));
  assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}`);
  return found[0]?.value ?? Number.NaN;
}

function failure(change: Partial<Failure>): Failure {
  return { kind: 'server', certainty: 'failed', message: 'it failed', ...change };
}

test('what happened is counted, by how it ended and what it cost', async () => {
  const { live, read } = counting();
  live().finish();
  live().finish();
  live().fail(failure({ kind: 'timeout', certainty: 'ambiguous' }));
  const told = await read();
  const ended = (status: string) => sampled(told, 'requests_total', { makes: 'pictures', status });
  assert.deepEqual([ended('completed'), ended('failed')], [2, 1]);
  assert.equal(sampled(told, 'requests_total', { code: 'outcome_unknown' }), 1);
  assert.equal(sampled(told, 'images_total', { target: 'sandbox/fast' }), 2);
  assert.equal(sampled(told, 'attempts_total', { target: 'sandbox/fast', outcome: 'timeout' }), 1);
  assert.equal(sampled(told, 'failures_total', { kind: 'timeout', certainty: 'ambiguous' }), 1);
  assert.equal(sampled(told, 'attempt_duration_seconds_sum', { target: 'sandbox/fast' }).toFixed(3), '0.300');
  assert.equal(sampled(told, 'queue_wait_seconds_sum', { makes: 'pictures' }).toFixed(3), '0.030');
  assert.equal(sampled(told, 'build_info', { version: '1.2.3' }), 1);
});

test('what a provider calls an error is a label where it is a word, and no more', async () => {
  const { live, read } = counting();
  for (const code of ['rate_limit:tpm', 'no key sk-123 for “a red fox”'])
    live().fail(failure({ kind: 'permission', certainty: 'rejected', code }));
  const told = (await read()).find(({ name }) => name === 'onetake_requests_total')?.samples ?? [];
  assert.doesNotMatch(JSON.stringify(told), /sk-123|fox/);
});

test('a price that nobody knows is counted apart, and never as 0 dollars', async () => {
  const { metrics, read } = counting();
  const { live } = finishedLive();
  const line = {
    run: 0,
    attempt: 1,
    startedAt: 1,
    target: 'lab/x',
    role: 'first',
    images: 1,
    possibleImages: 0,
  } as const;
  const summary = { status: 'completed', finishedAt: 1_000_100, billed: 'yes', assets: [] } as const;
  const lines = [
    { ...line, spentMicroUsd: 40_000, possibleMicroUsd: 0, priced: 'reported' },
    { ...line, spentMicroUsd: null, possibleMicroUsd: 0, priced: 'unknown', role: 'retry' as const },
    { ...line, spentMicroUsd: 0, possibleMicroUsd: null, priced: 'unknown', role: 'fallback' as const },
    { ...line, spentMicroUsd: 0, possibleMicroUsd: 70_000, priced: 'table' },
  ];
  metrics.listen({ type: 'ended', live, summary: { ...summary, lines } });
  const told = await read();
  const of = (name: string) => sampled(told, name, { target: 'lab/x' });
  assert.deepEqual([of('spent_usd_total'), of('possible_usd_total'), of('unpriced_attempts_total')], [0.04, 0.07, 2]);
  const repeated = (role: string) => sampled(told, 'repeated_attempts_total', { role });
  assert.deepEqual([repeated('retry'), repeated('fallback')], [1, 1]);
});

test('however many targets, codes and routes there are, the series are bounded, and configured targets keep their names', async () => {
  const { metrics, read } = counting(['openai/gpt-image-2']);
  const attempt = (target: string) => {
    const { live } = finishedLive();
    const started: Event = { type: 'attempt-started', at: 1, attempt: 1, target };
    const ended: Event = { type: 'attempt-ended', at: 2, attempt: 1, outcome: { ok: false, failure: failure({}) } };
    live.record(0, [started, ended]);
    metrics.listen({ type: 'event', live, event: ended });
    const summary = { status: 'failed', finishedAt: 3, billed: 'no', assets: [], code: `code-${target}` } as const;
    metrics.listen({ type: 'ended', live, summary });
  };
  for (let index = 0; index < 1_000; index += 1) {
    attempt(`sandbox/${index}`);
    metrics.answered({ method: `M${index}`, route: `/v1/made-up/${index}`, status: 200 });
  }
  attempt('openai/gpt-image-2');
  const targets = Array.from({ length: 1_000 }, (_, index) => `sandbox/${index}`);
  const told = await read({
    targets: targets.map((target) => ({ ...CLOSED, target })),
    limits: targets.map((target, index) => limitsOf(target, 1_000 + index)),
  });
  for (const { name, samples } of told) assert.ok(samples.length <= 3_000, `${name} has ${samples.length} series`);
  const of = (target: string) => sampled(told, 'attempts_total', { target });
  assert.deepEqual([of('openai/gpt-image-2'), of('sandbox/0'), of('other')], [1, 1, 901]);
  assert.equal(sampled(told, 'breaker_state', { target: 'other', state: 'closed' }), 901);
  const codes = told.find(({ name }) => name === 'onetake_requests_total')?.samples ?? [];
  assert.ok(codes.length <= 61, `${codes.length} codes`);
});

const CLOSED = { credential: 'a', state: 'closed', credentialState: 'closed', inFlight: 0 } as const;

function limitsOf(target: string, windowMs: number): LimitReport {
  return {
    ...{ target, credential: 'a', limits: {}, source: 'headers', inFlight: 0, waiting: 0 },
    used: { requests: 0, images: 0, tokens: 0 },
    rates: [{ dimension: 'images', count: 5, windowMs, used: 2 }],
  };
}

test('a target is as open as the best of its keys, and what is drained says so', async () => {
  const { read } = counting();
  const told = await read({
    targets: [
      { ...CLOSED, target: 'lab/a', credentialState: 'open' },
      { ...CLOSED, target: 'lab/a', credential: 'b', state: 'half_open' },
      { ...CLOSED, target: 'lab/b', credentialState: 'open' },
    ],
    drained: ['lab/b'],
  });
  const states = (target: string) =>
    ['closed', 'half_open', 'open'].map((state) => sampled(told, 'breaker_state', { target, state }));
  assert.deepEqual(
    [states('lab/a'), states('lab/b')],
    [
      [0, 1, 0],
      [0, 0, 1],
    ],
  );
  assert.equal(sampled(told, 'target_drained', { target: 'lab/b' }), 1);
  const refused = ['lab/a', 'lab/b'].map((target) => sampled(told, 'keys_refused', { target }));
  assert.deepEqual(refused, [1, 1]);
});

test('what stands is looked at anew each time, and a store that is away leaves what it told, and says so', async () => {
  const { read } = counting();
  const window = { name: 'budget day', unit: 'micro_usd', since: 0, most: 10_000_000 } as const;
  const stored: Stored = {
    ...NOTHING_STORED,
    today: async () => ({ microUsd: 1_500_000, unpriced: 3 }),
    budgets: async () => [{ key: 'web', window, use: { spent: 4_000_000, held: 1_000_000 } }],
    queues: async () => [
      {
        queue: 'lab/x',
        head: { tag: 0, images: 1 },
        lanes: [{ caller: 'a', priority: 'batch', waiting: 4, lastFinish: 0 }],
      },
    ],
  };
  const { live } = finishedLive();
  const told = await read({ stored, lives: [live] });
  assert.deepEqual([sampled(told, 'spent_today_usd'), sampled(told, 'unpriced_today')], [1.5, 3]);
  assert.deepEqual([sampled(told, 'held_usd'), sampled(told, 'budget_used_ratio', { key: 'web' })], [1, 0.5]);
  assert.equal(sampled(told, 'queue_waiting', { target: 'lab/x' }), 4);
  assert.equal(sampled(told, 'queue_waiting', { target: 'sandbox/fast' }), 1);
  const away = { ...NOTHING_STORED, today: () => Promise.reject(new Error('away')), isUp: () => false };
  const later = await read({ stored: away });
  assert.deepEqual([sampled(later, 'spent_today_usd'), sampled(later, 'store_up')], [1.5, 0]);
  assert.equal(sampled(later, 'running', { makes: 'pictures' }), 0);
});
