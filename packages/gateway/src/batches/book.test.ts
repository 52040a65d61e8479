import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteStore } from '../store/sqlite.ts';
import { type Batch, cancelling } from './batch.ts';
import { createBook, MAX_BATCHES_PER_CALLER } from './book.ts';

function sample(id: string, change: Partial<Batch> = {}): Batch {
  return {
    ...{ id, caller: 'ann', fromBrowser: false, endpoint: '/v1/images/generations', inputFileId: 'file-1' },
    ...{ metadata: null, outputMs: 1, status: 'validating', createdAt: 1, expiresAt: 2 },
    counts: { total: 0, completed: 0, failed: 0 },
    settled: { lines: 0, completed: 0 },
    ...change,
  };
}

test('a caller’s batches are kept up to a number; a new one takes the place of the oldest that is over', async (context) => {
  const store = await openSqliteStore({ path: ':memory:' });
  context.after(() => store.close());
  const book = createBook(store);
  for (let number = 0; number < MAX_BATCHES_PER_CALLER; number += 1) {
    await book.add(sample(`batch_${number}`, { createdAt: number, status: number === 0 ? 'validating' : 'completed' }));
  }
  await book.add(sample('batch_new', { createdAt: 1_000 }));
  const ids = (await book.list('ann')).map(({ id }) => id);
  assert.deepEqual(
    [ids.length, ids[0], ids[1], ids.at(-1)],
    [MAX_BATCHES_PER_CALLER, 'batch_0', 'batch_2', 'batch_new'],
  );
  assert.equal(await book.find('ann', 'batch_1'), undefined);
  assert.equal(await book.find('bob', 'batch_2'), undefined);
  assert.deepEqual((await book.open()).map(({ batch }) => batch.id).toSorted(), ['batch_0', 'batch_new']);
});

test('open ones are bounded per caller, and one that ends makes room', async (context) => {
  const store = await openSqliteStore({ path: ':memory:' });
  context.after(() => store.close());
  const book = createBook(store);
  let added = 0;
  while (await book.add(sample(`batch_${added}`))) added += 1;
  assert.equal(added, 100);
  assert.ok(await book.add(sample('batch_of_bob', { caller: 'bob' })));
  const [first] = await book.open();
  await book.update(first?.key ?? '', (batch) => ({ ...batch, status: 'completed' }));
  assert.ok(await book.add(sample('batch_next')));
});

test('an open batch that a crash kept from the list of the open is found again', async (context) => {
  const store = await openSqliteStore({ path: ':memory:' });
  context.after(() => store.close());
  const book = createBook(store);
  const entry = await book.add(sample('batch_1'));
  const list = await store.readCell('batches-open');
  await store.swapCell('batches-open', list?.version ?? 0, []);
  assert.deepEqual(await book.open(), []);
  await book.recover();
  assert.deepEqual(await book.open(), [entry]);
});

test('many changes at once are all applied', async (context) => {
  const store = await openSqliteStore({ path: ':memory:' });
  context.after(() => store.close());
  const book = createBook(store);
  const entry = await book.add(sample('batch_1'));
  const raise = (batch: Batch) => ({ ...batch, counts: { ...batch.counts, total: batch.counts.total + 1 } });
  await Promise.all(Array.from({ length: 20 }, () => book.update(entry?.key ?? '', raise)));
  assert.equal((await book.read(entry?.key ?? ''))?.counts.total, 20);
});

test('what is over or about to be cannot be canceled', () => {
  for (const status of ['completed', 'failed', 'expired', 'cancelled', 'finalizing', 'cancelling'] as const) {
    const batch = sample('batch_1', { status });
    assert.equal(cancelling(batch, 5), batch);
  }
  assert.deepEqual(cancelling(sample('batch_1'), 5), sample('batch_1', { status: 'cancelling', cancellingAt: 5 }));
});
