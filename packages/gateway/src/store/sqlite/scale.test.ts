import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleHold, sampleLine, sampleSummary } from '../contract/samples.ts';
import { type LedgerColumns, ledgerColumns } from '../ledger-row.ts';
import type { ListFilter } from '../store.ts';
import { type Operation, prepareBatch } from './batch.ts';
import { openDatabase } from './database.ts';
import { LOST_SQL } from './lost.ts';
import { AHEAD_SQL, FIRST_WAITING_SQL } from './queues.ts';
import { listSql, UNDELIVERED_SQL } from './reads.ts';
import { DUE_SQL, webhooksSql } from './webhooks.ts';

const COUNT = 100_000;
/** Besides those, and younger: half of them in one queue of one caller. */
const WAITING = 10_000;
/** Each takes well below a millisecond or two by its index, and many times this by reading every generation. */
const MAX_MS = 25;

const CACHED = {
  ...{ key: 'new', caller: 'caller-1', target: 't', generation: 'g', costUsd: null, createdAt: COUNT, bytes: 10 },
  images: '[]',
  assets: [{ hash: 'new', type: 'png', bytes: 10 }],
};

const ORIGIN = { generation: 'g1', caller: 'caller-1', route: 'r', makes: 'pictures', requestId: 'q' } as const;
const LINE = ledgerColumns([sampleLine()])[0] as LedgerColumns;
const HOLD = sampleHold('g1000', { caller: 'caller-1' });

const LEDGER_OPERATIONS: readonly Operation[] = [
  ['uses', 'caller-1', [{ name: 'new', unit: 'images', since: COUNT - 1_000, until: COUNT }]],
  ['hold', HOLD],
  ['book', [{ origin: ORIGIN, line: LINE }]],
  ['append', 'g2000', 0, 1, 'w', ['{}'], { ...sampleSummary(), lines: [LINE] }],
  ['settle', { generation: 'g101', verdict: 'free', at: 1 }],
  ['findByRequestId', 'p77'],
  ['listAssets', { limit: 50 }],
  ['listAssets', { caller: 'caller-1', limit: 50, before: { createdAt: 50_000, hash: 'h' } }],
  ['costs', { by: ['model'], since: 500, until: 1_500, limit: 10 }],
  ['costs', { by: ['day'], caller: 'caller-1', since: 500, until: 1_500, limit: 10 }],
  ['failures', { since: 0, until: COUNT, limit: 10 }],
  ['expire', { createdBefore: 20, excessBytes: 50, ledgerBefore: 20, limit: 10 }],
];

const PICTURES = { viewer: 'caller-1', limit: 50 } as const;

/** Each is one step of a look, which ends after some thousand rows whether or not anything was found. */
const BROWSING_OPERATIONS: readonly Operation[] = [
  ['search', { limit: 50 }],
  ['search', { limit: 50, text: 'nowhere' }],
  ['search', { limit: 50, caller: 'caller-1', text: 'nowhere', before: { createdAt: 50_000, id: 'g50000' } }],
  ['search', { limit: 50, route: 'none' }],
  ['search', { limit: 50, target: 'none/' }],
  ['search', { limit: 50, makes: 'chat' }],
  ['search', { limit: 50, status: 'failed', code: 'none' }],
  ['search', { limit: 50, since: 500, until: 600, text: 'nowhere' }],
  ['gallery', PICTURES],
  ['gallery', { ...PICTURES, caller: 'caller-1', before: { number: 50_000, index: 0 } }],
  ['gallery', { ...PICTURES, generation: 'g500' }],
  ['gallery', { ...PICTURES, text: 'nowhere' }],
  ['gallery', { ...PICTURES, caller: 'caller-2', text: 'nowhere' }],
  ['gallery', { ...PICTURES, mark: 'star' }],
  ['gallery', { ...PICTURES, mark: 'star', before: { number: 20_000, index: 0 } }],
  ['gallery', { ...PICTURES, mark: 'none', target: 'none/' }],
  ['mark', { caller: 'caller-0', hash: 'h99999', mark: 'star', at: 1 }],
  ['mark', { caller: 'caller-1', hash: 'h99998', mark: 'star', at: 1, ofAnybody: true }],
];

