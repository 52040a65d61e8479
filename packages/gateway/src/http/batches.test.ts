import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import multipart from '@fastify/multipart';
import Fastify from 'fastify';
import { createNode, createWorld, requestLines, until } from '../batches/testing/world.ts';
import { type BatchRequest, batchRoutes } from './batches.ts';
import { type FileRequest, fileRoutes } from './files.ts';
import { FailureProblem, problemBody, RequestProblem } from './problem.ts';

const BODY_LIMIT = 10_000;

async function serve(context: TestContext) {
  const world = createWorld(context);
  const node = await createNode(world);
  const config = {
    bodyLimitBytes: BODY_LIMIT,
    retention: { days: 2, bytes: 1, ledgerDays: 400 },
    attachWindowMs: 900_000,
  };
  const deps = { ...node, config, io: world.clock };
  const [files, batches] = [fileRoutes(deps), batchRoutes(deps)];
  const app = Fastify({ bodyLimit: BODY_LIMIT });
  context.after(() => app.close());
  await app.register(multipart);
  app.decorateRequest('caller', '');
  app.decorateRequest('fromBrowser', false);
  app.addHook('onRequest', async (request) => {
    request.caller = String(request.headers['x-caller'] ?? 'local');
  });
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof FailureProblem) return reply.code(429).send({ error: { code: error.failure.kind } });
    assert.ok(error instanceof RequestProblem, String(error));
    return reply.code(error.status).send(problemBody(error, 'r'));
  });
  app.post('/v1/files', files.create);
  app.get('/v1/files', files.list);
  app.get<FileRequest>('/v1/files/:id', files.read);
  app.get<FileRequest>('/v1/files/:id/content', files.content);
  app.delete<FileRequest>('/v1/files/:id', files.remove);
  app.post('/v1/batches', batches.create);
  app.get('/v1/batches', batches.list);
  app.get<BatchRequest>('/v1/batches/:id', batches.read);
  app.post<BatchRequest>('/v1/batches/:id/cancel', batches.cancel);
  return { app, world, node };
}

type Served = Awaited<ReturnType<typeof serve>>;

async function ask({ app }: Served, method: 'GET' | 'POST' | 'DELETE', url: string, body?: object, headers = {}) {
  const answer = await app.inject({ method, url, headers, ...(body && { payload: body }) });
  const isJson = String(answer.headers['content-type']).startsWith('application/json');
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: isJson ? answer.json() : {} };
}

async function send(served: Served, fields: Readonly<Record<string, string>>, file?: string, headers = {}) {
  const form = new FormData();
  if (file !== undefined) form.append('file', new Blob([file]), 'requests.jsonl');
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const sent = new Response(form);
  const type = sent.headers.get('content-type') ?? '';
  const payload = Buffer.from(await sent.arrayBuffer());
  const answer = await served.app.inject({
    ...{ method: 'POST', url: '/v1/files', payload },
    headers: { 'content-type': type, ...headers },
  });
  return { status: answer.statusCode, body: answer.json() };
}

const TEXT = requestLines(2)
  .map((line) => JSON.stringify(line))
  .join('\n');
const WANTED = { endpoint: '/v1/images/generations', completion_window: '24h' };

test('a file is told as OpenAI tells it, downloaded as it came, and kept as long as was asked', async (context) => {
  const served = await serve(context);
  const { status, body } = await send(served, { purpose: 'batch' }, TEXT);
  assert.equal(status, 200);
  assert.deepEqual(body, {
    ...{ id: body.id, object: 'file', bytes: TEXT.length, filename: 'requests.jsonl', purpose: 'batch' },
    ...{ created_at: 1_000, expires_at: 1_000 + 2 * 86_400, status: 'processed', status_details: null },
  });
  const content = await ask(served, 'GET', `/v1/files/${body.id}/content`);
  assert.deepEqual([content.text, content.headers['x-content-type-options']], [TEXT, 'nosniff']);
  const seconds = { 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3600' };
  assert.equal((await send(served, { purpose: 'batch', ...seconds }, TEXT)).body.expires_at, 4_600);
  const other = { 'x-caller': 'bob' };
  assert.equal((await ask(served, 'GET', `/v1/files/${body.id}`, undefined, other)).status, 404);
  assert.equal((await ask(served, 'DELETE', `/v1/files/${body.id}`)).body.deleted, true);
  assert.equal((await ask(served, 'DELETE', `/v1/files/${body.id}`)).status, 404);
});

test('files are paged by the id a page ended with', async (context) => {
  const served = await serve(context);
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    ids.push((await send(served, { purpose: 'batch' }, TEXT)).body.id);
    served.world.clock.advance(1_000);
  }
  const page = await ask(served, 'GET', '/v1/files?limit=2');
  assert.deepEqual([page.body.data.map(({ id }: { id: string }) => id), page.body.has_more], [[ids[2], ids[1]], true]);
  const rest = await ask(served, 'GET', `/v1/files?limit=2&after=${page.body.last_id}`);
  assert.deepEqual([rest.body.first_id, rest.body.last_id, rest.body.has_more], [ids[0], ids[0], false]);
  assert.equal((await ask(served, 'GET', '/v1/files?order=asc&limit=1')).body.first_id, ids[0]);
  assert.deepEqual((await ask(served, 'GET', '/v1/files?purpose=batch_output')).body.data, []);
  for (const query of ['limit=0', 'limit=x', 'after=file-none']) {
    assert.equal((await ask(served, 'GET', `/v1/files?${query}`)).status, 400, query);
  }
});

