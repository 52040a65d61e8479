import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import { progressEvent, startedEvent } from '../testing/task-samples.ts';
import { createRecent, MINUTE_MS } from './recent.ts';
import { createSnapshot, type SnapshotParts } from './snapshot.ts';
import { NOTHING_STORED } from './testing/nothing-stored.ts';

const NOW = 1_020_000;

function snapshotOf(change: Partial<SnapshotParts> = {}) {
  return createSnapshot({
    ...{ recent: createRecent(NOW), stored: NOTHING_STORED, lives: () => [], limits: () => [], etaMs: () => undefined },
    ...{ targets: () => [], failureView: () => ({}), alerts: async () => [], io: { now: () => NOW } },
    ...change,
  })();
}

test('with nothing done it says so, with null where nothing is known', async () => {
  const { series, ...rest } = await snapshotOf();
  assert.ok(Array.isArray(series) && series.length === 60);
  assert.deepEqual(series.at(-1), { at: NOW, ended: 0, failed: 0, images: 0, p50_ms: null, p95_ms: null, usd: 0 });
  assert.deepEqual(rest, {
    ...{ object: 'now', at: NOW, since: NOW, window_ms: 900_000 },
    ...{ running: [], running_count: 0, waiting: [], waiting_count: 0 },
    requests: { ended: 0, completed: 0, failed: 0, refused: 0, canceled: 0, success_rate: null },
    ...{ latency_ms: null, images_per_minute: 0, limits: [], spend_today_usd: 0, unpriced_today: 0, budgets: [] },
    ...{ targets: [], failures: [], unknown_outcomes: 0, undelivered: 0, alerts: [] },
  });
});

test('what runs is told with how far it came, at most 50 of them, and what has no attempt waits', async () => {
  const waiting = finishedLive().live;
  const running = Array.from({ length: 60 }, (_, index) => {
    const { live } = finishedLive({ createdAt: NOW - 60 + index });
    live.record(0, [startedEvent(NOW - 10)]);
    return live;
  });
  running[0]?.record(0, [progressEvent(40, NOW - 5)]);
  const queues = async () => [
    {
      ...{ queue: 'lab/x', head: { tag: 0, images: 1 } },
      lanes: [
        { caller: 'a', priority: 'batch' as const, waiting: 3, lastFinish: 0 },
        { caller: 'b', priority: 'batch' as const, waiting: 4, lastFinish: 0 },
      ],
    },
  ];
  const told = await snapshotOf({
    stored: { ...NOTHING_STORED, queues },
    lives: () => [...running, waiting],
    etaMs: (queue, pictures) => (queue === 'lab/x' ? pictures * 1_000 : undefined),
  });
  assert.equal(told.running_count, 60);
  const rows = told.running as unknown as readonly Record<string, unknown>[];
  assert.equal(rows.length, 50);
  assert.deepEqual(rows[0], {
    ...{ id: running[0]?.id, caller: 'app', route: 'image-best', prompt: 'a red fox', makes: 'pictures' },
    ...{ target: 'sandbox/ok', attempt: 1, created_at: NOW - 60, stage: null, progress: 40 },
  });
  assert.deepEqual(
    rows.slice(1).filter(({ progress }) => progress !== null),
    [],
  );
  assert.equal(told.waiting_count, 8);
  assert.deepEqual(told.waiting, [
    { queue: 'lab/x', waiting: 7, eta_ms: 7_000 },
    { queue: 'sandbox/fast', waiting: 1, eta_ms: null },
  ]);
});

test('success leaves out what was refused or canceled, and the pace is of no longer than was counted', async () => {
  const recent = createRecent(NOW - 2 * MINUTE_MS);
  const signals = createSignals({ error: (fault: unknown) => assert.fail(String(fault)) });
  signals.on(recent.listen);
  const lives = Array.from({ length: 8 }, () => finishedLive());
  for (const { live } of lives) signals.watch(live);
  for (const { finish } of lives.slice(0, 4)) finish();
  const fail = (kind: 'policy' | 'canceled' | 'server') => ({ kind, certainty: 'rejected', message: '' }) as const;
  lives[4]?.fail(fail('server'));
  lives[5]?.fail(fail('policy'));
  lives[6]?.fail(fail('canceled'));
  const { requests, images_per_minute: pace } = await snapshotOf({ recent });
  assert.deepEqual(requests, { ended: 7, completed: 4, failed: 1, refused: 1, canceled: 1, success_rate: 0.8 });
  assert.equal(pace, 2, 'four pictures in two minutes');
});

test('budgets are told in dollars and pictures', async () => {
  const window = { name: 'budget total', unit: 'micro_usd', since: 0, most: 5_000_000 } as const;
  const images = { name: 'images day', unit: 'images', since: 0, until: NOW + 5, most: 100 } as const;
  const budgets = async () => [
    { key: 'web', window, use: { spent: 1_000_000, held: 250_000 } },
    { key: 'web', window: images, use: { spent: 7, held: 1 } },
  ];
  assert.deepEqual((await snapshotOf({ stored: { ...NOTHING_STORED, budgets } })).budgets, [
    { key: 'web', name: 'budget total', unit: 'usd', most: 5, spent: 1, held: 0.25, until: null },
    { key: 'web', name: 'images day', unit: 'images', most: 100, spent: 7, held: 1, until: NOW + 5 },
  ]);
});
