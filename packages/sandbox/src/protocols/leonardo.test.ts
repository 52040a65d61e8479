import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { at, type Imitated, imitate, sandboxFor, textAt } from '../testing/sandbox.ts';

const KEY = { authorization: 'Bearer key' };
const API = '/leonardo/api/rest/v1';
const SMALL = { prompt: 'a red fox', width: 64, height: 64, num_images: 1 };

function post(sandbox: Sandbox, path: string, body: object, script = ''): Promise<Imitated> {
  return imitate(sandbox, `${script && `/fault/${script}`}${API}/${path}`, { body, headers: KEY });
}

async function ended(sandbox: Sandbox, id: string): Promise<unknown> {
  for (;;) {
    const { body } = await imitate(sandbox, `${API}/generations/${id}`, { headers: KEY });
    const found = at(body, 'generations_by_pk');
    if (found !== null && textAt(found, 'status') !== 'PENDING') return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a generation cannot be seen at once, and costs credits', async (t) => {
  const sandbox = await sandboxFor(t);
  const { body } = await post(sandbox, 'generations', { ...SMALL, num_images: 2 });
  assert.equal(at(body, 'sdGenerationJob.apiCreditCost'), 12);
  const id = textAt(body, 'sdGenerationJob.generationId');
  const done = await ended(sandbox, id);
  assert.deepEqual([at(done, 'generated_images.1.nsfw'), at(done, 'generated_images.2')], [false, undefined]);
});

test('a blocked picture is flagged, with its link or without one', async (t) => {
  const sandbox = await sandboxFor(t);
  const of = async (script: string) => {
    const { body } = await post(sandbox, 'generations', SMALL, script);
    const done = await ended(sandbox, textAt(body, 'sdGenerationJob.generationId'));
    return [
      textAt(done, 'status'),
      at(done, 'generated_images.0.nsfw'),
      at(done, 'generated_images.0.url') !== undefined,
    ];
  };
  assert.deepEqual(await of('nsfw-flag'), ['COMPLETE', true, true]);
  assert.deepEqual(await of('moderated-output'), ['COMPLETE', true, false]);
  assert.deepEqual(await of('failed'), ['FAILED', undefined, false]);
});

test('it refuses in the shape of Hasura, where the code says little', async (t) => {
  const sandbox = await sandboxFor(t);
  const of = async (fields: object, script = '') => {
    const { status, body } = await post(sandbox, 'generations', { ...SMALL, ...fields }, script);
    return [status, at(body, 'code')];
  };
  assert.deepEqual(await of({ width: 65 }), [400, 'unexpected']);
  assert.deepEqual(await of({ num_images: 9 }), [400, 'unexpected']);
  assert.deepEqual(await of({ alchemy: 'true' }), [400, 'validation-failed']);
  assert.deepEqual(await of({ modelId: 'phoenix' }), [400, 'unexpected']);
  assert.deepEqual(await of({ init_image_id: 'none' }), [400, 'unexpected']);
  assert.deepEqual(await of({}, '401'), [500, 'unexpected']);
});

test('the storage takes the signed form, and no key beside it', async (t) => {
  const sandbox = await sandboxFor(t);
  const { body } = await post(sandbox, 'init-image', { extension: 'png' });
  const fields = JSON.parse(textAt(body, 'uploadInitImage.fields')) as Record<string, string>;
  const send = (headers: Record<string, string>, signed = fields) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(signed)) form.append(name, value);
    form.append('file', new Blob([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')]), 'a.png');
    return fetch(textAt(body, 'uploadInitImage.url'), { method: 'POST', body: form, headers });
  };
  assert.equal((await send(KEY)).status, 400);
  assert.equal((await send({}, {})).status, 403);
  assert.equal((await send({})).status, 204);
  const id = textAt(body, 'uploadInitImage.id');
  const generated = await post(sandbox, 'generations', { ...SMALL, init_image_id: id });
  assert.equal(generated.status, 200);
});