test('a wrong upload is a 4xx that names the field, and leaves nothing', async (context) => {
  const served = await serve(context);
  const wrong: readonly (readonly [Readonly<Record<string, string>>, string | undefined, number, string])[] = [
    [{}, TEXT, 400, 'purpose'],
    [{ purpose: 'vision' }, TEXT, 400, 'purpose'],
    [{ purpose: 'batch' }, undefined, 400, 'file'],
    [{ purpose: 'batch' }, '', 400, 'file'],
    [
      { purpose: 'batch', 'expires_after[anchor]': 'now', 'expires_after[seconds]': '3600' },
      TEXT,
      400,
      'expires_after',
    ],
    [{ purpose: 'batch' }, 'x'.repeat(BODY_LIMIT), 413, 'body'],
  ];
  for (const [fields, file, expected, param] of wrong) {
    const { status, body } = await send(served, fields, file);
    assert.equal(status, expected, JSON.stringify(body));
    assert.ok(body.error.message.startsWith(`${param}: `), body.error.message);
  }
  assert.equal((await ask(served, 'POST', '/v1/files', { purpose: 'batch' })).status, 400);
  assert.deepEqual((await ask(served, 'GET', '/v1/files')).body.data, []);
});

test('a batch is told as OpenAI tells it, from its creation to its end', async (context) => {
  const served = await serve(context);
  const { id: input } = (await send(served, { purpose: 'batch' }, TEXT)).body;
  const asked = { ...WANTED, input_file_id: input, metadata: { a: 'b' } };
  const { status, body: begun } = await ask(served, 'POST', '/v1/batches', asked);
  const unset = { output_file_id: null, error_file_id: null, in_progress_at: null, finalizing_at: null };
  const never = { completed_at: null, failed_at: null, expired_at: null, cancelling_at: null, cancelled_at: null };
  assert.equal(status, 200);
  assert.deepEqual(begun, {
    ...{ ...asked, id: begun.id, object: 'batch', errors: null, status: 'validating', ...unset, ...never },
    ...{ created_at: 1_000, expires_at: 87_400, request_counts: { total: 0, completed: 0, failed: 0 } },
  });
  const done = await until(async () => {
    for (const { id } of served.world.tasks.open()) {
      served.world.tasks.end(id, { ok: false, failure: { kind: 'network', certainty: 'ambiguous', message: 'cut' } });
    }
    const { body } = await ask(served, 'GET', `/v1/batches/${begun.id}`);
    return body.status === 'completed' && body;
  });
  assert.deepEqual(done.request_counts, { total: 2, completed: 0, failed: 2 });
  assert.deepEqual([done.completed_at, done.output_file_id], [1_000, null]);
  const errors = await ask(served, 'GET', `/v1/files/${done.error_file_id}/content`);
  const [line] = errors.text.split('\n').map((text) => text && JSON.parse(text));
  assert.deepEqual([line.response.status_code, line.response.body.error.code], [424, 'outcome_unknown']);
  assert.equal(line.id, line.response.request_id);
  const late = await ask(served, 'POST', `/v1/batches/${begun.id}/cancel`);
  assert.deepEqual([late.status, late.body.error.code], [409, 'batch_finished']);
  const output = await ask(served, 'POST', '/v1/batches', { ...asked, input_file_id: done.error_file_id });
  assert.deepEqual([output.status, output.body.error.param], [400, 'input_file_id']);
  assert.deepEqual((await ask(served, 'GET', '/v1/batches')).body.data, [done]);
  assert.deepEqual((await ask(served, 'GET', '/v1/batches', undefined, { 'x-caller': 'bob' })).body.data, []);
});

test('a wrong batch is a 4xx that names the field', async (context) => {
  const served = await serve(context);
  const { id: input } = (await send(served, { purpose: 'batch' }, TEXT)).body;
  const good = { ...WANTED, input_file_id: input };
  const wrong = [
    [{ ...good, input_file_id: undefined }, 400, 'input_file_id'],
    [{ ...good, input_file_id: 'file-none' }, 404, 'input_file_id'],
    [{ ...good, endpoint: '/v1/images/edits' }, 400, 'endpoint'],
    [{ ...good, completion_window: '1h' }, 400, 'completion_window'],
    [{ ...good, metadata: { a: 1 } }, 400, 'metadata'],
    [{ ...good, metadata: { a: 'x'.repeat(513) } }, 400, 'metadata'],
    [{ ...good, output_expires_after: { anchor: 'created_at', seconds: 1 } }, 400, 'output_expires_after'],
  ] as const;
  for (const [body, status, param] of wrong) {
    const answer = await ask(served, 'POST', '/v1/batches', body);
    assert.deepEqual([answer.status, answer.body.error.param], [status, param], answer.text);
  }
  assert.deepEqual(served.world.tasks.submitted, []);
});
