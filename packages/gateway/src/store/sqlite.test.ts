import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sampleGeneration } from './contract/samples.ts';
import { testStore } from './contract.ts';
import { StoreOverloadedError } from './errors.ts';
import { openSqliteStore } from './sqlite.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-store-'));
after(() => rmSync(directory, { recursive: true }));
let opened = 0;

testStore('SQLite in memory', async () => ({ store: await openSqliteStore({ path: ':memory:' }) }));

testStore('SQLite in a file', async () => {
  const path = join(directory, `${opened++}.db`);
  const store = await openSqliteStore({ path });
  const reopen = async () => {
    await store.close();
    return openSqliteStore({ path });
  };
  return { store, reopen };
});

test('operations beyond maxQueued are refused and the others done', async () => {
  const store = await openSqliteStore({ path: ':memory:', maxQueued: 2 });
  const creations = ['a', 'b', 'c'].map((id) => store.create(sampleGeneration(id)));
  const [first, second, third] = await Promise.allSettled(creations);
  assert.deepEqual([first?.status, second?.status], ['fulfilled', 'fulfilled']);
  assert.ok(third?.status === 'rejected' && third.reason instanceof StoreOverloadedError);
  assert.equal(await store.read('c'), undefined);
  await store.close();
});
