import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleOf } from '../faults/script.ts';
import type { Sandbox } from '../server.ts';
import { decodePng } from '../testing/decode-png.ts';
import { cancel, endOf, hookFor, jsonOf, ledgerOf, lookUp, sandboxFor, submit, taskOf } from '../testing/sandbox.ts';
import { TASK_FAULTS } from './behaviours.ts';

async function pictureAt(url: string | undefined): Promise<Buffer> {
  return Buffer.from(await (await fetch(url ?? '')).arrayBuffer());
}

async function submitted(sandbox: Sandbox, fields: object): Promise<string> {
  const response = await submit(sandbox, fields);
  assert.equal(response.status, 202);
  return (await taskOf(response)).id;
}

test('a job is accepted, looked up and done, with links to its pictures', async (t) => {
  const sandbox = await sandboxFor(t);
  const response = await submit(sandbox, { model: 'ok', n: 2, seed: 41 });
  const task = await taskOf(response);
  assert.equal(response.status, 202);
  assert.match(response.headers.get('x-request-id') ?? '', /^req_/u);
  assert.match(task.id, /^job_[0-9a-f]{24}$/u);
  assert.deepEqual([task.status, task.progress, task.poll_url], ['running', 0, `${sandbox.url}/tasks/${task.id}`]);
  assert.ok(Math.abs(Date.parse(task.created_at) - Date.now()) < 5000);
  assert.ok((task.retry_after_ms ?? 0) > 0);
  const done = await endOf(sandbox, task.id);
  assert.deepEqual([done.status, done.progress, done.error], ['succeeded', 100, undefined]);
  assert.deepEqual(
    done.output?.map(({ seed }) => seed),
    [41, 42],
  );
  assert.ok(done.output?.[0]?.url?.startsWith(`${sandbox.url}/files/`));
  assert.equal(decodePng(await pictureAt(done.output?.[0]?.url)).width, 64);
  assert.deepEqual((await taskOf(lookUp(sandbox, task.id))).output, done.output);
});

test('base64 comes in the answer where it is asked for, and an uploaded picture makes it an edit', async (t) => {
  const sandbox = await sandboxFor(t);
  const plain = await endOf(sandbox, await submitted(sandbox, { seed: 1, response_format: 'b64_json' }));
  const bytes = Buffer.from(plain.output?.[0]?.b64_json ?? '', 'base64');
  assert.equal(decodePng(bytes).height, 48);
  const form = new FormData();
  for (const [name, value] of Object.entries({ prompt: 'a red fox', size: '64x48', seed: '1', model: 'ok' }))
    form.set(name, value);
  form.set('image', new Blob([new Uint8Array(bytes)]), 'reference.png');
  const edit = await taskOf(fetch(`${sandbox.url}/tasks`, { method: 'POST', body: form }));
  const edited = await pictureAt((await endOf(sandbox, edit.id)).output?.[0]?.url);
  assert.equal(decodePng(edited).height, 48);
  assert.ok(!edited.equals(bytes));
});

test('jobs end failed, moderated, spoiled or nowhere, and the bill says which of them are charged', async (t) => {
  const sandbox = await sandboxFor(t);
  const ended = async (model: string) => endOf(sandbox, await submitted(sandbox, { model }));
  const failed = await ended('failed');
  assert.deepEqual([failed.status, failed.error?.code, failed.output], ['failed', 'generation_failed', undefined]);
  const moderated = await ended('sandbox-task/moderated:0.01');
  assert.deepEqual([moderated.status, moderated.error?.code], ['moderated', 'request_moderated']);
  assert.equal((await ended('moderated-output')).error?.code, 'content_moderated');
  const [whole, corrupt] = [await ended('ok'), await ended('corrupt')];
  assert.equal(corrupt.status, 'succeeded');
  assert.ok((await pictureAt(corrupt.output?.[0]?.url)).length < (await pictureAt(whole.output?.[0]?.url)).length);
  assert.deepEqual((await ended('empty')).output, []);
  assert.equal((await ended('no-data')).output, undefined);
  const gone = await submitted(sandbox, { model: 'gone:0.05' });
  let look = await lookUp(sandbox, gone);
  while (look.status === 200) look = await lookUp(sandbox, gone);
  assert.deepEqual([look.status, (await jsonOf(look)).error.code], [404, 'job_not_found']);
  assert.equal((await cancel(sandbox, gone)).status, 404);
  const { models, total } = await ledgerOf(sandbox);
  const charges = Object.entries(models).map(([model, { charged }]) => [model, charged]);
  assert.deepEqual(Object.fromEntries(charges), {
    'sandbox-task/failed': 1,
    'sandbox-task/moderated:0.01': 0,
    'sandbox-task/moderated-output': 1,
    'sandbox-task/ok': 1,
    'sandbox-task/corrupt': 1,
    'sandbox-task/empty': 1,
    'sandbox-task/no-data': 1,
    'sandbox-task/gone:0.05': 1,
  });
  assert.deepEqual([total.requests, total.charged], [8, 7]);
});

