import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { at, hookFor, type Imitated, imitate, ledgerOf, sandboxFor, textAt } from '../testing/sandbox.ts';

const KEY = { 'mj-api-secret': 'key' };

function post(sandbox: Sandbox, path: string, body: object, script = ''): Promise<Imitated> {
  return imitate(sandbox, `${script && `/fault/${script}`}/midjourney/mj/${path}`, { body, headers: KEY });
}

async function ended(sandbox: Sandbox, id: string): Promise<unknown> {
  for (;;) {
    const { body } = await imitate(sandbox, `/midjourney/mj/task/${id}/fetch`, { headers: KEY });
    if (['SUCCESS', 'FAILURE'].includes(textAt(body, 'status'))) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a prompt is submitted with a code inside a 200, and its state comes back with the picture', async (t) => {
  const sandbox = await sandboxFor(t);
  const { status, body } = await post(sandbox, 'submit/imagine', { prompt: 'a red fox --ar 1:2', state: 'mine' });
  assert.deepEqual([status, at(body, 'code')], [200, 1]);
  const done = await ended(sandbox, textAt(body, 'result'));
  assert.deepEqual([textAt(done, 'state'), textAt(done, 'progress')], ['mine', '100%']);
  assert.equal((await fetch(textAt(done, 'imageUrl'))).status, 200);
});

test('what it refuses is a code, too, but for the secret', async (t) => {
  const sandbox = await sandboxFor(t);
  const codeOf = async (body: object, script = '') =>
    at((await post(sandbox, 'submit/imagine', body, script)).body, 'code');
  assert.equal(await codeOf({ prompt: ' ' }), 4);
  assert.equal(await codeOf({ prompt: 'a red fox', base64Array: ['no data URL'] }), 4);
  assert.equal(await codeOf({ prompt: 'a red fox' }, 'policy'), 24);
  assert.equal(await codeOf({ prompt: 'a red fox' }, '429'), 23);
  const open = await imitate(sandbox, '/midjourney/mj/submit/imagine', { body: { prompt: 'a red fox' } });
  assert.equal(open.status, 401);
});

test('a variation and an upscale need a job that succeeded, and an upscale is the end', async (t) => {
  const sandbox = await sandboxFor(t);
  const grid = textAt((await post(sandbox, 'submit/imagine', { prompt: 'a red fox' })).body, 'result');
  const change = async (taskId: string, action: string, index = 2) =>
    (await post(sandbox, 'submit/change', { taskId, action, index })).body;
  assert.equal(at(await change(grid, 'UPSCALE'), 'code'), 4);
  await ended(sandbox, grid);
  assert.equal(at(await change('1', 'UPSCALE'), 'code'), 3);
  assert.equal(at(await change(grid, 'UPSCALE', 5), 'code'), 4);
  const upscaled = textAt(await change(grid, 'UPSCALE'), 'result');
  assert.equal(textAt(await ended(sandbox, upscaled), 'action'), 'UPSCALE');
  assert.equal(at(await change(upscaled, 'VARIATION'), 'code'), 4);
  assert.equal((await ledgerOf(sandbox)).models['midjourney/imagine']?.charged, 2);
});

test('a job that nobody knows is an empty 200, and a cancellation says nothing', async (t) => {
  const sandbox = await sandboxFor(t);
  const unknown = await fetch(`${sandbox.url}/midjourney/mj/task/1/fetch`, { headers: KEY });
  assert.deepEqual([unknown.status, await unknown.text()], [200, '']);
  const id = textAt((await post(sandbox, 'submit/imagine', { prompt: 'a red fox' }, 'stuck')).body, 'result');
  const init = { method: 'POST', headers: KEY };
  const canceled = await fetch(`${sandbox.url}/midjourney/mj/task/${id}/cancel`, init);
  assert.deepEqual([canceled.status, await canceled.text()], [200, '']);
  assert.equal(textAt(await ended(sandbox, id), 'failReason'), '取消任务');
});

test('the hook is told the whole job', async (t) => {
  const sandbox = await sandboxFor(t);
  const hook = await hookFor(t, 200);
  const { body } = await post(sandbox, 'submit/imagine', { prompt: 'a red fox', notifyHook: hook.url });
  await hook.come(1);
  assert.deepEqual([hook.received[0]?.id, hook.received[0]?.status], [textAt(body, 'result'), 'SUCCESS']);
});
