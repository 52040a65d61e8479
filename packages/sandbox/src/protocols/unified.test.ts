import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { at, hookFor, type Imitated, imitate, ledgerOf, sandboxFor, textAt } from '../testing/sandbox.ts';

const KEY = { authorization: 'Bearer key' };
const MODELS = { foxapi: 'wan-2.7-image', evolink: 'gpt-image-1.5' } as const;
type Name = keyof typeof MODELS;

function post(sandbox: Sandbox, name: Name, fields: object = {}, script = ''): Promise<Imitated> {
  const body = { model: MODELS[name], prompt: 'a red fox', ...fields };
  return imitate(sandbox, `${script && `/fault/${script}`}/${name}/v1/images/generations`, { body, headers: KEY });
}

async function ended(sandbox: Sandbox, name: Name, script = '', fields: object = {}): Promise<unknown> {
  const id = textAt((await post(sandbox, name, fields, script)).body, 'id');
  for (;;) {
    const { body } = await imitate(sandbox, `/${name}/v1/tasks/${id}`, { headers: KEY });
    if (!['pending', 'processing'].includes(textAt(body, 'status'))) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('results are objects at FoxAPI and links at EvoLink', async (t) => {
  const sandbox = await sandboxFor(t);
  const fox = await ended(sandbox, 'foxapi');
  assert.equal((await fetch(textAt(fox, 'results.0.url'))).status, 200);
  const evolink = await ended(sandbox, 'evolink');
  assert.equal((await fetch(textAt(evolink, 'results.0'))).status, 200);
  assert.equal(textAt(evolink, 'result_data.0.image_url'), textAt(evolink, 'results.0'));
});

test('a blocked picture is in disguise at FoxAPI, and called so at EvoLink', async (t) => {
  const sandbox = await sandboxFor(t);
  const of = async (name: Name, script: string) => textAt(await ended(sandbox, name, script), 'error.code');
  assert.deepEqual(await of('foxapi', 'moderated'), 'content_policy_violation');
  assert.deepEqual(await of('foxapi', 'moderated-output'), 'generation_failed');
  assert.deepEqual(await of('evolink', 'moderated-output'), 'content_policy_violation');
  assert.deepEqual(await of('evolink', 'failed'), 'service_error');
  const { models } = await ledgerOf(sandbox);
  assert.deepEqual([models['foxapi/wan-2.7-image']?.charged, models['evolink/gpt-image-1.5']?.charged], [0, 1]);
});

test('a wrong field is a 422 at FoxAPI, and a 400 with its status as the code at EvoLink', async (t) => {
  const sandbox = await sandboxFor(t);
  const fox = await post(sandbox, 'foxapi', { image_size: '1:1' });
  assert.deepEqual([fox.status, at(fox.body, 'error.type')], [422, 'invalid_request_error']);
  assert.equal((await post(sandbox, 'foxapi', { model: 'wan-9' })).status, 422);
  const evolink = await post(sandbox, 'evolink', { size: '7:1' });
  assert.deepEqual([evolink.status, at(evolink.body, 'error.code')], [400, 400]);
  assert.equal((await post(sandbox, 'evolink', { mask_url: 'https://example.com/mask.png' })).status, 400);
  assert.equal((await post(sandbox, 'evolink', { callback_url: 'http://example.com/' })).status, 400);
});

test('no balance is a 402 whose type says so', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const name of ['foxapi', 'evolink'] as const) {
    const { status, body } = await post(sandbox, name, {}, '402');
    assert.deepEqual([status, textAt(body, 'error.type')], [402, 'insufficient_quota']);
  }
});

test('an id of another shape is no id at EvoLink', async (t) => {
  const sandbox = await sandboxFor(t);
  const { status, body } = await imitate(sandbox, '/evolink/v1/tasks/1', { headers: KEY });
  assert.deepEqual([status, textAt(body, 'error.code')], [400, 'invalid_task_id']);
});

test('EvoLink calls back with the whole task', async (t) => {
  const sandbox = await sandboxFor(t);
  const hook = await hookFor(t, 200);
  const { body } = await post(sandbox, 'evolink', { callback_url: hook.url });
  await hook.come(1);
  assert.deepEqual([hook.received[0]?.id, hook.received[0]?.status], [textAt(body, 'id'), 'completed']);
});
