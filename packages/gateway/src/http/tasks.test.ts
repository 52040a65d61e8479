import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import multipart from '@fastify/multipart';
import { createIntake, createMemoryAssets, type JsonObject } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import type { FetchImage } from '../assets/download.ts';
import { acceptReference } from '../assets/reference-image.ts';
import type { ListFilter } from '../store/store.ts';
import type { Snapshot } from '../tasks/following.ts';
import type { Submission, Ticket } from '../tasks/generations.ts';
import { createUndelivered } from '../tasks/undelivered.ts';
import { startHeartbeat } from '../testing/heartbeat.ts';
import { testPng } from '../testing/pictures.ts';
import {
  completedSnapshot,
  createFakeTasks,
  failedSnapshot,
  sampleSnapshot,
  startedEvent,
} from '../testing/task-samples.ts';
import { imageRoutes } from './image-routes.ts';
import { createOpenAnswers } from './open-answers.ts';
import { problemBody, RequestProblem } from './problem.ts';
import { retryAfterSeconds } from './task-answer.ts';
import { type TaskRequest, taskRoutes } from './tasks.ts';

const WORKING = sampleSnapshot({ status: 'processing', journals: [[startedEvent()]] });
const HOOKS = 'https://hooks.example/';

interface Options {
  readonly snapshot?: Snapshot;
  readonly ticket?: Ticket;
  readonly maxOpen?: number;
}

const TASK_TICKET: Ticket = { kind: 'task', id: 'gen_1', replayed: false };

/** The task endpoints and those that make tasks, over one task that tests change by hand. */
async function serve(context: TestContext, options: Options = {}) {
  const clock = createVirtualClock(3_000);
  const tasks = createFakeTasks(options.snapshot ?? sampleSnapshot());
  const openAnswers = createOpenAnswers(options.maxOpen ?? 10);
  const submissions: Submission[] = [];
  const filters: ListFilter[] = [];
  const app = Fastify({ forceCloseConnections: true });
  context.after(() => app.close());
  await app.register(multipart);
  app.decorateRequest('caller', 'local');
  app.decorateRequest('fromBrowser', false);
  app.setErrorHandler((error, _request, reply) => {
    assert.ok(error instanceof RequestProblem, String(error));
    return reply.code(error.status).send(problemBody(error, 'r'));
  });
  const deps = {
    ...{ tasks, openAnswers, assetsUrl: () => 'http://x/v1/assets' },
    io: { now: clock.now, timer: clock.timer, send: () => assert.fail('nothing is sent') },
  };
  const list = async (filter: ListFilter) => {
    filters.push(filter);
    return [completedSnapshot()];
  };
  const submit = async (submission: Submission) => {
    submissions.push(submission);
    return options.ticket ?? TASK_TICKET;
  };
  const images = imageRoutes({ ...deps, ...IMAGES, generations: { submit } });
  const routes = taskRoutes({ ...deps, store: { list } });
  app.post('/v1/images/generations', images.generate);
  app.post('/v1/images/edits', images.edit);
  app.post('/v1/tasks', images.task);
  app.get('/v1/tasks', routes.list);
  app.get<TaskRequest>('/v1/tasks/:id', routes.read);
  app.delete<TaskRequest>('/v1/tasks/:id', routes.cancel);
  return { app, clock, tasks, openAnswers, submissions, filters };
}

const IMAGES = {
  assets: {
    ...createMemoryAssets(),
    size: async () => 3,
    async *read() {
      yield Buffer.from('abc');
    },
  },
  config: { bodyLimitBytes: 1_000_000, webhooks: { allowPrivate: false, callers: { local: { url: HOOKS } } } },
  fetchImage: (async (_url, { assets, param }) => {
    const intake = createIntake(assets);
    const blob = intake.openBlob();
    await blob.write(testPng());
    return acceptReference(await intake.settle(blob.end()), param);
  }) satisfies FetchImage,
  undelivered: createUndelivered({ windowMs: 1, maxEntries: 1 }),
  deliveries: { follow: () => assert.fail('a task is not followed to its caller'), close: async () => {} },
};

type Served = Awaited<ReturnType<typeof serve>>;

/** One exchange while virtual time runs. */
async function ask(
  { app, clock }: Served,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  options: { body?: object; headers?: Record<string, string> } = {},
) {
  const stopHeartbeat = startHeartbeat(clock);
  const { body, headers = {} } = options;
  const answer = await clock
    .drive(app.inject({ method, url, headers, ...(body && { payload: body }) }).then((one) => one))
    .finally(stopHeartbeat);
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

const ASKED = { prompt: 'a fox', model: 'image-best' };

test('a task is told with its place and when to ask again; an unknown one and another caller’s are not there', async (context) => {
  const served = await serve(context);
  const { status, headers, body } = await ask(served, 'GET', '/v1/tasks/gen_1');
  assert.deepEqual([status, body.status, body.queue], [200, 'pending', { position: 3, eta_ms: 7_201 }]);
  assert.deepEqual([headers['retry-after'], headers['cache-control']], ['8', 'no-store']);
  served.tasks.change(WORKING);
  assert.equal((await ask(served, 'GET', '/v1/tasks/gen_1')).headers['retry-after'], '1');
  served.tasks.change({ caller: 'somebody else' });
  for (const [method, path] of [
    ['GET', 'gen_1'],
    ['GET', 'gen_1?wait=1'],
    ['GET', 'gen_2'],
    ['DELETE', 'gen_1'],
  ] as const) {
    const unknown = await ask(served, method, `/v1/tasks/${path}`);
    assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'not_found'], `${method} ${path}`);
  }
});

