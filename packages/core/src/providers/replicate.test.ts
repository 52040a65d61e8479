import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest } from '../http.ts';
import { isObject, type JsonObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/replicate.json' with { type: 'json' };
import type { CallContext } from './provider.ts';
import { replicate } from './replicate.ts';

testProvider(replicate, providerFixtures(fixtures));

const CONTEXT: CallContext = { runId: 'run', attempt: 1, model: '', baseUrl: 'https://api.replicate.com/v1' };
const LARGE = { ...SAMPLE_ASSET, bytes: 300_000 };

function submitted(
  model: string,
  changes: Parameters<typeof sampleRequest>[0] = {},
  context: Partial<CallContext> = {},
) {
  const built = replicate.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model, ...context });
  assert.ok(built);
  return built;
}

function bodyOf({ body }: HttpRequest): JsonObject {
  assert.ok(body?.kind === 'json' && isObject(body.value));
  return body.value;
}

function inputOf(request: HttpRequest): JsonObject {
  const { input } = bodyOf(request);
  assert.ok(isObject(input));
  return input;
}

test('a model is called by its name, a version of it by the version', () => {
  const official = submitted('black-forest-labs/flux-schnell');
  assert.equal(official.url, 'https://api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions');
  const version = 'a'.repeat(64);
  const pinned = submitted(`someone/model:${version}`);
  assert.equal(pinned.url, 'https://api.replicate.com/v1/predictions');
  assert.equal(bodyOf(pinned).version, version);
  assert.equal(pinned.headers.prefer, undefined);
});

test('each model is told in its own words', () => {
  const images = [SAMPLE_ASSET];
  const picture = { $asset: SAMPLE_ASSET, as: 'data-url' };
  const edit = { operation: 'edit', images } as const;
  assert.deepEqual(
    inputOf(
      submitted('black-forest-labs/flux-schnell', {
        n: 3,
        aspectRatio: '16:9',
        outputFormat: 'jpeg',
        outputCompression: 70,
        seed: 5,
      }),
    ),
    {
      ...{ prompt: 'a lighthouse', aspect_ratio: '16:9', num_outputs: 3 },
      ...{ output_format: 'jpg', output_quality: 70, seed: 5 },
    },
  );
  assert.deepEqual(inputOf(submitted('black-forest-labs/flux-kontext-pro', edit)).input_image, picture);
  assert.deepEqual(inputOf(submitted('google/nano-banana', edit)).image_input, [picture]);
  const seedream = inputOf(submitted('bytedance/seedream-4', { aspectRatio: '1:1', resolution: '2K' }));
  assert.deepEqual([seedream.size, seedream.resolution], ['2K', undefined]);
  assert.equal(inputOf(submitted('recraft-ai/recraft-v3', { size: '1024x1365' })).size, '1024x1365');
  const sdxl = inputOf(submitted('stability-ai/sdxl:x', { ...edit, mask: SAMPLE_ASSET, size: '1024x768' }));
  assert.deepEqual([sdxl.width, sdxl.height, sdxl.image, sdxl.mask], [1024, 768, picture, picture]);
});

test('a name nobody knows may be a model; a name of another shape is none', () => {
  assert.deepEqual(replicate.model('someone/new-model')?.capabilities, { size: { kind: 'fixed' } });
  const other = replicate.model(`stability-ai/sdxl:${'b'.repeat(64)}`);
  assert.equal(other?.maxImagesPerCall, 4);
  for (const id of ['flux', 'a/b/c', 'a/b:latest', '', '../x/y', 'a/b?c']) assert.equal(replicate.model(id), undefined);
});

test('a caller sets inputs, and never who is called back', () => {
  const extra = { guidance: 3, prompt: 'smuggled', webhook: 'http://127.0.0.1:22/', webhook_events_filter: ['start'] };
  const request = submitted('black-forest-labs/flux-dev', { extra });
  assert.deepEqual(inputOf(request), { guidance: 3, prompt: 'a lighthouse' });
  assert.equal(bodyOf(request).webhook, undefined);
  const called = bodyOf(submitted('black-forest-labs/flux-dev', {}, { webhookUrl: 'https://me.example/news' }));
  assert.deepEqual([called.webhook, called.webhook_events_filter], ['https://me.example/news', ['completed']]);
  const plain = { webhookUrl: 'http://10.0.0.2/news' };
  assert.equal(bodyOf(submitted('black-forest-labs/flux-dev', {}, plain)).webhook, undefined);
  const local = { ...plain, baseUrl: 'http://127.0.0.1:4000/replicate/v1' };
  assert.equal(bodyOf(submitted('black-forest-labs/flux-dev', {}, local)).webhook, plain.webhookUrl);
});

test('a large picture is uploaded first, for nothing, and then named by its link', () => {
  const wanted = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET, LARGE], mask: LARGE });
  const context = { ...CONTEXT, model: 'google/nano-banana' };
  const submit = replicate.image?.submit;
  assert.ok(submit);
  const upload = submit.build(wanted, context);
  assert.deepEqual([upload.url, upload.free], ['https://api.replicate.com/v1/files', true]);
  const link = (id: string) => `https://api.replicate.com/v1/files/${id}`;
  const answer = (id: string) => ({ status: 201, headers: {}, body: { id, urls: { get: link(id) } }, text: '' });
  const second = submit.parse(answer('one'), wanted, context);
  assert.ok(second.kind === 'next' && second.request.free);
  const last = submit.parse(answer('two'), wanted, context, second.state);
  assert.ok(last.kind === 'next' && last.request.free === undefined);
  const { image_input: pictures, mask } = inputOf(last.request);
  assert.deepEqual([pictures, mask], [[{ $asset: SAMPLE_ASSET, as: 'data-url' }, link('one')], link('two')]);
  const made = { status: 201, headers: {}, body: { id: 'p', status: 'starting' }, text: '' };
  assert.equal(submit.parse(made, wanted, context, last.state).kind, 'waiting');
});

test('an upload whose link is elsewhere is not used', () => {
  const wanted = sampleRequest({ operation: 'edit', images: [LARGE] });
  const body = { id: 'x', urls: { get: 'https://evil.example/x' } };
  const read = replicate.image?.submit.parse({ status: 201, headers: {}, body, text: '' }, wanted, CONTEXT);
  assert.ok(read?.kind === 'failed' && read.failure.certainty === 'rejected');
});
