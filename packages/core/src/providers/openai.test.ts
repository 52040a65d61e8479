import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest } from '../http.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import openaiFixtures from './fixtures/openai.json' with { type: 'json' };
import compatibleFixtures from './fixtures/openai-compatible.json' with { type: 'json' };
import { openai, openaiCompatible } from './openai.ts';
import type { Provider } from './provider.ts';

testProvider(openai, providerFixtures(openaiFixtures));
testProvider(openaiCompatible, providerFixtures(compatibleFixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'gpt-image-2', baseUrl: 'https://api.example/v1' };

function build(provider: Provider, changes: Parameters<typeof sampleRequest>[0] = {}): HttpRequest {
  const built = provider.image?.submit.build(sampleRequest(changes), CONTEXT);
  assert.ok(built);
  return built;
}

function fields(request: HttpRequest): JsonObject {
  assert.ok(request.body?.kind === 'json' && isObject(request.body.value));
  return request.body.value;
}

function parts(request: HttpRequest) {
  assert.ok(request.body?.kind === 'multipart');
  return request.body.parts;
}

test('a plain request carries what was asked and nothing else', () => {
  assert.deepEqual(fields(build(openai)), { model: 'gpt-image-2', prompt: 'a lighthouse', n: 1 });
});

test('response_format is never sent: these models refuse it', () => {
  assert.ok(!('response_format' in fields(build(openai, { outputFormat: 'png', stream: true }))));
});

test('OpenAI has no seed and gets none; a compatible server gets it', () => {
  assert.equal(fields(build(openai, { seed: 7 })).seed, undefined);
  assert.equal(fields(build(openaiCompatible, { seed: 7 })).seed, 7);
});

test('unknown fields pass through and can replace no known one', () => {
  const sent = fields(build(openaiCompatible, { extra: { steps: 4, prompt: 'another', model: 'dearer' } }));
  assert.equal(sent.steps, 4);
  assert.equal(sent.prompt, 'a lighthouse');
  assert.equal(sent.model, 'gpt-image-2');
});

test('partial_images are asked for only in a stream', () => {
  assert.equal(fields(build(openai, { partialImages: 2 })).partial_images, undefined);
  const streamed = build(openai, { partialImages: 2, stream: true });
  assert.equal(fields(streamed).partial_images, 2);
  assert.equal(streamed.headers.accept, 'text/event-stream');
});

test('an edit of one file names it image, of several image[], in order, and the mask comes last', () => {
  const one = build(openai, { operation: 'edit', images: [SAMPLE_ASSET] });
  assert.ok(one.url.endsWith('/images/edits'));
  assert.deepEqual(
    parts(one).flatMap((part) => ('asset' in part ? [[part.name, part.filename]] : [])),
    [['image', 'image-1.png']],
  );
  const jpeg = { ...SAMPLE_ASSET, type: 'jpeg' as const };
  const two = build(openai, { operation: 'edit', images: [SAMPLE_ASSET, jpeg], mask: SAMPLE_ASSET });
  assert.deepEqual(
    parts(two).flatMap((part) => ('asset' in part ? [[part.name, part.filename]] : [])),
    [
      ['image[]', 'image-1.png'],
      ['image[]', 'image-2.jpg'],
      ['mask', 'mask.png'],
    ],
  );
});

test('an edit’s fields are text', () => {
  const edit = build(openai, { operation: 'edit', n: 2, images: [SAMPLE_ASSET], extra: { tags: ['a'] } });
  const values = parts(edit).flatMap((part) => ('value' in part ? [[part.name, part.value]] : []));
  assert.deepEqual(Object.fromEntries(values), { tags: '["a"]', model: 'gpt-image-2', prompt: 'a lighthouse', n: '2' });
});

test('the key goes into the authorization header, and without a key there is none', () => {
  const request = build(openai);
  assert.equal(openai.authorize(request, { id: 'openai', secret: 'sk-1' }).headers.authorization, 'Bearer sk-1');
  assert.equal(openaiCompatible.authorize(request, { id: 'x', secret: '' }).headers.authorization, undefined);
});

test('retired models are not listed, unknown ones are none of OpenAI’s, and any is a compatible server’s', () => {
  for (const id of ['dall-e-2', 'dall-e-3', 'gpt-image-1', 'nonsense']) assert.equal(openai.model(id), undefined);
  assert.ok(openaiCompatible.model('nonsense'));
});

test('the list of models tells which of them stop, and when', () => {
  assert.equal(
    openai.catalog?.build({ baseUrl: 'https://provider.example/v1' }).url,
    'https://provider.example/v1/models',
  );
  const data = [{ id: 'gpt-image-2', shutdown_date: '2027-04-21' }, { id: 'gpt-image-1.5' }, { object: 'model' }, null];
  const parse = (body: JsonValue) => openai.catalog?.parse({ status: 200, headers: {}, body, text: '' });
  assert.deepEqual(parse({ data }), [{ id: 'gpt-image-2', shutdownDate: '2027-04-21' }, { id: 'gpt-image-1.5' }]);
  assert.deepEqual([parse(null), parse({ data: {} })], [[], []]);
});
