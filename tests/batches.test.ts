/** OpenAI's batches through its own SDK: a file of requests in, files of answers out. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { call } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { clientOf, countsOf, create, ENDPOINT, ended, lines, linesOf, request, upload } from './rig/http-batches.ts';
import { chargesByPrompt, readLedger } from './rig/ledger.ts';
import { until } from './rig/poll.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

let sandbox: RunningSandbox;
let gateway: RunningGateway;
let client: OpenAI;
before(async () => {
  sandbox = await startSandbox();
  const lab = `  lab: { kind: openai-compatible, base_url: "${sandbox.url}/v1" }`;
  gateway = await startGateway({ yaml: ['providers:', lab, ''].join('\n') });
  client = clientOf(gateway);
});
after(async () => {
  await gateway.close();
  await sandbox.close();
});

test('a batch from upload to pictures, and its refused lines in the error file', async () => {
  const requests = [
    request('linked', { prompt: 'a linked fox' }),
    request('embedded', { prompt: 'an embedded fox', response_format: 'b64_json', n: 2 }),
    request('refused', { model: 'policy', prompt: 'a refused fox' }),
    request('wrong', { prompt: 'a wrong fox', n: 99 }),
    request('unknown', { model: 'nowhere/fox', prompt: 'nobody’s fox' }),
    request('last', { prompt: 'the last fox' }),
  ];
  const begun = await create(client, requests);
  assert.deepEqual([begun.object, begun.status, begun.endpoint], ['batch', 'validating', ENDPOINT]);
  const batch = await ended(client, begun.id);
  assert.deepEqual([batch.status, ...countsOf(batch)], ['completed', 6, 3, 3]);
  const output = await linesOf(client, batch.output_file_id);
  assert.deepEqual(
    output.map(({ custom_id, response, error }) => [custom_id, response?.status_code, error]),
    [
      ['linked', 200, null],
      ['embedded', 200, null],
      ['last', 200, null],
    ],
  );
  const picture = await fetch(output[0]?.response?.body.data?.[0]?.url ?? '');
  assert.deepEqual(Buffer.from(await picture.arrayBuffer()).subarray(0, 8), PNG);
  const embedded = output[1]?.response?.body.data ?? [];
  assert.equal(embedded.length, 2);
  for (const { b64_json = '' } of embedded) assert.deepEqual(Buffer.from(b64_json, 'base64').subarray(0, 8), PNG);
  const errors = await linesOf(client, batch.error_file_id);
  assert.deepEqual(
    errors.map(({ custom_id, response }) => [custom_id, response?.status_code, response?.body.error?.code]),
    [
      ['refused', 400, 'content_policy_violation'],
      ['wrong', 400, 'invalid_value'],
      ['unknown', 404, 'model_not_found'],
    ],
  );
});

test('a file that breaks the format fails its batch with a fault per line, and nothing is sent', async () => {
  const sentBefore = (await readLedger(sandbox.url)).total.requests;
  const wrong = [
    request('one', { prompt: 'a fox' }),
    request('one', { prompt: 'a second fox' }),
    { ...request('two', { prompt: 'a fox' }), url: '/v1/responses' },
    { ...request('three', { prompt: 'a fox' }), method: 'GET' },
    { ...request('four', {}), body: 'a fox' },
  ];
  const batch = await ended(client, (await create(client, wrong)).id);
  assert.equal(batch.status, 'failed');
  assert.deepEqual(
    batch.errors?.data?.map(({ code, line, param }) => [line, code, param]),
    [
      [2, 'duplicate_custom_id', 'custom_id'],
      [3, 'invalid_url', 'url'],
      [4, 'invalid_method', 'method'],
      [5, 'invalid_body', 'body'],
    ],
  );
  assert.deepEqual([batch.output_file_id, batch.error_file_id], [null, null]);
  assert.equal((await readLedger(sandbox.url)).total.requests, sentBefore);
});

test('files are listed, read and deleted; a batch goes on without its file', async () => {
  const id = await upload(client, lines('kept', 2, 'lab/ok'));
  const { bytes, purpose, filename, status } = await client.files.retrieve(id);
  assert.deepEqual([purpose, filename, status], ['batch', 'requests.jsonl', 'processed']);
  assert.equal(Buffer.byteLength(await (await client.files.content(id)).text()), bytes);
  const listed: string[] = [];
  for await (const file of client.files.list({ purpose: 'batch', limit: 1 })) listed.push(file.id);
  assert.ok(listed.includes(id) && listed.length > 1, String(listed));
  const begun = await client.batches.create({
    input_file_id: id,
    endpoint: ENDPOINT,
    completion_window: '24h',
    metadata: { run: 'seven' },
  });
  assert.deepEqual(await client.files.delete(id), { id, object: 'file', deleted: true });
  await assert.rejects(client.files.retrieve(id), OpenAI.NotFoundError);
  const batch = await ended(client, begun.id);
  assert.deepEqual([batch.status, ...countsOf(batch), batch.metadata], ['completed', 2, 2, 0, { run: 'seven' }]);
  const batches: string[] = [];
  for await (const one of client.batches.list({ limit: 1 })) batches.push(one.id);
  assert.equal(batches[0], begun.id);
  assert.equal(new Set(batches).size, batches.length);
});

test('what is wrong with a call is told before anything begins', async () => {
  const input_file_id = await upload(client, lines('never', 1, 'lab/ok'));
  const other = { input_file_id, completion_window: '24h' as const };
  await assert.rejects(client.batches.create({ ...other, endpoint: '/v1/completions' }), OpenAI.BadRequestError);
  const unknown = { ...other, input_file_id: 'file-000000000000000000000000' };
  await assert.rejects(client.batches.create({ ...unknown, endpoint: ENDPOINT }), OpenAI.NotFoundError);
  const file = await toFile(Buffer.from('{}'), 'a.jsonl');
  await assert.rejects(client.files.create({ file, purpose: 'vision' }), OpenAI.BadRequestError);
  await assert.rejects(client.batches.retrieve('batch_none'), OpenAI.NotFoundError);
  await assert.rejects(client.batches.cancel('batch_none'), OpenAI.NotFoundError);
});

test('a client that repeats its POST, because the answer was lost, gets the batch it made', async () => {
  const input_file_id = await upload(client, lines('once', 2, 'lab/ok'));
  const body = { input_file_id, endpoint: ENDPOINT, completion_window: '24h' } as const;
  const first = await client.batches.create(body);
  const repeated = { headers: { 'x-stainless-retry-count': '1' } };
  const second = await call(`${gateway.url}/v1/batches`, { body, ...repeated });
  assert.equal(second.body.id, first.id);
  const keyed = { headers: { 'idempotency-key': 'mine' } };
  const keyedPost = () => call(`${gateway.url}/v1/batches`, { body, ...keyed });
  const [third, fourth] = await Promise.all([keyedPost(), keyedPost()]);
  assert.notEqual(third.body.id, first.id);
  assert.equal(fourth.body.id, third.body.id);
  const changed = { ...body, metadata: { other: 'yes' } };
  assert.equal((await call(`${gateway.url}/v1/batches`, { body: changed, ...keyed })).status, 422);
  await ended(client, String(third.body.id));
  await ended(client, first.id);
});

test('canceled: what is done is in the output, everything else is listed and never sent', async () => {
  const requests = [...lines('made', 3, 'lab/ok'), ...lines('slow', 297, 'lab/slow:30')];
  const begun = await create(client, requests);
  await until('three pictures', async () => (await client.batches.retrieve(begun.id)).request_counts?.completed === 3);
  assert.match((await client.batches.cancel(begun.id)).status, /^cancell(?:ing|ed)$/);
  const batch = await ended(client, begun.id);
  assert.deepEqual([batch.status, ...countsOf(batch)], ['cancelled', 300, 3, 297]);
  const output = await linesOf(client, batch.output_file_id);
  assert.deepEqual(
    output.map(({ custom_id }) => custom_id),
    ['made 0', 'made 1', 'made 2'],
  );
  const errors = await linesOf(client, batch.error_file_id);
  assert.deepEqual(
    errors.map(({ custom_id }) => custom_id),
    lines('slow', 297, '').map(({ custom_id }) => custom_id),
  );
  assert.ok(errors.some(({ response, error }) => response === null && error?.code === 'batch_cancelled'));
  const charges = chargesByPrompt(await readLedger(sandbox.url));
  const sent = errors.filter(({ custom_id }) => charges.has(custom_id));
  for (const { custom_id, response } of sent) assert.equal(response?.body.onetake?.billed, 'maybe', custom_id);
  assert.equal((await client.batches.cancel(begun.id)).status, 'cancelled');
  const { body } = await call(`${gateway.url}/v1/tasks?status=processing`);
  assert.deepEqual(body.data, []);
});

test('callers do not see each other’s files and batches', async (context) => {
  const own = await startGateway({ env: { ONETAKE_API_KEYS: 'ann:key-of-ann-1234567,bob:key-of-bob-1234567' } });
  context.after(() => own.close());
  const as = (apiKey: string) => new OpenAI({ baseURL: `${own.url}/v1`, apiKey, logLevel: 'off' });
  const [ann, bob] = [as('key-of-ann-1234567'), as('key-of-bob-1234567')];
  const file = await toFile(Buffer.from(JSON.stringify(request('a', { prompt: 'a fox' }))), 'a.jsonl');
  const { id } = await ann.files.create({ file, purpose: 'batch' });
  const wanted = { input_file_id: id, endpoint: ENDPOINT, completion_window: '24h' } as const;
  await assert.rejects(bob.batches.create(wanted), OpenAI.NotFoundError);
  await assert.rejects(bob.files.content(id), OpenAI.NotFoundError);
  await assert.rejects(bob.files.delete(id), OpenAI.NotFoundError);
  const batch = await ann.batches.create(wanted);
  await assert.rejects(bob.batches.retrieve(batch.id), OpenAI.NotFoundError);
  await assert.rejects(bob.batches.cancel(batch.id), OpenAI.NotFoundError);
  assert.deepEqual([(await bob.files.list()).data, (await bob.batches.list()).data], [[], []]);
  assert.equal((await ann.batches.list()).data.length, 1);
});
