import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ticket } from '../tasks/generations.ts';
import { testPng } from '../testing/pictures.ts';
import { completedSnapshot, failedSnapshot, sampleSnapshot, startedEvent } from '../testing/task-samples.ts';
import { ask, HOOKS, serveTasks } from '../testing/task-server.ts';

const WORKING = sampleSnapshot({ status: 'processing', journals: [[startedEvent()]] });
const ASKED = { prompt: 'a fox', model: 'image-best' };

test('POST /v1/tasks and Prefer: respond-async hand over the task', async (context) => {
  const served = await serveTasks(context);
  const asked = await ask(served, 'POST', '/v1/tasks', { body: ASKED });
  const prefer = { prefer: 'respond-async' };
  const preferred = await ask(served, 'POST', '/v1/images/generations', { body: ASKED, headers: prefer });
  for (const { status, headers, body } of [asked, preferred]) {
    assert.deepEqual([status, body.object, body.status], [202, 'image.generation.task', 'pending']);
    assert.deepEqual(
      [headers.location, headers['preference-applied'], headers['retry-after'], headers['x-onetake-generation']],
      ['/v1/tasks/gen_1', 'respond-async', '8', 'gen_1'],
    );
    assert.equal(headers['idempotent-replayed'], undefined);
  }
  const [first, second] = served.submissions;
  assert.deepEqual([first?.asTask, second?.asTask], [true, true]);
  assert.deepEqual([first?.endpoint, second?.endpoint], ['/v1/tasks', '/v1/images/generations']);
  assert.equal(first?.fingerprint, second?.fingerprint);
});

test('a task that is replayed is handed over whatever became of it', async (context) => {
  const ticket: Ticket = { kind: 'task', id: 'gen_1', replayed: true };
  const served = await serveTasks(context, { snapshot: completedSnapshot(), ticket });
  const headers = { 'idempotency-key': 'k' };
  const { status, headers: told, body } = await ask(served, 'POST', '/v1/tasks', { body: ASKED, headers });
  assert.deepEqual([status, told['idempotent-replayed'], body.status], [202, 'true', 'completed']);
  assert.equal(served.submissions[0]?.idempotencyKey, 'k');
});

test('Prefer: wait answers as the endpoint does when it is over in time, and hands over the task when not', async (context) => {
  const served = await serveTasks(context, { snapshot: WORKING });
  const { clock, tasks } = served;
  const headers = { prefer: 'respond-async, wait=10' };
  const late = await ask(served, 'POST', '/v1/images/generations', { body: ASKED, headers });
  assert.deepEqual([late.status, late.body.status], [202, 'processing']);
  assert.equal(late.headers['preference-applied'], 'respond-async, wait=10');
  clock.timer(clock.now() + 3_000, () => tasks.change(completedSnapshot()));
  const inTime = await ask(served, 'POST', '/v1/images/generations', { body: ASKED, headers: { prefer: 'wait=10' } });
  assert.equal(inTime.status, 200);
  assert.deepEqual(inTime.body.data, [{ b64_json: 'YWJj', revised_prompt: 'a redder fox' }]);
  assert.deepEqual(
    [inTime.headers['preference-applied'], inTime.headers['x-onetake-generation'], inTime.headers.location],
    ['wait=10', 'gen_1', undefined],
  );
  const asTask = await ask(served, 'POST', '/v1/tasks', { body: ASKED, headers: { prefer: 'wait=10' } });
  assert.deepEqual([asTask.status, asTask.body.object], [200, 'image.generation.task']);
  tasks.change(failedSnapshot({ kind: 'server', certainty: 'failed', message: 'it failed' }));
  const failed = await ask(served, 'POST', '/v1/images/generations', { body: ASKED, headers: { prefer: 'wait=1' } });
  assert.deepEqual([failed.status, failed.body.error.code], [424, 'generation_failed']);
  assert.equal(tasks.following(), 0);
});

