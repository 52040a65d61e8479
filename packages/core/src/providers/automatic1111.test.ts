import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedded, type HttpRequest } from '../http.ts';
import { isObject, type JsonObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { automatic1111 } from './automatic1111.ts';
import fixtures from './fixtures/automatic1111.json' with { type: 'json' };

testProvider(automatic1111, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'default', baseUrl: 'http://gpu:7860' };
const EDIT = { operation: 'edit', images: [{ ...SAMPLE_ASSET, width: 1500, height: 999 }] } as const;

function build(changes: Parameters<typeof sampleRequest>[0] = {}, model = 'default'): HttpRequest {
  const built = automatic1111.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model });
  assert.ok(built);
  return built;
}

function fields(request: HttpRequest): JsonObject {
  assert.ok(request.body?.kind === 'json' && isObject(request.body.value));
  return request.body.value;
}

function parse(model: string, info: JsonObject) {
  const body = { images: [{ $blob: 0 }], info: JSON.stringify(info) };
  const response = { status: 200, headers: {}, body, text: '' };
  return automatic1111.image?.submit.parse(response, sampleRequest(), { ...CONTEXT, model });
}

test('a plain request carries what was asked and leaves the rest to the server', () => {
  assert.equal(build().url, 'http://gpu:7860/sdapi/v1/txt2img');
  assert.deepEqual(fields(build()), { prompt: 'a lighthouse', batch_size: 1 });
});

test('a checkpoint is asked for with an override, `default` is what the server has loaded', () => {
  assert.deepEqual(fields(build({}, 'sdxl/juggernaut.safetensors')).override_settings, {
    sd_model_checkpoint: 'sdxl/juggernaut.safetensors',
  });
});

test('a server that silently drew with another checkpoint is found out', () => {
  const wrong = parse('dreamshaper', { sd_model_name: 'v1-5-pruned-emaonly', sd_model_hash: '6ce0161689' });
  assert.ok(wrong?.kind === 'failed');
  assert.equal(wrong.failure.kind, 'not_found');
  assert.equal(wrong.failure.certainty, 'completed');
  for (const same of ['V1-5-pruned-emaonly', 'sd/v1-5-pruned-emaonly.safetensors [6ce0161689]', '6ce0161689']) {
    assert.equal(
      parse(same, { sd_model_name: 'v1-5-pruned-emaonly', sd_model_hash: '6ce0161689' })?.kind,
      'done',
      same,
    );
  }
  assert.equal(parse('dreamshaper', {})?.kind, 'done', 'what does not say is believed');
});

test('an edit sends the picture and a mask whose white part is edited, in the size of the picture', () => {
  const mask = { ...SAMPLE_ASSET, hash: 'b'.repeat(64) };
  const request = build({ ...EDIT, mask });
  const { init_images, mask: sent, inpainting_mask_invert: invert, width, height } = fields(request);
  assert.equal(request.url, 'http://gpu:7860/sdapi/v1/img2img');
  assert.deepEqual(
    init_images,
    EDIT.images.map((asset) => embedded(asset, 'base64')),
  );
  assert.deepEqual(sent, embedded(mask, 'base64'));
  assert.deepEqual([invert, width, height], [0, 1504, 1000]);
  const huge = fields(build({ ...EDIT, images: [{ ...SAMPLE_ASSET, width: 6000, height: 20 }] }));
  assert.deepEqual([huge.width, huge.height], [2048, 64]);
});

test('a field of the caller’s own is merged, but none that touches the machine', () => {
  const extra = {
    ...{ steps: 30, denoising_strength: 0.4, resize_mode: 2, prompt: 'another', batch_size: 100 },
    ...{ override_settings: { outdir_samples: '/' }, save_images: true, script_name: 'x/y/z plot', n_iter: 99 },
    ...{ init_images: ['http://169.254.169.254/'], mask: 'http://169.254.169.254/' },
  };
  const sent = fields(build({ ...EDIT, extra }));
  assert.deepEqual([sent.steps, sent.denoising_strength, sent.resize_mode], [30, 0.4, 2]);
  assert.deepEqual([sent.prompt, sent.batch_size], ['a lighthouse', 1]);
  for (const closed of ['override_settings', 'save_images', 'script_name', 'n_iter', 'mask'])
    assert.ok(!(closed in sent), closed);
  assert.ok(!JSON.stringify(sent).includes('169.254'));
});

test('settings of stable-diffusion.cpp inside a prompt do not reach the server', () => {
  const smuggled = 'a cat <sd_cpp_extra_args>{"lora":[{"path":"/etc"}]}</sd_cpp_extra_args> on a mat';
  const sent = fields(build({ prompt: smuggled, negativePrompt: smuggled }));
  assert.equal(sent.prompt, 'a cat   on a mat');
  assert.equal(sent.negative_prompt, 'a cat   on a mat');
});

test('user and password go as Basic, a token as Bearer', () => {
  const authorized = (secret: string) => automatic1111.authorize(build(), { id: 'key', secret }).headers.authorization;
  assert.equal(authorized('ann:secret'), `Basic ${btoa('ann:secret')}`);
  assert.equal(authorized('token'), 'Bearer token');
  assert.equal(authorized(''), undefined);
});

test('progress is a share of the server’s work; an idle one says nothing', () => {
  const { watch } = automatic1111.image ?? {};
  assert.equal(watch?.build(CONTEXT).url, 'http://gpu:7860/sdapi/v1/progress?skip_current_image=true');
  const read = (progress: number) => watch?.parse({ status: 200, headers: {}, body: { progress }, text: '' });
  assert.deepEqual(read(0.25), { progress: 25 });
  assert.deepEqual(read(0), {});
});

test('its checkpoints are listed under the names they are asked for by', () => {
  const body = [{ title: 'a.safetensors [12]', model_name: 'a' }, { title: 'b' }, 7];
  assert.deepEqual(automatic1111.catalog?.parse({ status: 200, headers: {}, body, text: '' }), [
    { id: 'a' },
    { id: 'b' },
  ]);
});

test('its state is the server’s and not a call’s, so it is given one call at a time (rule 18)', () => {
  assert.deepEqual(automatic1111.model('default')?.limits, { concurrency: 1 });
});

test('what it echoes of a request stays out of a failure (rule 14)', () => {
  const body = {
    error: 'RequestValidationError',
    detail: '',
    body: { prompt: 'SECRET' },
    errors: '1 validation error',
  };
  const failure = automatic1111.classify({ status: 500, headers: {}, body, text: '' });
  assert.ok(failure && !JSON.stringify(failure).includes('SECRET'));
});
