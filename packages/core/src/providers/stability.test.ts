import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/stability.json' with { type: 'json' };
import { stability } from './stability.ts';

testProvider(stability, providerFixtures(fixtures));

function build(model: string, changes: Parameters<typeof sampleRequest>[0] = {}) {
  const context = { runId: 'run', attempt: 1, model, baseUrl: 'https://api.stability.ai' };
  const built = stability.image?.submit.build(sampleRequest(changes), context);
  assert.ok(built?.body?.kind === 'multipart');
  const values = built.body.parts.map((part) => [part.name, 'value' in part ? part.value : part.filename]);
  return { path: new URL(built.url).pathname, headers: built.headers, fields: Object.fromEntries(values) };
}

test('even a plain request is a form, and the answer is asked for as JSON', () => {
  const { path, headers, fields } = build('core', { aspectRatio: '16:9', seed: 7, negativePrompt: 'fog' });
  assert.equal(path, '/v2beta/stable-image/generate/core');
  assert.deepEqual(headers, { accept: 'application/json' });
  assert.deepEqual(fields, { prompt: 'a lighthouse', negative_prompt: 'fog', seed: '7', aspect_ratio: '16:9' });
});

test('the models of the 3.5 family share an address and say which they are', () => {
  const { path, fields } = build('sd3.5-large-turbo', { aspectRatio: '1:1', outputFormat: 'jpeg' });
  assert.equal(path, '/v2beta/stable-image/generate/sd3');
  assert.deepEqual(fields, {
    prompt: 'a lighthouse',
    output_format: 'jpeg',
    aspect_ratio: '1:1',
    model: 'sd3.5-large-turbo',
    mode: 'text-to-image',
  });
  assert.equal(build('sd3').fields.model, undefined);
});

test('an edit starts from its picture with a strength; an sd3 edit has no ratio', () => {
  const edit = { operation: 'edit', images: [SAMPLE_ASSET], aspectRatio: '1:1' } as const;
  assert.deepEqual(build('sd3.5-medium', edit).fields, {
    prompt: 'a lighthouse',
    model: 'sd3.5-medium',
    mode: 'image-to-image',
    strength: '0.65',
    image: 'image.png',
  });
  const { fields } = build('ultra', { ...edit, extra: { strength: 0.2, style_preset: 'anime' } });
  assert.deepEqual(fields, {
    strength: '0.2',
    style_preset: 'anime',
    prompt: 'a lighthouse',
    aspect_ratio: '1:1',
    image: 'image.png',
  });
});

test('a mask goes to inpaint, which has an address of its own and takes white as what to fill', () => {
  const { path, fields } = build('inpaint', { operation: 'edit', images: [SAMPLE_ASSET], mask: SAMPLE_ASSET });
  assert.equal(path, '/v2beta/stable-image/edit/inpaint');
  assert.deepEqual(fields, { prompt: 'a lighthouse', image: 'image.png', mask: 'mask.png' });
  assert.equal(stability.model('inpaint')?.capabilities?.mask, 'white');
  assert.equal(stability.model('ultra')?.capabilities?.mask, undefined);
});

test('a text of the request stands for no file', () => {
  assert.deepEqual(build('core', { extra: { image: 'x', mask: 'y', cfg_scale: 4 } }).fields, {
    cfg_scale: '4',
    prompt: 'a lighthouse',
  });
});
