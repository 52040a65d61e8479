import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from 'pg';
import { sampleCacheEntry } from './contract/cache.ts';
import { sampleFence, sampleHold, samplePlan, started } from './contract/samples.ts';
import { listSql } from './postgres/reads.ts';
import { openPostgresStore } from './postgres.ts';
import type { ListFilter, Store } from './store.ts';
import { startTestPostgres } from './testing/postgres.ts';

const postgres = await startTestPostgres();
after(() => postgres.stop());

const COUNT = 50_000;
const WAITING = 10_000;
/** Most take a few milliseconds by their index, and many times this by reading everything. */
const MAX_MS = 50;
const MAX_ROUNDS = 8;
/** Of a look through everything, on connections that nobody else waits for. */
const MAX_LOOK_MS = 400;

/** Without statistics: a store must not be slow until somebody gathers them. */
async function fill(admin: Client): Promise<void> {
  await admin.query(`
    SET search_path TO onetake;
    INSERT INTO generations (id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at,
      finished_at, delivered_at, billed, worker, lease_until)
    SELECT 'g' || i, 'caller-' || (i % 3), '/v1', 'r', 'f' || i, 'q', 1,
      CASE WHEN i % 1000 = 0 THEN 'processing' WHEN i % 100 = 1 THEN 'failed' ELSE 'completed' END, i,
      CASE WHEN i % 1000 <> 0 THEN i END, CASE WHEN i % 1000 > 1 THEN i END,
      CASE WHEN i % 100 = 1 THEN 'maybe' ELSE 'yes' END, 'w', i FROM generate_series(1, ${COUNT}) i;
    INSERT INTO generations (id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at,
      task, queue, tag, cost, priority, images, deadline_at)
    SELECT 'w' || i, 'caller-' || (i % 3), '/v1', 'r', 'f', 'q', 1, 'pending', ${COUNT} + i,
      true, 'q', i, 1, 'batch', 1, 1e12 FROM generate_series(1, ${WAITING}) i;
    INSERT INTO plans SELECT number, '"prompt"', '${JSON.stringify(samplePlan())}' FROM generations;
    INSERT INTO events SELECT number, 0, 0, '{}' FROM generations WHERE status <> 'pending';
    INSERT INTO assets SELECT 'h' || i, 'png', 10, i FROM generate_series(1, ${COUNT}) i;
    INSERT INTO generation_assets SELECT number, 'h' || number FROM generations WHERE number <= ${COUNT};
    INSERT INTO search_texts SELECT number, repeat('x', 200) || number FROM generations;
    INSERT INTO delivered SELECT number, 0, caller, 'h' || number, 'png', 10, 64, 48 FROM generations WHERE number <= ${COUNT};
    INSERT INTO marks SELECT caller, 'h' || number, 'star', 1 FROM generations WHERE number <= 10000;
    INSERT INTO webhooks (id, generation, caller, url, type, at, state, tries, retry_at)
    SELECT 'e' || number, number, caller, 'https://hooks.test', 'task.completed', 1,
      CASE WHEN number % 10 = 0 THEN 'waiting' ELSE 'delivered' END, 0, number FROM generations;
    INSERT INTO cache_entries (key, caller, target, generation, bytes, hits, created_at, used_at)
    SELECT 'k' || i, 'caller-' || (i % 3), 't' || (i % 5), 'g' || i, 10, 1, i, i FROM generate_series(1, ${COUNT}) i;
    INSERT INTO cache_images SELECT number, '[]' FROM cache_entries;
    INSERT INTO cache_assets SELECT number, 'h' || number FROM cache_entries;
    INSERT INTO cache_claims SELECT 's' || i, 'g' || i, i, i FROM generate_series(1, ${COUNT}) i;
    INSERT INTO ledger (generation, caller, route, makes, request_id, run, attempt, started_at, target, role, images,
      spent, possible, possible_images, priced, provider_request_id, counted_at)
    SELECT 'g' || i, 'caller-' || (i % 3), 'r', 'pictures', 'q', 0, 1, i, 'a/b', 'first', 1, 1,
      CASE WHEN i % 100 = 1 THEN 5 ELSE 0 END, 0, 'none', 'p' || i, i FROM generate_series(1, ${COUNT}) i;
    INSERT INTO holds
    SELECT 'g' || i, 0, 'caller-' || (i % 3), 'w' || i, 'images', 1, i, i, i + 10 FROM generate_series(1, ${COUNT}) i;
    INSERT INTO budget_uses SELECT 'caller-' || i, 'w', 'images', 0, i, 1, 1 FROM generate_series(1, ${COUNT}) i`);
}

