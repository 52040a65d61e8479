import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListFilter } from '../store.ts';
import { type Operation, prepareBatch } from './batch.ts';
import { openDatabase } from './database.ts';
import { listSql, UNDELIVERED_SQL } from './reads.ts';

const COUNT = 100_000;
/** Each takes well below a millisecond or two by its index, and many times this by reading every generation. */
const MAX_MS = 25;

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
    COMMIT`);
  return database;
}

test('a hundred thousand generations do not slow the store down', () => {
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
    ['undelivered', COUNT, 100],
    ['undelivered', 99_000, 100],
    ['undelivered', 0, 100],
    ['claim', 'b', 0, 1, 10],
    ['claim', 'b', COUNT, COUNT + 1, 10],
    ['findIdempotent', { caller: 'caller-1', endpoint: '/v1', key: 'k' }, 1],
    ['append', 'g1000', 0, 1, 'b', ['{}'], undefined],
    ['expire', { createdBefore: 20, maxBytes: 10 * COUNT, limit: 10 }],
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
    [{ status: 'processing' }, 'generations_unfinished'],
    [{ caller: 'c', status: 'failed', before }, 'generations_failed'],
    [{ caller: 'c', unknown: true }, 'generations_unknown'],
  ];
  for (const [filter, index] of expected) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${listSql({ limit: 1, ...filter })}`).all();
    assert.match(String(plan[0]?.detail), new RegExp(`USING INDEX ${index}\\b`), JSON.stringify(filter));
    assert.doesNotMatch(plan.map((row) => row.detail).join(), /TEMP B-TREE/, JSON.stringify(filter));
  }
  database.close();
});

test('what was never delivered is found by index, however much of it is too old', () => {
  const database = openDatabase(':memory:');
  const plan = database
    .prepare(`EXPLAIN QUERY PLAN ${UNDELIVERED_SQL}`)
    .all()
    .map((row) => String(row.detail));
  assert.ok(
    plan.some((step) => /USING INDEX generations_unfinished\b/.test(step)),
    plan.join(),
  );
  assert.ok(
    plan.some((step) => /SEARCH .* generations_undelivered \(finished_at>/.test(step)),
    plan.join(),
  );
  database.close();
});