function fill(): ReturnType<typeof openDatabase> {
  const database = openDatabase(':memory:');
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${COUNT})`;
  database.exec(`
    BEGIN;
    INSERT INTO generations (number, id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at,
      finished_at, delivered_at, billed, worker, lease_until)
    ${numbers} SELECT i, 'g' || i, 'caller-' || (i % 3), '/v1', 'r', 'f', 'q', 1,
      CASE WHEN i % 1000 = 0 THEN 'processing' WHEN i % 100 = 1 THEN 'failed' ELSE 'completed' END, i, i,
      CASE WHEN i % 1000 > 1 THEN i END, CASE WHEN i % 100 = 1 THEN 'maybe' ELSE 'yes' END, 'w', i FROM n;
    INSERT INTO plans ${numbers} SELECT i, 'prompt', printf('%.*c', 400, 'x') FROM n;
    INSERT INTO events ${numbers} SELECT i, 0, 0, '{}' FROM n;
    INSERT INTO assets ${numbers} SELECT 'h' || i, 'png', 10, i FROM n;
    INSERT INTO generation_assets ${numbers} SELECT i, 'h' || i FROM n;
    INSERT INTO search_texts ${numbers} SELECT i, printf('%.*c', 200, 'x') || i FROM n;
    INSERT INTO delivered ${numbers} SELECT i, 0, 'caller-' || (i % 3), 'h' || i, 'png', 10, 64, 48 FROM n;
    INSERT INTO marks ${numbers} SELECT 'caller-' || (i % 3), 'h' || i, iif(i % 2, 'star', 'reject'), i FROM n
      WHERE i < 20000;
    INSERT INTO webhooks (id, generation, caller, url, type, at, state, tries, retry_at)
    ${numbers} SELECT 'e' || i, i, 'caller-' || (i % 3), 'u', 't', i,
      CASE WHEN i % 1000 = 0 THEN 'waiting' ELSE 'delivered' END, 0, i FROM n;
    INSERT INTO cache_entries (number, key, caller, target, generation, bytes, hits, created_at, used_at)
    ${numbers} SELECT i, 'k' || i, 'caller-' || (i % 3), 't' || (i % 5), 'g' || i, 10, 1, i, i FROM n;
    INSERT INTO cache_images ${numbers} SELECT i, printf('%.*c', 300, 'x') FROM n;
    INSERT INTO cache_assets ${numbers} SELECT i, 'h' || i FROM n;
    INSERT INTO cache_claims ${numbers} SELECT 's' || i, 'g' || i, i, i FROM n;
    INSERT INTO ledger (generation, caller, route, makes, request_id, run, attempt, started_at, target, role, images,
      spent, possible, possible_images, priced, provider_request_id, counted_at)
    ${numbers} SELECT 'g' || i, 'caller-' || (i % 3), 'r', 'pictures', 'q', 0, 1, i, 'a/b', 'first', 1, 1,
      CASE WHEN i % 100 = 1 THEN 5 ELSE 0 END, 0, 'none', 'p' || i, i FROM n;
    INSERT INTO holds ${numbers} SELECT 'g' || i, 0, 'caller-' || (i % 3), 'w' || i, 'images', 1, i, i, i + 10 FROM n;
    INSERT INTO budget_uses ${numbers} SELECT 'caller-' || i, 'w', 'images', 0, i, 1, 1 FROM n;
    COMMIT`);
  fillQueues(database);
  return database;
}

function fillQueues(database: ReturnType<typeof openDatabase>): void {
  const numbers = `WITH RECURSIVE n (i) AS (SELECT ${COUNT} + 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${COUNT + WAITING})`;
  const queue = "CASE WHEN i % 2 = 0 THEN 'q' ELSE 'q' || (i % 20) END";
  database.exec(`
    BEGIN;
    INSERT INTO generations (number, id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at, task)
    ${numbers} SELECT i, 'g' || i, 'caller-' || (i % 2 * i % 100), '/v1', 'r', 'f', 'q', 1, 'pending', i, 1 FROM n;
    INSERT INTO plans ${numbers} SELECT i, 'prompt', printf('%.*c', 400, 'x') FROM n;
    INSERT INTO waiting (queue, tag, generation, caller, priority, cost, images, deadline_at)
    ${numbers} SELECT ${queue}, i % 777, i, 'caller-' || (i % 2 * i % 100), 'interactive', 1, 1, 1000000000 FROM n;
    COMMIT`);
}

test('a hundred thousand generations and ten thousand waiting do not slow the store down', () => {
  const database = fill();
  const run = prepareBatch(database);
  const list = (filter: Partial<ListFilter>): Operation => ['list', { limit: 50, ...filter }];
  const operations: readonly Operation[] = [
    list({}),
    list({ caller: 'caller-1' }),
    list({ caller: 'nobody' }),
    list({ before: { createdAt: 50_000, id: 'g50000' } }),
    list({ caller: 'caller-1', before: { createdAt: 500, id: 'g500' } }),
    list({ status: 'processing' }),
    list({ status: 'failed', before: { createdAt: 50_000, id: 'g50000' } }),
    list({ caller: 'nobody', status: 'failed' }),
    list({ unknown: true }),
    list({ status: 'pending', limit: 1_000 }),
    list({ status: 'pending', caller: 'nobody' }),
    list({ status: 'canceled' }),
    ['queues'],
    ['place', `g${COUNT + WAITING}`],
    ['claimWaiting', { queue: 'q', most: 64, exceptCallers: [] }, { worker: 'b', until: 1 }],
    ['claimWaiting', { queue: 'q', most: 64, exceptCallers: ['caller-0'] }, { worker: 'b', until: 1 }],
    ['take', `g${COUNT + WAITING}`, { worker: 'b', until: 1 }],
    ['requestCancel', 'g1000', 1],
    ['claimLost', { caller: 'caller-1', fingerprint: 'none', since: 99_000, settledBefore: COUNT, now: COUNT }],
    ['dueWebhooks', COUNT, COUNT + 1, 10],
    ['listWebhooks', { limit: 50, caller: 'caller-1' }],
    ['listWebhooks', { limit: 50, generation: 'g1000' }],
    ['redeliver', { limit: 50, state: 'waiting' }, 1],
    ['disableEndpoint', 'nobody', 'u', 1],
    ['undelivered', COUNT, 100],
    ['undelivered', 99_000, 100],
    ['undelivered', 0, 100],
    ['claim', 'b', 0, 1, 10],
    ['claim', 'b', COUNT, COUNT + 1, 10],
    ['findIdempotent', { caller: 'caller-1', endpoint: '/v1', key: 'k' }, 1],
    ['append', 'g1000', 0, 1, 'b', ['{}'], undefined],
    ['cacheGet', 'k5'],
    ['cachePut', CACHED],
    ['cacheUsed', [{ key: 'k7', hits: 1, at: COUNT }]],
    ['cacheEvict', { createdBefore: 10, maxBytes: 1e9, maxEntries: 1e9, now: 10, limit: 10 }],
    ['cacheEvict', { createdBefore: 0, maxBytes: 10, maxEntries: 1e9, now: 10, limit: 10 }],
    ['cacheClear', { caller: 'caller-1' }, 10],
    ['cacheClear', { key: 'k9' }, 1],
    ['cacheClaim', { key: 's9', generation: 'a', until: 20 }, 10, null],
    ['cacheRelease', 's9', 'a'],
    ...LEDGER_OPERATIONS,
    ...BROWSING_OPERATIONS,
  ];
  for (const operation of operations) {
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      run([operation]);
      return performance.now() - start;
    });
    assert.ok(Math.min(...times) < MAX_MS, `${JSON.stringify(operation)} took ${Math.min(...times)} ms`);
  }
  database.close();
});

test('lists are read in the order of an index, the shortest there is', () => {
  const database = openDatabase(':memory:');
  const before = { createdAt: 1, id: 'g' };
  const expected: readonly (readonly [Partial<ListFilter>, index: string])[] = [
    [{}, 'generations_by_age'],
    [{ before }, 'generations_by_age'],
    [{ status: 'completed' }, 'generations_by_age'],
    [{ caller: 'c' }, 'generations_by_caller'],
    [{ caller: 'c', before }, 'generations_by_caller'],
    [{ status: 'processing' }, 'generations_by_status'],
    [{ status: 'pending', before }, 'generations_by_status'],
    [{ caller: 'c', status: 'canceled' }, 'generations_by_status'],
    [{ caller: 'c', status: 'failed', before }, 'generations_by_status'],
    [{ caller: 'c', unknown: true }, 'generations_unknown'],
  ];
  for (const [filter, index] of expected) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${listSql({ limit: 1, ...filter }).text}`).all();
    assert.match(String(plan[0]?.detail), new RegExp(`USING INDEX ${index}\\b`), JSON.stringify(filter));
    assert.doesNotMatch(plan.map((row) => row.detail).join(), /TEMP B-TREE/, JSON.stringify(filter));
  }
  database.close();
});