test('fifty thousand generations and ten thousand that wait do not slow the store down', async (t) => {
  const url = await postgres.createDatabase();
  const store = await openPostgresStore({ url });
  t.after(() => store.close());
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await fill(admin);
  await admin.end();
  const lease = { worker: 'b', until: 2 * COUNT };
  const from = { queue: 'q', most: 10, exceptCallers: ['caller-0'] };
  const wanted = { caller: 'caller-1', fingerprint: 'f1', since: 0, settledBefore: COUNT, now: 0 };
  let length = 1;
  const operations: readonly (() => Promise<unknown>)[] = [
    () => store.list({ limit: 50 }),
    () => store.list({ limit: 50, caller: 'caller-1', before: { createdAt: 500, id: 'g500' } }),
    () => store.list({ limit: 50, caller: 'nobody', status: 'failed' }),
    () => store.list({ limit: 50, status: 'pending' }),
    () => store.list({ limit: 50, unknown: true }),
    () => store.queues(),
    () => store.place(`w${WAITING}`),
    () => store.claimWaiting(from, lease),
    () => store.claimWaiting({ ...from, beforeTag: 0 }, lease),
    () => store.take(`w${WAITING - length}`, lease),
    () => store.undelivered(COUNT - 1_000, 100),
    () => store.claimLost(wanted),
    () => store.claim('c', 0, 1, 10),
    () => store.claim('b', COUNT, lease.until, 10),
    () => store.append(sampleFence('g1000', length++, { worker: 'b' }), [started(1)]),
    () => store.findIdempotent({ caller: 'caller-1', endpoint: '/v1', key: 'k' }, 1),
    () => store.dueWebhooks(COUNT, COUNT + 1, 10),
    () => store.listWebhooks({ caller: 'caller-1', limit: 50 }),
    () => store.listWebhooks({ generation: 'g7', limit: 50 }),
    () => store.cacheGet('k5'),
    () => store.cachePut(sampleCacheEntry('new')),
    () => store.cacheUsed([{ key: 'k7', hits: 1, at: COUNT }]),
    () => store.cacheEvict({ createdBefore: 10, maxBytes: 1e9, maxEntries: 1e9, now: 10, limit: 10 }),
    () => store.cacheEvict({ createdBefore: 0, maxBytes: 10, maxEntries: 1e9, now: 10, limit: 10 }),
    () => store.cacheClear({ caller: 'caller-1' }, 10),
    () => store.cacheClear({ key: 'k9' }, 1),
    () => store.cacheClaim({ key: 's9', generation: 'a', until: 20 }, 10),
    () => store.cacheRelease('s9', 'a'),
    () => store.uses('caller-1', [{ name: 'new', unit: 'images', since: COUNT - 1_000, until: COUNT }]),
    () => store.hold(sampleHold('g1000', { caller: 'caller-1' })),
    () => store.settle({ generation: 'g101', verdict: 'free', at: 1 }),
    () => store.findByRequestId('p77'),
    () => store.listAssets({ limit: 50 }),
    () => store.listAssets({ caller: 'caller-1', limit: 50, before: { createdAt: 25_000, hash: 'h' } }),
    () => store.costs({ by: ['model'], since: 500, until: 1_500, limit: 10 }),
    () => store.costs({ by: ['day'], caller: 'caller-1', since: 500, until: 1_500, limit: 10 }),
    () => store.failures({ since: 0, until: COUNT, limit: 10 }),
    () => store.expire({ createdBefore: 20, excessBytes: 50, ledgerBefore: 20, limit: 10 }),
  ];
  await operations[13]?.();
  for (const operation of operations) await checkQuick(operation);
  for (const operation of looksOf(store)) await checkQuick(operation, MAX_LOOK_MS);
});

/** Some go through every row there is, some ten thousand at a time. */
function looksOf(store: Store): readonly (() => Promise<unknown>)[] {
  const pictures = { viewer: 'caller-1', limit: 50 };
  return [
    () => store.search({ limit: 50 }),
    () => store.search({ limit: 50, since: 500, until: 600, text: 'nowhere' }),
    () => store.search({ limit: 50, text: 'nowhere' }),
    () => store.search({ limit: 50, caller: 'caller-1', target: 'none/' }),
    () => store.gallery(pictures),
    () => store.gallery({ ...pictures, caller: 'caller-1', before: { number: 500, index: 0 } }),
    () => store.gallery({ ...pictures, generation: 'g500' }),
    () => store.gallery({ ...pictures, text: 'nowhere' }),
    () => store.gallery({ ...pictures, mark: 'star', target: 'none/' }),
    () => store.mark({ caller: 'caller-1', hash: 'h40000', mark: 'star', at: 1 }),
    () => store.mark({ caller: 'caller-1', hash: 'h40000', mark: null, at: 1, ofAnybody: true }),
  ];
}

async function checkQuick(operation: () => Promise<unknown>, maxMs = MAX_MS): Promise<void> {
  const times: number[] = [];
  // A machine that does other things delays one; what reads everything is slow every time.
  while (times.length < MAX_ROUNDS && Math.min(...times) >= maxMs) {
    const start = performance.now();
    await operation();
    times.push(performance.now() - start);
  }
  assert.ok(Math.min(...times) < maxMs, `${operation} took ${Math.min(...times)} ms`);
}

test('lists are read in the order of an index', async () => {
  const url = await postgres.createDatabase();
  await (await openPostgresStore({ url })).close();
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query('SET search_path TO onetake; SET enable_seqscan TO off; SET enable_sort TO off');
  const before = { createdAt: 1, id: 'g' };
  const expected: readonly (readonly [Partial<ListFilter>, index: RegExp])[] = [
    [{}, /generations_by_age/],
    [{ before }, /generations_by_age/],
    [{ caller: 'c' }, /generations_by_caller/],
    [{ caller: 'c', before }, /generations_by_caller/],
    [{ status: 'pending' }, /generations_by_status/],
    [{ status: 'failed', before }, /generations_by_status/],
    [{ unknown: true }, /generations_unknown/],
  ];
  for (const [filter, index] of expected) {
    const { text, values } = listSql({ limit: 1, ...filter });
    const { rows } = await admin.query({ text: `EXPLAIN ${text}`, values: [...values] });
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    assert.match(plan, index, JSON.stringify(filter));
    assert.doesNotMatch(plan, /Sort/, JSON.stringify(filter));
  }
  await admin.end();
});
