import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFinished, sampleEvent, sampleGeneration, sampleWaiting, WEBHOOK } from './contract/samples.ts';
import { testStore } from './contract.ts';
import { StoreOverloadedError } from './errors.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Change } from './store.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-store-'));
after(() => rmSync(directory, { recursive: true }));
let opened = 0;

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

test('a change is told once per batch, when it is durable and before who waits for it goes on', async () => {
  const store = await openSqliteStore({ path: ':memory:' });
  const heard: Change[] = [];
  store.onChange((change) => heard.push(change));
  const waiting = Array.from({ length: 50 }, (_, index) => sampleWaiting(`g${index}`, index));
  await Promise.all([
    ...waiting.map((one) => store.create(one)),
    store.create(sampleWaiting('other', 1, { queue: 'r' })),
    ...['a', 'b'].map((id) =>
      createFinished(store, sampleGeneration(id, { webhook: WEBHOOK }), { webhook: sampleEvent(`event of ${id}`) }),
    ),
  ]);
  assert.deepEqual(heard, [
    { kind: 'waiting', queue: 'q' },
    { kind: 'waiting', queue: 'r' },
    { kind: 'finished', id: 'a' },
    { kind: 'webhook' },
    { kind: 'finished', id: 'b' },
  ]);
  await store.close();
});
