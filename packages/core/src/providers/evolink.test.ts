import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { evolink } from './evolink.ts';
import fixtures from './fixtures/evolink.json' with { type: 'json' };
import type { CallContext } from './provider.ts';

testProvider(evolink, providerFixtures(fixtures));

const CONTEXT: CallContext = {
  runId: 'run',
  attempt: 1,
  model: 'gpt-4o-image',
  baseUrl: 'https://api.evolink.ai/v1',
  assetsUrl: 'https://gateway.example/v1/assets',
};

function fieldsOf(changes: Parameters<typeof sampleRequest>[0], context: Partial<CallContext> = {}) {
  const body = evolink.image?.submit.build(sampleRequest(changes), { ...CONTEXT, ...context }).body;
  return body?.kind === 'json' && isObject(body.value) ? body.value : {};
}

test('references and a mask are links to our pictures', () => {
  const fields = fieldsOf({
    operation: 'edit',
    images: [SAMPLE_ASSET],
    mask: { ...SAMPLE_ASSET, hash: 'b'.repeat(64) },
  });
  assert.deepEqual(fields.image_urls, [`https://gateway.example/v1/assets/${'a'.repeat(64)}.png`]);
  assert.equal(fields.mask_url, `https://gateway.example/v1/assets/${'b'.repeat(64)}.png`);
});

test('a size is pixels or a ratio, and the resolution of a model of Google is its quality', () => {
  assert.equal(fieldsOf({ size: '1024x1536' }).size, '1024x1536');
  const google = fieldsOf({ aspectRatio: '16:9', resolution: '4K' }, { model: 'gemini-3-pro-image-preview' });
  assert.deepEqual([google.size, google.quality, google.resolution], ['16:9', '4K', undefined]);
});

test('the callback is ours where it can be called, and never the request’s own', () => {
  const extra = { callback_url: 'https://elsewhere.example/' };
  assert.equal(fieldsOf({ extra }).callback_url, undefined);
  assert.equal(fieldsOf({ extra }, { webhookUrl: 'http://127.0.0.1:8484/news' }).callback_url, undefined);
  const webhookUrl = 'https://gateway.example/news/run';
  assert.equal(fieldsOf({ extra }, { webhookUrl }).callback_url, webhookUrl);
});

test('one picture is what it makes when it is told nothing', () => {
  assert.equal(fieldsOf({ n: 1 }).n, undefined);
  assert.equal(fieldsOf({ n: 3 }).n, 3);
});
