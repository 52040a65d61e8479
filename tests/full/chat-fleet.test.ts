/** Chat on two nodes with one database: what a dead node leaves, and what happens while the database is away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTestPostgres } from '../../packages/gateway/src/store/testing/postgres.ts';
import { call } from '../rig/call.ts';
import { eventsOf, HELLO, openChat } from '../rig/chat.ts';
import { FLEET_MODELS, startFleet } from '../rig/fleet.ts';
import { startGate } from '../rig/gate.ts';
import { startGateway } from '../rig/gateway.ts';
import { countOf } from '../rig/ledger.ts';
import { until } from '../rig/poll.ts';

const SLOW = 'pace:20+tokens:3000';
const LONGER_THAN_A_CONNECTION_IS_WAITED_FOR_MS = 6_000;
/** A lease, and the moment until the next look for what nobody holds. */
const TAKEN_UP_MS = 30_000;

test('an answer whose node died is ended by another, once, and nothing is sent again', async (t) => {
  const fleet = await startFleet(2);
  t.after(() => fleet.close());
  const [dead, other] = fleet.nodes();
  assert.ok(dead && other);
  const chat = await openChat(dead.url, { model: `${FLEET_MODELS.call}/${SLOW}` });
  const id = String(chat.headers['x-onetake-generation']);
  await until('its beginning is durable, and seen by the other node', async () => {
    const { text } = await call(`${other.url}/v1/generations/${id}`);
    return eventsOf(chat.text()).length > 2 && text.includes('answer-begun');
  });
  await dead.kill();
  assert.equal(await chat.whole, false);
  const row = await until(
    'it is over',
    async () => {
      const { body } = await call(`${other.url}/v1/generations/${id}`);
      return body.finished_at !== undefined && body;
    },
    TAKEN_UP_MS,
  );
  assert.deepEqual([row.status, row.code, row.billed], ['failed', 'interrupted', 'maybe']);
  assert.equal((await countOf(fleet.sandbox.url, SLOW)).requests, 1);
});

test('a node cancels the answer that another node gives', async (t) => {
  const fleet = await startFleet(2);
  t.after(() => fleet.close());
  const [one, other] = fleet.nodes();
  assert.ok(one && other);
  const chat = await openChat(one.url, { model: `${FLEET_MODELS.call}/${SLOW}` });
  const id = String(chat.headers['x-onetake-generation']);
  await until('the other node knows it', async () => (await call(`${other.url}/v1/tasks/${id}`)).status === 200);
  const canceled = await call(`${other.url}/v1/tasks/${id}`, { method: 'DELETE' });
  assert.ok(canceled.status === 200 || canceled.status === 202, canceled.text);
  assert.equal(await chat.whole, true);
  assert.equal(eventsOf(chat.text()).at(-1)?.error?.code, 'canceled');
});

test('while the database is away chat goes on, and its rows come when it is back', async (t) => {
  const postgres = await startTestPostgres();
  t.after(() => postgres.stop());
  const gate = await startGate(await postgres.createDatabase());
  t.after(() => gate.close());
  const gateway = await startGateway({ env: { ONETAKE_DATABASE_URL: gate.url } });
  t.after(() => gateway.close());
  const ask = (model: string) =>
    call(`${gateway.url}/v1/chat/completions`, { body: { model: `sandbox/${model}`, messages: HELLO } });
  const before = await openChat(gateway.url, { model: 'sandbox/pace:20+tokens:300' });
  gate.shut();
  const answers = await Promise.all([ask('ok'), ask('tokens:5'), ask('429,ok')]);
  for (const { status, text } of answers) assert.equal(status, 200, text);
  assert.equal(await before.whole, true);
  assert.match(before.text(), /data: \[DONE\]\n\n$/);
  await pause(LONGER_THAN_A_CONNECTION_IS_WAITED_FOR_MS);
  gate.open();
  for (const { headers } of [before, ...answers]) {
    const id = String(headers['x-onetake-generation']);
    const row = await until(`the row of ${id} is there`, async () => {
      const { body, status } = await call(`${gateway.url}/v1/generations/${id}`);
      return status === 200 && body.finished_at !== undefined && body;
    });
    assert.equal(row.status, 'completed');
  }
});
