import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest } from '../http.ts';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/leonardo.json' with { type: 'json' };
import { leonardo } from './leonardo.ts';
import type { CallContext } from './provider.ts';

testProvider(leonardo, providerFixtures(fixtures));

const CONTEXT: CallContext = {
  runId: 'run',
  attempt: 1,
  model: 'phoenix-1.0',
  baseUrl: 'https://cloud.leonardo.ai/api/rest/v1',
};
const CREDENTIAL = { id: 'credential', secret: '01234567-89ab-cdef-0123-456789abcdef' };

function fieldsOf(request: HttpRequest | undefined) {
  const body = request?.body;
  return body?.kind === 'json' && isObject(body.value) ? body.value : {};
}

function submitted(changes: Parameters<typeof sampleRequest>[0], model = CONTEXT.model) {
  return fieldsOf(leonardo.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model }));
}

test('a model’s name becomes its id there, with what its page says to send along', () => {
  assert.deepEqual(submitted({ size: '1472x832', seed: 7 }), {
    contrast: 3.5,
    modelId: 'de7d3faf-762f-48e0-b3b7-9d0ac3a3fcf3',
    prompt: 'a lighthouse',
    num_images: 1,
    width: 1472,
    height: 832,
    seed: 7,
  });
  assert.equal(submitted({}, 'lucid-origin').alchemy, false);
});

test('a caller may change what is sent along, and nothing that is known', () => {
  const fields = submitted({ extra: { contrast: 4, num_images: 8, presetStyle: 'DYNAMIC' } });
  assert.deepEqual([fields.contrast, fields.num_images, fields.presetStyle], [4, 1, 'DYNAMIC']);
});

test('a model of a user is its id', () => {
  const id = 'f1929ea3-b169-4c18-a16c-5d58b4292c69';
  assert.equal(leonardo.model(id)?.id, id);
  assert.equal(submitted({}, id).modelId, id);
  assert.equal(leonardo.model('phoenix'), undefined);
});

test('uploaded references are named as the model wants them', () => {
  const request = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET] });
  const done = { status: 204, headers: {}, body: null, text: '' };
  const after = (model: string) => {
    const state = { uploaded: [], sending: 'img-1' };
    const progress = leonardo.image?.submit.parse(done, request, { ...CONTEXT, model }, state);
    return fieldsOf(progress?.kind === 'next' ? progress.request : undefined);
  };
  assert.equal(after('lightning-xl').init_image_id, 'img-1');
  assert.deepEqual(after('flux-kontext-pro').contextImages, [{ type: 'UPLOADED', id: 'img-1' }]);
});

test('the key is sent to Leonardo, and never along with the form that its storage signed', () => {
  const request = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET] });
  const place = leonardo.image?.submit.build(request, CONTEXT);
  assert.ok(place);
  assert.equal(leonardo.authorize(place, CREDENTIAL).headers.authorization, `Bearer ${CREDENTIAL.secret}`);
  const url = 'https://image-uploads.s3-accelerate.amazonaws.com/';
  const body = { uploadInitImage: { id: 'img-1', fields: '{"key":"users/1/img-1.png"}', url } };
  const answer = { status: 200, headers: {}, body, text: '' };
  const progress = leonardo.image?.submit.parse(answer, request, CONTEXT);
  assert.ok(progress?.kind === 'next');
  assert.equal(progress.request.url, url);
  assert.ok(!JSON.stringify(leonardo.authorize(progress.request, CREDENTIAL)).includes(CREDENTIAL.secret));
});

test('its models are listed by their ids', () => {
  const body = { custom_models: [{ id: 'a', name: 'A' }, { name: 'none' }, { id: 'b' }] };
  const call = leonardo.catalog;
  assert.equal(call?.build(CONTEXT).url, 'https://cloud.leonardo.ai/api/rest/v1/platformModels');
  assert.deepEqual(call?.parse({ status: 200, headers: {}, body, text: '' }), [{ id: 'a' }, { id: 'b' }]);
});
