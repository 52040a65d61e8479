/** Batches of chat through OpenAI's own SDK: every line has one answer, and every failure its status. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type OpenAI from 'openai';
import { call } from './rig/call.ts';
import { CHAT, line, linesOf, namesOf, type Refused, timesAsked, yamlFor } from './rig/chat-batches.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { clientOf, countsOf, create, ended } from './rig/http-batches.ts';
import { readLedger } from './rig/ledger.ts';
import { until } from './rig/poll.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';

let sandbox: RunningSandbox;
let gateway: RunningGateway;
let client: OpenAI;
before(async () => {
  sandbox = await startSandbox();
  gateway = await startGateway({ yaml: yamlFor(sandbox) });
  client = clientOf(gateway);
});
after(async () => {
  await gateway?.close();
  await sandbox?.close();
});

test('a batch from upload to answers: what fails before an answer is repeated, what is refused is in the error file', async () => {
  const begun = await create(
    client,
    [
      line('plain', 'lab/ok'),
      line('throttled', 'lab/429,ok'),
      line('died', 'lab/die-before-first,ok'),
      line('refused', 'lab/400'),
      line('empty', 'lab/ok', { messages: [] }),
      line('streamed', 'lab/ok', { stream: true }),
      line('unnamed', ''),
      line('last', 'lab/tokens:7'),
    ],
    CHAT,
  );
  assert.deepEqual([begun.endpoint, begun.status], [CHAT, 'validating']);
  const batch = await ended(client, begun.id);
  assert.deepEqual([batch.status, ...countsOf(batch)], ['completed', 8, 4, 4]);
  const output = await linesOf<OpenAI.ChatCompletion>(client, batch.output_file_id);
  assert.deepEqual(namesOf(output), ['plain', 'throttled', 'died', 'last']);
  for (const { id, response, error } of output) {
    assert.deepEqual([response?.status_code, response?.request_id, error], [200, id, null]);
    assert.equal(response?.body.object, 'chat.completion');
    assert.ok(response.body.choices[0]?.message.content);
  }
  const total = output.reduce((sum, { response }) => sum + (response?.body.usage?.total_tokens ?? 0), 0);
  assert.ok(total > 0);
  assert.equal(batch.usage?.total_tokens, total);
  assert.equal(total, (batch.usage?.input_tokens ?? 0) + (batch.usage?.output_tokens ?? 0));
  const errors = await linesOf<Refused>(client, batch.error_file_id);
  assert.deepEqual(
    errors.map(({ custom_id, response }) => [custom_id, response?.status_code, response?.body.error.param]),
    [
      ['refused', 400, errors[0]?.response?.body.error.param],
      ['empty', 400, 'messages'],
      ['streamed', 400, 'stream'],
      ['unnamed', 400, 'model'],
    ],
  );
  const asked = await timesAsked(sandbox.url);
  assert.deepEqual([asked.get('plain'), asked.get('throttled'), asked.get('died'), asked.get('refused')], [1, 2, 2, 1]);
  const { generation } = errors[0]?.response?.body.onetake ?? {};
  assert.equal((await call(`${gateway.url}/v1/generations/${generation}`)).body.status, 'failed');
});

test('answers of the Responses API, and vectors', async () => {
  const responses = ['one', 'two'].map((name) => ({
    ...{ custom_id: name, method: 'POST', url: '/v1/responses' },
    body: { model: 'lab/ok', input: `say ${name}` },
  }));
  const first = await ended(client, (await create(client, responses, '/v1/responses')).id);
  const said = await linesOf<OpenAI.Responses.Response>(client, first.output_file_id);
  assert.deepEqual(
    said.map(({ custom_id, response }) => [custom_id, response?.body.object, response?.body.status]),
    [
      ['one', 'response', 'completed'],
      ['two', 'response', 'completed'],
    ],
  );
  const vectors = [['a', 'b'], 'c'].map((input, index) => ({
    ...{ custom_id: `v${index}`, method: 'POST', url: '/v1/embeddings' },
    body: { model: 'lab/ok', input },
  }));
  const second = await ended(client, (await create(client, vectors, '/v1/embeddings')).id);
  const found = await linesOf<OpenAI.CreateEmbeddingResponse>(client, second.output_file_id);
  assert.deepEqual(
    found.map(({ response }) => response?.body.data.length),
    [2, 1],
  );
  assert.deepEqual([second.usage?.output_tokens, (second.usage?.input_tokens ?? 0) > 0], [0, true]);
});

test('a file for another endpoint fails its batch before anything is asked', async () => {
  const before = (await readLedger(sandbox.url)).total.requests;
  const batch = await ended(client, (await create(client, [line('a', 'lab/ok')], '/v1/responses')).id);
  assert.deepEqual([batch.status, batch.errors?.data?.[0]?.code], ['failed', 'invalid_url']);
  assert.equal((await readLedger(sandbox.url)).total.requests, before);
});

test('canceled: what is answered is in the output, what is in flight is broken off, the rest never asked', async () => {
  const quick = Array.from({ length: 3 }, (_, index) => line(`quick ${index}`, 'lab/ok'));
  const slow = Array.from({ length: 397 }, (_, index) => line(`slow ${index}`, 'lab/slow:60'));
  const { id } = await create(client, [...quick, ...slow], CHAT);
  await until('three answers', async () => (await client.batches.retrieve(id)).request_counts?.completed === 3);
  const canceledAt = performance.now();
  await client.batches.cancel(id);
  const batch = await ended(client, id);
  assert.ok(performance.now() - canceledAt < 10_000);
  assert.deepEqual([batch.status, ...countsOf(batch)], ['cancelled', 400, 3, 397]);
  assert.deepEqual(namesOf(await linesOf(client, batch.output_file_id)), ['quick 0', 'quick 1', 'quick 2']);
  const errors = await linesOf<Refused>(client, batch.error_file_id);
  assert.deepEqual(
    namesOf(errors),
    slow.map(({ custom_id }) => custom_id),
  );
  const codes = new Set(errors.map(({ response, error }) => response?.body.error.code ?? error?.code));
  assert.deepEqual([...codes].toSorted(), ['batch_cancelled', 'canceled']);
  const running = (await call(`${gateway.url}/v1/tasks?status=processing`)).body as { data?: readonly unknown[] };
  assert.deepEqual(running.data, []);
});
