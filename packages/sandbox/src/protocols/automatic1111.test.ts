import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { type Answered, ledgerOf, sandboxFor } from '../testing/sandbox.ts';

interface Drawn extends Answered {
  readonly images: string[];
  readonly info: string;
  readonly detail: string | { loc: string[]; msg: string }[];
  readonly errors: string;
  readonly progress: number;
}

async function call(sandbox: Sandbox, path: string, fields?: object, script = 'ok') {
  const init = fields && { method: 'POST', body: JSON.stringify({ width: 64, height: 48, ...fields }) };
  const response = await fetch(`${sandbox.url}/fault/${script}/automatic1111/sdapi/v1/${path}`, init);
  return { status: response.status, body: (await response.json()) as Drawn };
}

test('pictures come as base64, what is known of them as JSON inside a string', async (t) => {
  const sandbox = await sandboxFor(t);
  const { body } = await call(sandbox, 'txt2img', { prompt: 'a fox', batch_size: 2, seed: 7 });
  assert.equal(body.images.length, 2);
  assert.equal(Buffer.from(body.images[0] ?? '', 'base64').toString('latin1', 1, 4), 'PNG');
  const info = JSON.parse(body.info);
  assert.equal(info.all_seeds.length, 2);
  assert.equal(info.sd_model_name, 'v1-5-pruned-emaonly');
  assert.equal((await ledgerOf(sandbox)).total.images, 2);
});

test('a checkpoint it does not have is silently replaced by the one it has', async (t) => {
  const sandbox = await sandboxFor(t);
  const served = async (sd_model_checkpoint: string) =>
    JSON.parse((await call(sandbox, 'txt2img', { override_settings: { sd_model_checkpoint } })).body.info)
      .sd_model_name;
  assert.equal(await served('sd_xl_base_1.0'), 'sd_xl_base_1.0');
  assert.equal(await served('nope'), 'v1-5-pruned-emaonly');
});

test('bad input is a 404, a 422 or a 500, each in its own shape', async (t) => {
  const sandbox = await sandboxFor(t);
  const sampler = await call(sandbox, 'txt2img', { sampler_name: 'Nope' });
  assert.deepEqual([sampler.status, sampler.body.detail], [404, 'Sampler not found']);
  const side = await call(sandbox, 'txt2img', { width: 'wide' });
  assert.equal(side.status, 422);
  assert.deepEqual(Array.isArray(side.body.detail) && side.body.detail[0]?.loc, ['body', 'width']);
  const picture = await call(sandbox, 'img2img', { init_images: ['bm90IGEgcGljdHVyZQ=='] });
  assert.deepEqual([picture.status, picture.body.detail], [500, 'Invalid encoded image']);
  const missing = await call(sandbox, 'img2img', {});
  assert.deepEqual([missing.status, missing.body.detail], [404, 'Init image not found']);
  const path = await call(sandbox, 'nope');
  assert.deepEqual([path.status, path.body.detail], [404, 'Not Found']);
});

test('more than 4 megapixels at once do not fit into memory', async (t) => {
  const sandbox = await sandboxFor(t);
  const { status, body } = await call(sandbox, 'txt2img', { width: 2048, height: 2048, batch_size: 2 });
  assert.equal(status, 500);
  assert.equal(body.error as unknown, 'OutOfMemoryError');
  assert.match(body.errors, /^CUDA out of memory/);
  assert.equal((await ledgerOf(sandbox)).total.images, 0);
});

test('calls wait for each other, and progress speaks of the one at work', async (t) => {
  const sandbox = await sandboxFor(t);
  const script = 'slow:0.4';
  const began = performance.now();
  const both = Promise.all([1, 2].map(() => call(sandbox, 'txt2img', {}, script)));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { body } = await call(sandbox, 'progress', undefined, script);
  assert.ok(body.progress > 0 && body.progress < 1, String(body.progress));
  assert.equal((await call(sandbox, 'progress')).body.progress, 0, 'another machine is idle');
  await both;
  assert.ok(performance.now() - began >= 780);
  assert.equal((await call(sandbox, 'progress', undefined, script)).body.progress, 0);
});

test('a caller who leaves makes room for the next', async (t) => {
  const sandbox = await sandboxFor(t);
  const url = `${sandbox.url}/fault/hang-after-accept,ok/automatic1111/sdapi/v1/txt2img`;
  const body = JSON.stringify({ prompt: 'a fox', width: 64, height: 64 });
  await assert.rejects(fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(200) }));
  assert.equal((await fetch(url, { method: 'POST', body })).status, 200);
});
