import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { at, type Imitated, imitate, ledgerOf, sandboxFor, textAt } from '../testing/sandbox.ts';

const KEY = { authorization: 'Bearer key' };
const PROMPT = { prompt: 'a red fox' };

function images(sandbox: Sandbox, fields: object, script = ''): Promise<Imitated> {
  const path = `${script && `/fault/${script}`}/openai/v1/images/generations`;
  return imitate(sandbox, path, { body: { model: 'gpt-image-1.5', ...PROMPT, ...fields }, headers: KEY });
}

function respond(sandbox: Sandbox, fields: object, script = ''): Promise<Imitated> {
  const path = `${script && `/fault/${script}`}/openai/v1/responses`;
  const tools = [{ type: 'image_generation', model: 'gpt-image-2', size: '64x48' }];
  return imitate(sandbox, path, { body: { model: 'gpt-5', input: 'a red fox', tools, ...fields }, headers: KEY });
}

async function responseAt(sandbox: Sandbox, body: unknown): Promise<unknown> {
  for (;;) {
    const seen = await imitate(sandbox, `/openai/v1/responses/${textAt(body, 'id')}`, { headers: KEY });
    if (!['queued', 'in_progress'].includes(textAt(seen.body, 'status'))) return seen.body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function errorOf({ status, body }: Imitated): readonly unknown[] {
  return [status, at(body, 'error.code'), at(body, 'error.param')];
}

test('Images are answered as GPT image models answer', async (t) => {
  const sandbox = await sandboxFor(t);
  const { status, body, headers } = await images(sandbox, {});
  assert.equal(status, 200);
  assert.ok(textAt(body, 'data.0.b64_json').length > 1000);
  assert.match(headers.get('x-request-id') ?? '', /^req_/u);
  assert.deepEqual((await ledgerOf(sandbox)).models['openai/gpt-image-1.5']?.charged, 1);
});

test('what GPT image models do not take is refused', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.deepEqual(errorOf(await images(sandbox, { response_format: 'url' })), [
    400,
    'unknown_parameter',
    'response_format',
  ]);
  assert.deepEqual(errorOf(await images(sandbox, { seed: 1 })), [400, 'unknown_parameter', 'seed']);
  assert.deepEqual(errorOf(await images(sandbox, { size: '512x512' })), [400, 'invalid_value', 'size']);
  assert.deepEqual(errorOf(await images(sandbox, { model: 'gpt-image-2', size: '576x1024' })), [
    400,
    'invalid_value',
    'size',
  ]);
  assert.deepEqual(errorOf(await images(sandbox, { quality: 'max' })), [400, 'invalid_value', 'quality']);
  assert.deepEqual(errorOf(await images(sandbox, { model: 'dall-e-3' })), [404, 'model_not_found', 'model']);
  const anonymous = await imitate(sandbox, '/openai/v1/images/generations', { body: PROMPT });
  assert.equal(anonymous.status, 401);
  assert.equal((await ledgerOf(sandbox)).total.charged, 0);
});

test('scripts stand in the path or in the field, and each request moves them on', async (t) => {
  const sandbox = await sandboxFor(t);
  const statuses = async (script: string, field?: string) => {
    const answers: number[] = [];
    for (let count = 0; count < 2; count++) {
      answers.push((await images(sandbox, field === undefined ? {} : { fault: field }, script)).status);
    }
    return answers;
  };
  assert.deepEqual(await statuses('500,ok'), [500, 200]);
  assert.deepEqual(await statuses('', '429,ok'), [429, 200]);
  assert.deepEqual(await statuses('500', 'policy,503'), [400, 503]);
  const misspelled = await images(sandbox, {}, 'polcy-output');
  assert.match(
    textAt(misspelled.body, 'error.message'),
    /'polcy-output' does not exist\. Did you mean 'policy-output/u,
  );
});

test('a background response is a job with a picture at its end', async (t) => {
  const sandbox = await sandboxFor(t);
  const { body } = await respond(sandbox, { background: true });
  assert.equal(textAt(body, 'status'), 'in_progress');
  const done = await responseAt(sandbox, body);
  assert.deepEqual([textAt(done, 'status'), textAt(done, 'output.0.size')], ['completed', '64x48']);
  assert.equal(Buffer.from(textAt(done, 'output.0.result'), 'base64').toString('latin1', 1, 4), 'PNG');
  assert.equal(textAt((await respond(sandbox, {})).body, 'output.0.status'), 'completed');
});

test('responses fail, are blocked or answer in words, in the words of the Responses API', async (t) => {
  const sandbox = await sandboxFor(t);
  const play = async (script: string) =>
    responseAt(sandbox, (await respond(sandbox, { background: true }, script)).body);
  assert.equal(textAt(await play('failed'), 'error.code'), 'server_error');
  for (const stage of ['input', 'output']) {
    const blocked = await play(stage === 'input' ? 'moderated' : 'moderated-output');
    const details = 'output.0.error.moderation_details.moderation_stage';
    assert.deepEqual([textAt(blocked, 'status'), textAt(blocked, details)], ['completed', stage]);
  }
  assert.equal(textAt(await play('empty'), 'output.0.type'), 'message');
  assert.equal(at(await play('no-data'), 'output.0.result'), null);
  assert.equal((await respond(sandbox, { stream: true })).status, 400);
});

test('a background response is cancelled, again and again; one that waited in the foreground is not', async (t) => {
  const sandbox = await sandboxFor(t);
  const { body } = await respond(sandbox, { background: true }, 'queued:60');
  const cancel = (id: string) =>
    imitate(sandbox, `/openai/v1/responses/${id}/cancel`, { method: 'POST', headers: KEY });
  assert.equal(textAt(body, 'status'), 'queued');
  assert.equal(textAt((await cancel(textAt(body, 'id'))).body, 'status'), 'cancelled');
  assert.equal(textAt((await cancel(textAt(body, 'id'))).body, 'status'), 'cancelled');
  assert.equal((await ledgerOf(sandbox)).total.charged, 0);
  const foreground = await respond(sandbox, {});
  assert.equal((await cancel(textAt(foreground.body, 'id'))).status, 400);
  assert.equal((await cancel('resp_none')).status, 404);
});