test('asking again is advised by what is known of the wait, and less often later', () => {
  const after = (task: JsonObject, now: number) => retryAfterSeconds(WORKING, task, now);
  assert.deepEqual([after({}, 2_000), after({}, 60_000)], [1, 5]);
  const queued = (eta_ms: number | null) => ({ queue: { position: 1, eta_ms } });
  assert.deepEqual([after(queued(20), 0), after(queued(12_001), 0), after(queued(3_600_000), 0)], [1, 13, 60]);
  assert.equal(after(queued(null), 60_000), 5);
});

test('a long poll answers at the end, or when its time is up', async (context) => {
  const served = await serve(context, { snapshot: WORKING });
  const { clock, tasks } = served;
  const startedAt = clock.now();
  const unfinished = await ask(served, 'GET', '/v1/tasks/gen_1?wait=20');
  assert.deepEqual([unfinished.status, unfinished.body.status], [200, 'processing']);
  assert.ok(clock.now() - startedAt >= 20_000);
  const cut = clock.now();
  await ask(served, 'GET', '/v1/tasks/gen_1?wait=3600');
  assert.ok(clock.now() - cut >= 60_000 && clock.now() - cut < 70_000, 'a longer wait is cut');
  clock.timer(clock.now() + 5_000, () => tasks.change(completedSnapshot()));
  const finished = await ask(served, 'GET', '/v1/tasks/gen_1?wait=60');
  assert.deepEqual([finished.body.status, finished.headers['retry-after']], ['completed', undefined]);
  assert.equal(tasks.following(), 0);
  for (const wait of ['x', '-1', '1s', '1e1']) {
    assert.equal((await ask(served, 'GET', `/v1/tasks/gen_1?wait=${wait}`)).body.error.param, 'wait');
  }
});

test('a long poll ends early where there are as many as may be, and when the gateway stops', async (context) => {
  const none = await serve(context, { snapshot: WORKING, maxOpen: 0 });
  const before = none.clock.now();
  assert.equal((await ask(none, 'GET', '/v1/tasks/gen_1?wait=60')).body.status, 'processing');
  assert.ok(none.clock.now() - before < 10_000);
  const stopping = await serve(context, { snapshot: WORKING });
  const startedAt = stopping.clock.now();
  stopping.clock.timer(startedAt + 2_000, stopping.openAnswers.close);
  assert.equal((await ask(stopping, 'GET', '/v1/tasks/gen_1?wait=60')).status, 200);
  assert.ok(stopping.clock.now() - startedAt < 10_000);
});

test('a list is light, filtered and paged', async (context) => {
  const served = await serve(context);
  const { body } = await ask(served, 'GET', '/v1/tasks?status=completed&limit=1');
  assert.deepEqual(served.filters, [{ caller: 'local', limit: 1, status: 'completed' }]);
  assert.deepEqual([body.object, body.data[0].progress, body.next], ['list', 100, '1000:gen_1']);
});

test('DELETE tells how a cancellation ended: 200 canceled, 202 asked, 409 over before', async (context) => {
  const served = await serve(context, { snapshot: { ...WORKING, cancelRequestedAt: 2_500 } });
  const asked = await ask(served, 'DELETE', '/v1/tasks/gen_1');
  assert.deepEqual([asked.status, asked.body.onetake.cancel], [202, 'requested']);
  assert.ok(asked.headers['retry-after']);
  const failure = { kind: 'canceled', certainty: 'ambiguous', cancel: 'unconfirmed', message: 'given up' } as const;
  served.tasks.cancelsAs({ kind: 'canceled', confirmed: false }, failedSnapshot(failure, 'canceled'));
  const canceled = await ask(served, 'DELETE', '/v1/tasks/gen_1');
  assert.deepEqual(
    [canceled.status, canceled.body.status, canceled.body.onetake.cancel],
    [200, 'canceled', 'unconfirmed'],
  );
  const over = await ask(served, 'DELETE', '/v1/tasks/gen_1');
  assert.deepEqual([over.status, over.body.error.code, over.body.task.status], [409, 'task_finished', 'canceled']);
});

test('POST /v1/tasks and Prefer: respond-async hand over the task', async (context) => {
  const served = await serve(context);
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
  const served = await serve(context, { snapshot: completedSnapshot(), ticket });
  const headers = { 'idempotency-key': 'k' };
  const { status, headers: told, body } = await ask(served, 'POST', '/v1/tasks', { body: ASKED, headers });
  assert.deepEqual([status, told['idempotent-replayed'], body.status], [202, 'true', 'completed']);
  assert.equal(served.submissions[0]?.idempotencyKey, 'k');
});

test('Prefer: wait answers as the endpoint does when it is over in time, and hands over the task when not', async (context) => {
  const served = await serve(context, { snapshot: WORKING });
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
  const served = await serve(context);
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
  const served = await serve(context);
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
    const { app, tasks } = await serve(context, { snapshot: WORKING });
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