test('every other look at poll-500 fails, naming the job', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await submitted(sandbox, { model: 'poll-500' });
  const first = await lookUp(sandbox, id);
  assert.equal(first.status, 500);
  const failed = await taskOf(first);
  assert.deepEqual([failed.id, failed.error?.type], [id, 'server_error']);
  assert.deepEqual([(await lookUp(sandbox, id)).status, (await lookUp(sandbox, id)).status], [200, 500]);
  assert.equal((await endOf(sandbox, id)).status, 'succeeded');
});

test('a submit that is lost is charged, and nobody has its id', async (t) => {
  const sandbox = await sandboxFor(t);
  await assert.rejects(submit(sandbox, { model: 'submit-lost' }));
  assert.equal((await ledgerOf(sandbox)).models['sandbox-task/submit-lost']?.charged, 1);
});

test('what refuses an image refuses a submit; scripts move on; the two protocols have places of their own', async (t) => {
  const sandbox = await sandboxFor(t);
  const status = async (model: string) => (await submit(sandbox, { model })).status;
  assert.deepEqual(
    [await status('500,429:2,ok'), await status('500,429:2,ok'), await status('500,429:2,ok')],
    [500, 429, 202],
  );
  assert.deepEqual([await status('401'), await status('503'), await status('502-html')], [401, 503, 502]);
  assert.equal((await submit(sandbox, { model: '429:2' })).headers.get('retry-after'), '2');
  const image = await fetch(`${sandbox.url}/v1/images/generations`, {
    method: 'POST',
    body: JSON.stringify({ model: '500,429:2,ok', prompt: 'a red fox', size: '64x48' }),
  });
  assert.equal(image.status, 500);
  const { models } = await ledgerOf(sandbox);
  assert.deepEqual([models['sandbox-task/500,429:2,ok']?.requests, models['500,429:2,ok']?.requests], [3, 1]);
});

test('bad requests are refused in OpenAI’s envelope, cost nothing and are on the bill', async (t) => {
  const sandbox = await sandboxFor(t);
  const wrong: [object, string, string][] = [
    [{ prompt: undefined }, 'prompt', 'missing_required_parameter'],
    [{ n: 11 }, 'n', 'integer_above_max_value'],
    [{ size: 'large' }, 'size', 'invalid_value'],
    [{ webhook_url: 'ftp://example.com' }, 'webhook_url', 'invalid_value'],
    [{ webhook_url: 7 }, 'webhook_url', 'invalid_type'],
  ];
  for (const [fields, param, code] of wrong) {
    const response = await submit(sandbox, fields);
    const { error } = await jsonOf(response);
    assert.deepEqual([response.status, error.param, error.code], [400, param, code], error.message);
  }
  assert.equal((await submit(sandbox, {}, { body: '{' })).status, 400);
  assert.equal((await submit(sandbox, { model: 'sandbox-task/slwo:4' })).status, 404);
  const { total } = await ledgerOf(sandbox);
  assert.deepEqual([total.requests, total.charged], [wrong.length + 2, 0]);
});

test('a job that has not begun is canceled for nothing, a running one stays billed, an ended one refuses', async (t) => {
  const sandbox = await sandboxFor(t);
  const waiting = await submitted(sandbox, { model: 'queued:60', n: 2 });
  const cold = await submitted(sandbox, { model: 'cold:60' });
  const running = await submitted(sandbox, { model: 'stuck' });
  const free = await submitted(sandbox, { model: 'moderated:60' });
  assert.equal((await ledgerOf(sandbox)).total.charged, 4);
  const told = async (id: string) => {
    const response = await cancel(sandbox, id);
    const { status, billed } = await taskOf(response);
    return [response.status, status, billed];
  };
  assert.deepEqual(await told(waiting), [200, 'canceled', false]);
  assert.deepEqual(await told(cold), [200, 'canceled', false]);
  assert.deepEqual(await told(running), [200, 'canceled', true]);
  assert.deepEqual(await told(free), [200, 'canceled', false]);
  assert.deepEqual(await told(waiting), [200, 'canceled', false]);
  const after = await endOf(sandbox, running);
  assert.deepEqual([after.status, after.progress, after.billed], ['canceled', 50, true]);
  const done = await submitted(sandbox, { model: 'ok' });
  await endOf(sandbox, done);
  assert.deepEqual(await told(done), [409, 'succeeded', undefined]);
  assert.equal((await cancel(sandbox, 'job_0')).status, 404);
  const { total, models } = await ledgerOf(sandbox);
  assert.deepEqual(total, { requests: 5, images: 2, charged: 2, charged_usd: 0.08 });
  assert.deepEqual(models['sandbox-task/queued:60'], { requests: 1, images: 0, charged: 0, charged_usd: 0 });
  const { entries } = await jsonOf(fetch(`${sandbox.url}/ledger?detail=1`));
  const refunds = entries.filter(({ operation }) => operation === 'cancel');
  assert.deepEqual(
    refunds.map(({ job, charged }) => [job, charged]),
    [
      [waiting, -2],
      [cold, -1],
    ],
  );
});

