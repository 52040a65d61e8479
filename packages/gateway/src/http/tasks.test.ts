import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@onetake/core';
import { completedSnapshot, failedSnapshot, sampleSnapshot, startedEvent } from '../testing/task-samples.ts';
import { ask, serveTasks } from '../testing/task-server.ts';
import { retryAfterSeconds } from './task-answer.ts';

const WORKING = sampleSnapshot({ status: 'processing', journals: [[startedEvent()]] });

test('a task is told with its place and when to ask again; an unknown one and another caller’s are not there', async (context) => {
  const served = await serveTasks(context);
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
  const served = await serveTasks(context, { snapshot: WORKING });
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
  const none = await serveTasks(context, { snapshot: WORKING, maxOpen: 0 });
  const before = none.clock.now();
  assert.equal((await ask(none, 'GET', '/v1/tasks/gen_1?wait=60')).body.status, 'processing');
  assert.ok(none.clock.now() - before < 10_000);
  const stopping = await serveTasks(context, { snapshot: WORKING });
  const startedAt = stopping.clock.now();
  stopping.clock.timer(startedAt + 2_000, stopping.openAnswers.close);
  assert.equal((await ask(stopping, 'GET', '/v1/tasks/gen_1?wait=60')).status, 200);
  assert.ok(stopping.clock.now() - startedAt < 10_000);
});

test('a list is light, filtered and paged', async (context) => {
  const served = await serveTasks(context);
  const { body } = await ask(served, 'GET', '/v1/tasks?status=completed&limit=1');
  assert.deepEqual(served.filters, [{ caller: 'local', limit: 1, status: 'completed' }]);
  assert.deepEqual([body.object, body.data[0].progress, body.next], ['list', 100, '1000:gen_1']);
});

test('DELETE tells how a cancellation ended: 200 canceled, 202 asked, 409 over before', async (context) => {
  const served = await serveTasks(context, { snapshot: { ...WORKING, cancelRequestedAt: 2_500 } });
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
