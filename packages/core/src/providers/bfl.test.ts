import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddedPicture } from '../http.ts';
import { isObject, type JsonObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { bfl } from './bfl.ts';
import fixtures from './fixtures/bfl.json' with { type: 'json' };

testProvider(bfl, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'flux-2-pro', baseUrl: 'https://api.bfl.ai' };

function build(changes: Parameters<typeof sampleRequest>[0] = {}, model = CONTEXT.model) {
  const built = bfl.image?.submit.build(sampleRequest(changes), {
    ...CONTEXT,
    model,
    webhookUrl: 'https://us.example/news',
  });
  assert.ok(built);
  return built;
}

function fields(changes: Parameters<typeof sampleRequest>[0] = {}, model?: string): JsonObject {
  const { body } = build(changes, model);
  assert.ok(body?.kind === 'json' && isObject(body.value));
  return body.value;
}

test('a job is submitted under the name of its model, with pixels or a ratio', () => {
  assert.equal(build().url, 'https://api.bfl.ai/v1/flux-2-pro');
  assert.deepEqual(fields({ size: '1024x768', outputFormat: 'png', seed: 7 }), {
    prompt: 'a lighthouse',
    width: 1024,
    height: 768,
    output_format: 'png',
    seed: 7,
  });
  assert.deepEqual(fields({ aspectRatio: '16:9' }, 'flux-kontext-pro'), {
    prompt: 'a lighthouse',
    aspect_ratio: '16:9',
  });
  assert.deepEqual(fields({ size: 'auto' }), { prompt: 'a lighthouse' });
});

test('the key goes into x-key', () => {
  assert.deepEqual(bfl.authorize(build(), { id: 'bfl', secret: 'k' }).headers, {
    accept: 'application/json',
    'x-key': 'k',
  });
});

test('references are input_image, input_image_2 and so on; the tools call theirs image', () => {
  const images = [SAMPLE_ASSET, { ...SAMPLE_ASSET, type: 'jpeg' as const }];
  const sent = fields({ operation: 'edit', images });
  assert.deepEqual(
    [sent.input_image, sent.input_image_2].map(embeddedPicture),
    images.map((asset) => ({ asset, as: 'base64' })),
  );
  const filled = fields({ operation: 'edit', images: [SAMPLE_ASSET], mask: SAMPLE_ASSET }, 'flux-pro-1.0-fill');
  assert.deepEqual(Object.keys(filled), ['prompt', 'image', 'mask']);
  assert.deepEqual(embeddedPicture(filled.mask), { asset: SAMPLE_ASSET, as: 'base64' });
});

test('unknown fields pass; a webhook never does, because its answer has no address to look at', () => {
  const sent = fields({
    extra: { safety_tolerance: 5, prompt: 'x', webhook_url: 'http://127.0.0.1/', webhook_secret: 's' },
  });
  assert.deepEqual(sent, { safety_tolerance: 5, prompt: 'a lighthouse' });
});

test('a job is looked up where its answer said, with the key for its own hosts alone', () => {
  const look = (url?: string) => {
    const handle = { id: 'a b', ...(url !== undefined && { url }) };
    return bfl.image?.poll?.build(handle, CONTEXT).url;
  };
  assert.equal(look('https://api.eu2.bfl.ai/v1/get_result?id=1'), 'https://api.eu2.bfl.ai/v1/get_result?id=1');
  assert.equal(look('https://api.us1.bfl.ai/v1/get_result'), 'https://api.us1.bfl.ai/v1/get_result?id=a+b');
  const own = 'https://api.bfl.ai/v1/get_result?id=a+b';
  for (const url of ['http://api.eu2.bfl.ai/x', 'https://bfl.ai.evil.example/', 'https://evilbfl.ai/', undefined]) {
    assert.equal(look(url), own);
  }
});

test('models are a closed list, and each makes one picture per call', () => {
  assert.equal(bfl.model('flux-2-por'), undefined);
  assert.ok(bfl.models.every(({ maxImagesPerCall }) => maxImagesPerCall === 1));
  assert.deepEqual(bfl.model('flux-pro-1.0-fill')?.capabilities?.mask, 'white');
  assert.equal(bfl.model('flux-2-pro')?.capabilities?.mask, undefined);
});
