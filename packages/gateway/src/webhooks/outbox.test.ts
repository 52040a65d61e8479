import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemIo } from '@onetake/core';
import { Webhook as Verifier } from 'standardwebhooks';
import { createFinished, sampleEvent, sampleGeneration } from '../store/contract/samples.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { createWebhookDeliverer, type WebhookDeliverer } from './deliverer.ts';
import { createWebhookSecrets } from './secrets.ts';
import { type Received, receiver } from './testing/receiver.ts';

function databaseIn(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'outbox-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'onetake.db');
}

function secretsOf(cells: Store) {
  return createWebhookSecrets({ cells, configured: () => undefined });
}

/** One gateway's part in it; it ends with the test, deliverers before their store. */
async function openNode(t: TestContext, path: string) {
  const store = await openSqliteStore({ path });
  const io = systemIo();
  const deliverers: WebhookDeliverer[] = [];
  const stop = async () => {
    for (const deliverer of deliverers.splice(0)) await deliverer.stop();
  };
  t.after(async () => {
    await stop();
    await io.close();
    await store.close();
  });
  const start = () => {
    const deliverer = createWebhookDeliverer({
      ...{ store, io, allowPrivate: true, secretOf: secretsOf(store), random: () => 0 },
      payload: async (id) => ({ id, status: (await store.read(id))?.status ?? 'gone' }),
      log: { warn: () => {}, error: (fields: object) => assert.fail(JSON.stringify(fields)) } as never,
    });
    deliverers.push(deliverer);
  };
  return { store, start, stop };
}

/** As the samples have it. */
const FINISHED_AT = 50;

async function finish(store: Store, id: string, url: string): Promise<void> {
  const webhook = { url, events: ['task.completed'] };
  await createFinished(store, sampleGeneration(id, { webhook }), { webhook: sampleEvent(`evt_${id}`) });
}

async function settled(store: Store, count: number) {
  for (;;) {
    const rows = await store.listWebhooks({ limit: 100 });
    if (rows.length === count && rows.every(({ state }) => state !== 'waiting')) return rows;
    await nextTurn();
  }
}

function verified(received: readonly Received[], secret: string): readonly unknown[] {
  const verifier = new Verifier(secret);
  return received.map(({ body, headers }) => verifier.verify(body, headers as Record<string, string>));
}

test('the end of a generation is delivered with the secret of its caller, and its failed tries are counted', async (t) => {
  const { url, received } = await receiver(t, [500, 503]);
  const { store, start } = await openNode(t, databaseIn(t));
  start();
  await finish(store, 'gen_1', url);
  const [row] = await settled(store, 1);
  assert.deepEqual([row?.state, row?.tries, row?.status], ['delivered', 3, 200]);
  const data = { id: 'gen_1', status: 'completed' };
  const event = { type: 'task.completed', timestamp: new Date(FINISHED_AT).toISOString(), data };
  assert.deepEqual(verified(received, await secretsOf(store)('local')), [event, event, event]);
});

test('what was not delivered when the gateway ended is delivered when it starts again, with the same secret', async (t) => {
  const { url, received } = await receiver(t, []);
  const path = databaseIn(t);
  const before = await openNode(t, path);
  const secret = await secretsOf(before.store)('local');
  await finish(before.store, 'gen_1', url);
  await before.store.close();
  const after = await openNode(t, path);
  after.start();
  await settled(after.store, 1);
  assert.equal(verified(received, secret).length, 1);
});

test('410 ends all that goes to the address, and redelivering begins it again', async (t) => {
  const { url, received } = await receiver(t, [410]);
  const { store, start, stop } = await openNode(t, databaseIn(t));
  await finish(store, 'gen_1', url);
  start();
  await settled(store, 1);
  await stop();
  await finish(store, 'gen_2', url);
  const reasons = (await settled(store, 2)).map(({ reason }) => reason);
  assert.match(reasons.join(), /^the address is disabled; .*,status 410: /);
  start();
  assert.equal(await store.redeliver({ state: 'given-up', limit: 10 }, Date.now()), 2);
  const rows = await settled(store, 2);
  assert.deepEqual([rows.map(({ state }) => state), received.length], [['delivered', 'delivered'], 3]);
});