test('a task with pictures to work from is an edit', async (context) => {
  const served = await serveTasks(context);
  const link = 'https://a.example/fox';
  for (const picture of [{ image: link }, { images: [{ image_url: link }] }]) {
    await ask(served, 'POST', '/v1/tasks', { body: { ...ASKED, ...picture } });
  }
  await ask(served, 'POST', '/v1/tasks', { body: { ...ASKED, image: null } });
  const form = new FormData();
  form.append('prompt', 'a fox');
  form.append('image', new Blob([new Uint8Array(testPng())]), 'fox.png');
  assert.equal((await served.app.inject({ method: 'POST', url: '/v1/tasks', payload: form })).statusCode, 202);
  assert.deepEqual(
    served.submissions.map(({ request }) => [request.operation, request.images?.length]),
    [
      ['edit', 1],
      ['edit', 1],
      ['generate', undefined],
      ['edit', 1],
    ],
  );
  const { body } = await ask(served, 'POST', '/v1/tasks', { body: { ...ASKED, mask: link } });
  assert.equal(body.error.param, 'image');
});

test('what is configured for a caller’s webhook is for tasks; what a request says is for any', async (context) => {
  const served = await serveTasks(context);
  const headers = { prefer: 'respond-async', 'x-onetake-priority': 'batch' };
  const url = 'https://other.example/';
  await ask(served, 'POST', '/v1/images/generations', { body: ASKED, headers });
  await ask(served, 'POST', '/v1/images/generations', { body: ASKED });
  await ask(served, 'POST', '/v1/images/generations', { body: { ...ASKED, onetake: { webhook_url: url } } });
  await ask(served, 'POST', '/v1/tasks', { body: { ...ASKED, onetake: { webhook_url: 'off' } } });
  await ask(served, 'POST', '/v1/tasks', { body: { ...ASKED, onetake: { webhook_events: ['task.failed'] } } });
  assert.deepEqual(
    served.submissions.map(({ webhook, asTask }) => [asTask, webhook?.url]),
    [
      [true, HOOKS],
      [false, undefined],
      [false, url],
      [true, undefined],
      [true, HOOKS],
    ],
  );
  assert.deepEqual(
    served.submissions.map(({ priority }) => priority),
    ['batch', ...Array(4).fill('interactive')],
  );
  assert.deepEqual(served.submissions[4]?.webhook?.events, ['task.failed']);
  const bad = await ask(served, 'POST', '/v1/tasks', { body: { ...ASKED, onetake: { webhook_url: 'ftp://x' } } });
  assert.deepEqual([bad.status, bad.body.error.param], [400, 'onetake.webhook_url']);
});

test('who leaves a wait and asked to cancel then, cancels; others do not', async (context) => {
  for (const [onDisconnect, canceled] of [
    ['cancel', ['gen_1']],
    ['keep', []],
  ] as const) {
    const { app, tasks } = await serveTasks(context, { snapshot: WORKING });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const leaving = new AbortController();
    const headers = { 'content-type': 'application/json', prefer: 'wait=60', 'x-onetake-on-disconnect': onDisconnect };
    const body = JSON.stringify(ASKED);
    const asked = fetch(`${url}/v1/images/generations`, { method: 'POST', headers, body, signal: leaving.signal });
    while (tasks.following() === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort();
    await assert.rejects(asked);
    while (tasks.following() > 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(tasks.canceled, canceled);
  }
});

test('a request that allows no change is not the same as one that does', async (context) => {
  const served = await serveTasks(context);
  for (const controls of [
    {},
    { 'x-onetake-strict': 'on' },
    { 'x-onetake-aliases': 'off' },
    { 'x-onetake-strict': 'off' },
  ]) {
    await ask(served, 'POST', '/v1/tasks', { body: ASKED, headers: controls });
  }
  const [plain, strict, unaliased, lenient] = served.submissions.map(({ fingerprint }) => fingerprint);
  assert.equal(plain, lenient);
  assert.equal(new Set([plain, strict, unaliased]).size, 3);
});
