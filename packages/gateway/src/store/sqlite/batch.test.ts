import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleGeneration } from '../contract/samples.ts';
import { type Operation, prepareBatch } from './batch.ts';
import { openDatabase } from './database.ts';

function create(id: string, plan = '{}', change = {}): Operation {
  return [
    'create',
    { ...sampleGeneration(id), route: 'r', prompt: 'p', isChat: false, plan, webhook: null, searched: '', ...change },
  ];
}

test('an operation that cannot be done leaves no trace and the rest of its batch is done', () => {
  const database = openDatabase(':memory:');
  const run = prepareBatch(database);
  const withAssets = { assets: [{ hash: 'h', type: 'png', bytes: 'many' }] };
  const { results, failures } = run([create('a'), create('b', '{}', withAssets), create('a'), create('c')]);
  assert.deepEqual(results, [undefined, undefined, undefined, undefined]);
  assert.deepEqual(
    failures.map((failure) => failure.index),
    [1, 2],
  );
  assert.deepEqual(
    database
      .prepare('SELECT id FROM generations ORDER BY id')
      .all()
      .map((row) => row.id),
    ['a', 'c'],
  );
  assert.equal(database.prepare('SELECT count(*) AS count FROM plans').get()?.count, 2);
  database.close();
});

test('a full disk undoes the whole batch, and the next one works when there is room', () => {
  const database = openDatabase(':memory:');
  const run = prepareBatch(database);
  run([create('a')]);
  const { page_count: pages } = database.prepare('PRAGMA page_count').get() ?? {};
  database.exec(`PRAGMA max_page_count = ${Number(pages) + 20}`);
  assert.throws(() => run([create('b'), create('c', 'x'.repeat(1_000_000))]), /full/);
  assert.equal(database.isTransaction, false);
  database.exec('PRAGMA max_page_count = 100000');
  const { results } = run([['read', 'a'], ['read', 'b'], create('c')]);
  assert.deepEqual(
    results.map((result) => result === undefined),
    [false, true, true],
  );
  database.close();
});
