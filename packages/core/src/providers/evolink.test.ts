import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest } from '../http.ts';
import { isObject, type JsonValue } from '../json.ts';
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
};

function fieldsOf(changes: Parameters<typeof sampleRequest>[0], context: Partial<CallContext> = {}) {
  return jsonOf(evolink.image?.submit.build(sampleRequest(changes), { ...CONTEXT, ...context }));
}

function jsonOf(request: HttpRequest | undefined) {
  const body = request?.body;
  return body?.kind === 'json' && isObject(body.value) ? body.value : {};
}

test('references and a mask are uploaded to the files of EvoLink, and named by their links', () => {
  const request = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET], mask: SAMPLE_ASSET });
  const first = evolink.image?.submit.build(request, CONTEXT);
  assert.deepEqual([first?.url, first?.free], ['https://files-api.evolink.ai/api/v1/files/upload/stream', true]);
  const kept = (url: string, state?: JsonValue) => {
    const body = { success: true, code: 200, msg: 'ok', data: { file_id: 'f', file_url: url } };
    const progress = evolink.image?.submit.parse({ status: 200, headers: {}, body, text: '' }, request, CONTEXT, state);
    assert.ok(progress?.kind === 'next');
    return progress;
  };
  const second = kept('https://files.evolink.ai/1.png');
  assert.equal(second.request.free, true);
  const { request: last } = kept('https://files.evolink.ai/mask.png', second.state);
  assert.equal(last.url, 'https://api.evolink.ai/v1/images/generations');
  const { image_urls, mask_url } = jsonOf(last);
  assert.deepEqual([image_urls, mask_url], [['https://files.evolink.ai/1.png'], 'https://files.evolink.ai/mask.png']);
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
