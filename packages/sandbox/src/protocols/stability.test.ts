import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { at, type Imitated, imitate, ledgerOf, sandboxFor, textAt } from '../testing/sandbox.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const HEADERS = { authorization: 'Bearer sk-1', accept: 'application/json' };

function formOf(fields: Readonly<Record<string, string | Buffer>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.set(name, value);
    else form.set(name, new Blob([new Uint8Array(value)]), 'image.png');
  }
  return form;
}

function generate(
  sandbox: Sandbox,
  fields: Readonly<Record<string, string | Buffer>> = {},
  { script = '', model = 'core', headers = HEADERS as Record<string, string> } = {},
): Promise<Imitated> {
  const path = `${script && `/fault/${script}`}/stability/v2beta/stable-image/generate/${model}`;
  return imitate(sandbox, path, { body: formOf({ prompt: 'a red fox', ...fields }), headers });
}

test('Accept decides between JSON and bytes', async (t) => {
  const sandbox = await sandboxFor(t);
  const json = await generate(sandbox, { seed: '7', output_format: 'webp' });
  assert.deepEqual([json.status, at(json.body, 'finish_reason'), at(json.body, 'seed')], [200, 'SUCCESS', 7]);
  assert.equal(Buffer.from(textAt(json.body, 'image'), 'base64').toString('latin1', 8, 12), 'WEBP');
  const bytes = await generate(sandbox, { seed: '7' }, { headers: { ...HEADERS, accept: 'image/*' } });
  const { headers } = bytes;
  assert.deepEqual(
    [headers.get('content-type'), headers.get('finish-reason'), headers.get('seed')],
    ['image/png', 'SUCCESS', '7'],
  );
  assert.equal((await generate(sandbox, {}, { headers: { ...HEADERS, accept: 'text/html' } })).status, 400);
});

test('only forms are taken, with a prompt, a known ratio and a key', async (t) => {
  const sandbox = await sandboxFor(t);
  const path = '/stability/v2beta/stable-image/generate/core';
  const refusal = await imitate(sandbox, path, { body: { prompt: 'p' }, headers: HEADERS });
  assert.deepEqual([refusal.status, at(refusal.body, 'errors.0')], [400, 'content-type: must be multipart/form-data']);
  const anonymous = await generate(sandbox, {}, { headers: { accept: 'image/*' } });
  assert.deepEqual([anonymous.status, at(anonymous.body, 'name')], [401, 'unauthorized']);
  assert.equal((await generate(sandbox, { aspect_ratio: '7:5' })).status, 400);
  assert.equal((await generate(sandbox, { image: PNG })).status, 400);
  assert.equal((await generate(sandbox, { image: PNG }, { model: 'ultra' })).status, 400);
  assert.equal((await generate(sandbox, {}, { model: 'sd9' })).status, 404);
  assert.equal((await generate(sandbox, { image: PNG, strength: '0.5' }, { model: 'ultra' })).status, 200);
  assert.deepEqual((await ledgerOf(sandbox)).total.charged, 1);
});

test('a blocked prompt is a 403, a blocked picture a 200 that has it', async (t) => {
  const sandbox = await sandboxFor(t);
  const input = await generate(sandbox, {}, { script: 'policy' });
  assert.deepEqual([input.status, at(input.body, 'name')], [403, 'content_moderation']);
  const output = await generate(sandbox, {}, { script: 'policy-output' });
  assert.deepEqual([output.status, at(output.body, 'finish_reason')], [200, 'CONTENT_FILTERED']);
  assert.ok(textAt(output.body, 'image').length > 100);
});

test('refusals have a name and a list of errors', async (t) => {
  const sandbox = await sandboxFor(t);
  const names = { '402': 402, '429:2': 429, '500': 500, '503-overloaded': 503, '400': 400, '404': 404 } as const;
  for (const [script, status] of Object.entries(names)) {
    const { body, ...answer } = await generate(sandbox, {}, { script });
    assert.equal(answer.status, status);
    assert.ok(Array.isArray(at(body, 'errors')) && typeof at(body, 'name') === 'string');
  }
});

test('an upscale is a job whose result answers 202 until it is there', async (t) => {
  const sandbox = await sandboxFor(t);
  const path = '/fault/slow:0.2/stability/v2beta/stable-image/upscale/creative';
  const { body } = await imitate(sandbox, path, { body: formOf({ image: PNG, prompt: 'p' }), headers: HEADERS });
  const result = () => imitate(sandbox, `/stability/v2beta/results/${textAt(body, 'id')}`, { headers: HEADERS });
  assert.equal((await result()).status, 202);
  await new Promise((resolve) => setTimeout(resolve, 220));
  const done = await result();
  assert.deepEqual([done.status, at(done.body, 'finish_reason')], [200, 'SUCCESS']);
  assert.equal((await imitate(sandbox, '/stability/v2beta/results/none', { headers: HEADERS })).status, 404);
});