test('a job is in the concurrency until it has ended, however it ends', async (t) => {
  const sandbox = await sandboxFor(t, { limit: { concurrency: 1 } });
  const stuck = await submitted(sandbox, { model: 'stuck' });
  const refused = await submit(sandbox, { model: 'ok' });
  assert.equal(refused.status, 429);
  assert.match((await jsonOf(refused)).error.message, /concurrent/u);
  await cancel(sandbox, stuck);
  assert.equal((await submit(sandbox, { model: '500' })).status, 500);
  for (const model of ['ok', 'failed', 'moderated', 'gone:0.01']) {
    let response = await submit(sandbox, { model });
    for (; response.status === 429; response = await submit(sandbox, { model }));
    assert.equal(response.status, 202, model);
  }
});

test('a silent limit of pictures holds for jobs too', async (t) => {
  const sandbox = await sandboxFor(t, { limit: { images: { count: 2, windowMs: 60_000 } }, silentLimit: true });
  assert.equal((await submit(sandbox, { n: 2 })).status, 202);
  const refused = await submit(sandbox, {});
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, null]);
});

test('a bill that is deleted takes its jobs with it', async (t) => {
  const sandbox = await sandboxFor(t, { limit: { concurrency: 1 } });
  const id = await submitted(sandbox, { model: 'stuck' });
  await fetch(`${sandbox.url}/ledger`, { method: 'DELETE' });
  assert.equal((await lookUp(sandbox, id)).status, 404);
  assert.equal((await submit(sandbox, { model: 'ok' })).status, 202);
});

test('the models of jobs are listed as such, and unknown paths explain themselves', async (t) => {
  const sandbox = await sandboxFor(t);
  const { faults } = (await jsonOf(fetch(`${sandbox.url}/faults`))) as unknown as {
    faults: { api: string; name: string; example: string; sentence: string }[];
  };
  assert.deepEqual(
    faults.filter(({ api }) => api === 'tasks').map(({ example }) => example),
    [...TASK_FAULTS.values()].map(exampleOf),
  );
  assert.ok(faults.some(({ api, name }) => api === 'images' && name === 'slow'));
  assert.equal((await fetch(`${sandbox.url}/tasks`)).status, 405);
  const wrong = await fetch(`${sandbox.url}/tasks/job_1/stop`, { method: 'POST' });
  assert.match((await jsonOf(wrong)).error.message, /POST \/tasks\/\{id\}\/cancel/u);
});

test('a webhook comes once when a job ends, whatever its end, and is what a look says', async (t) => {
  const [sandbox, hook] = [await sandboxFor(t), await hookFor(t)];
  const ids = [];
  for (const model of ['ok', 'failed', 'stuck', 'gone:0.01', 'lost-webhook:0.01'])
    ids.push(await submitted(sandbox, { model, webhook_url: hook.url }));
  await cancel(sandbox, ids[2] ?? '');
  await hook.come(3);
  const statuses = Object.fromEntries(hook.received.map(({ id, status }) => [id, status]));
  assert.deepEqual(statuses, { [ids[0] ?? '']: 'succeeded', [ids[1] ?? '']: 'failed', [ids[2] ?? '']: 'canceled' });
  const done = hook.received.find(({ status }) => status === 'succeeded');
  assert.deepEqual(done, await taskOf(lookUp(sandbox, ids[0] ?? '')));
  assert.equal((await endOf(sandbox, ids[4] ?? '')).status, 'succeeded');
  assert.equal(hook.received.length, 3);
});

test('a webhook that fails is sent once more, and one that nobody takes harms nothing', async (t) => {
  const [sandbox, hook] = [await sandboxFor(t), await hookFor(t, 503, 200)];
  const nowhere = await submitted(sandbox, { model: 'ok', webhook_url: `http://127.0.0.1:${sandbox.refusePort}/` });
  await submitted(sandbox, { model: 'ok', webhook_url: hook.url });
  await hook.come(2);
  assert.equal(hook.received[0]?.id, hook.received[1]?.id);
  assert.equal((await endOf(sandbox, nowhere)).status, 'succeeded');
});