test('what waits, what is due and what was never delivered is found by index, however much else there is', () => {
  const database = openDatabase(':memory:');
  const expected: readonly (readonly [sql: string, ...steps: readonly RegExp[]])[] = [
    [UNDELIVERED_SQL, /SEARCH .* generations_by_status \(status=/, /SEARCH .* generations_undelivered \(finished_at>/],
    [LOST_SQL, /generations_lost \(fingerprint=/, /generations_undelivered \(finished_at>/, /generations_by_status/],
    [FIRST_WAITING_SQL, /SEARCH waiting USING PRIMARY KEY \(queue=\? AND tag</],
    [AHEAD_SQL, /SEARCH waiting USING PRIMARY KEY \(queue=\? AND \(tag,generation\)</],
    [DUE_SQL, /SEARCH w USING INDEX webhooks_due \(retry_at</],
    [webhooksSql({ generation: 'g', limit: 1 }).sql, /webhooks_by_generation \(generation=/],
    [webhooksSql({ caller: 'c', state: 'waiting', limit: 1 }).sql, /webhooks_by_caller \(caller=/],
  ];
  for (const [sql, ...steps] of expected) {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    const plan = rows.map((row) => String(row.detail));
    for (const step of steps)
      assert.ok(
        plan.some((detail) => step.test(detail)),
        `${step}: ${plan.join('; ')}`,
      );
    assert.ok(!plan.some((detail) => /SCAN (w|waiting|generations)\b/.test(detail)), plan.join('; '));
  }
  database.close();
});
