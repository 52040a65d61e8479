/** A gateway that is killed, or told to stop, in the middle of answers: what its callers are told, and what is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call } from '../rig/call.ts';
import { eventsOf, openChat } from '../rig/chat.ts';
import { startGateway } from '../rig/gateway.ts';
import { countOf } from '../rig/ledger.ts';
import { until } from '../rig/poll.ts';
import { startSandbox } from '../rig/sandbox.ts';

const SLOW = 'pace:20+tokens:2000';

function yamlFor(sandboxUrl: string): string {
  return `providers:\n  mine: {kind: openai-compatible, base_url: "${sandboxUrl}/v1"}\n`;
}

test('after kill -9 in the middle of an answer it is interrupted, and nothing is sent again', async (t) => {
  const sandbox = await startSandbox();
  t.after(() => sandbox.close());
  const first = await startGateway({ yaml: yamlFor(sandbox.url) });
  const chat = await openChat(first.url, { model: `mine/${SLOW}` });
  const id = String(chat.headers['x-onetake-generation']);
  await until('content came and its beginning is durable', async () => {
    const { body } = await call(`${first.url}/v1/generations/${id}`);
    return eventsOf(chat.text()).length > 2 && JSON.stringify(body).includes('answer-begun');
  });
  await first.kill();
  assert.equal(await chat.whole, false);
  const second = await startGateway({ home: first.home });
  t.after(() => second.close());
  const row = await until('it is over', async () => {
    const { body } = await call(`${second.url}/v1/generations/${id}`);
    return body.finished_at !== undefined && body;
  });
  assert.equal(row.status, 'failed');
  assert.equal(row.code, 'interrupted');
  assert.equal(row.billed, 'maybe');
  const { failure, usage } = row as unknown as { failure: { kind: string }; usage: { input_tokens: number } };
  assert.equal(failure.kind, 'interrupted');
  assert.ok(usage.input_tokens > 0);
  assert.equal((await countOf(sandbox.url, SLOW)).requests, 1);
});

test('a gateway that is stopped lets an answer end', async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());
  const chat = await openChat(gateway.url, { model: 'sandbox/pace:40+tokens:60' });
  assert.equal(await gateway.end(), 0);
  assert.equal(await chat.whole, true);
  assert.match(chat.text(), /data: \[DONE\]\n\n$/);
});
