import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { at, type Imitated, imitate, ledgerOf, sandboxFor, textAt } from '../testing/sandbox.ts';

const OLDER = '/azure/openai/deployments/drawing/images/generations?api-version=2025-04-01-preview';
const NEWER = '/azure/openai/v1/images/generations?api-version=v1';
const KEY = { 'api-key': 'key' };

function images(sandbox: Sandbox, path: string, headers: Record<string, string> = KEY, fields = {}): Promise<Imitated> {
  return imitate(sandbox, path, { body: { prompt: 'a red fox', size: '64x48', ...fields }, headers });
}

test('the deployment stands in the path or in the body', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.ok(textAt((await images(sandbox, OLDER)).body, 'data.0.b64_json').length > 100);
  const newer = await images(sandbox, NEWER, KEY, { model: 'drawing' });
  assert.equal(newer.status, 200);
  assert.match(newer.headers.get('apim-request-id') ?? '', /^[0-9a-f-]{36}$/u);
  assert.equal((await images(sandbox, NEWER)).status, 400);
  assert.equal((await images(sandbox, OLDER.replace(/\?.*/u, ''))).status, 404);
  assert.equal((await ledgerOf(sandbox)).models['azure/drawing']?.charged, 2);
});

test('the key is an api-key or an Entra token, never both and never a key after Bearer', async (t) => {
  const sandbox = await sandboxFor(t);
  const status = async (headers: Record<string, string>) => (await images(sandbox, OLDER, headers)).status;
  const token = 'Bearer eyJhbGciOi.eyJzdWIi.c2ln';
  assert.deepEqual(
    [await status({}), await status({ authorization: 'Bearer key' }), await status({ authorization: token })],
    [401, 401, 200],
  );
  assert.equal(await status({ ...KEY, authorization: token }), 400);
});

test('content filters and refusals are spelled as Azure spells them', async (t) => {
  const sandbox = await sandboxFor(t);
  const play = (script: string) => images(sandbox, `/fault/${script}${OLDER}`);
  const input = await play('policy');
  assert.deepEqual([input.status, at(input.body, 'error.code')], [400, 'content_filter']);
  assert.equal(at(input.body, 'error.innererror.content_filter_result.violence.filtered'), true);
  const codes = { 'policy-output': 'contentFilter', '403': 'Forbidden', '404': 'DeploymentNotFound', '401': '401' };
  for (const [script, code] of Object.entries(codes)) {
    assert.equal(at((await play(script)).body, 'error.code'), code);
  }
  const throttled = await play('429:3');
  assert.deepEqual([throttled.status, throttled.headers.get('retry-after')], [429, '3']);
  assert.match(textAt(throttled.body, 'error.message'), /retry after 3 seconds/u);
});
