import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/foxapi.json' with { type: 'json' };
import { foxapi } from './foxapi.ts';
import type { CallContext } from './provider.ts';

testProvider(foxapi, providerFixtures(fixtures));

const CONTEXT: CallContext = {
  runId: 'run',
  attempt: 1,
  model: 'gemini-3-pro-image-preview',
  baseUrl: 'https://api.foxapi.cc/v1',
};

function fieldsOf(changes: Parameters<typeof sampleRequest>[0], model = CONTEXT.model) {
  const body = foxapi.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model }).body;
  return body?.kind === 'json' && isObject(body.value) ? body.value : {};
}

test('a request has the fields of its models, and none that nobody asked for', () => {
  assert.deepEqual(fieldsOf({ aspectRatio: '16:9', resolution: '2K' }), {
    model: 'gemini-3-pro-image-preview',
    prompt: 'a lighthouse',
    aspect_ratio: '16:9',
    resolution: '2K',
  });
  assert.equal(fieldsOf({ n: 3 }).num_outputs, 3);
});

test('the models of wan have sizes with names', () => {
  assert.equal(fieldsOf({ aspectRatio: '3:4' }, 'wan-2.7-image').image_size, 'portrait_4_3');
  assert.equal(fieldsOf({ aspectRatio: '3:4' }, 'wan-2.7-image').aspect_ratio, undefined);
});

test('unknown fields pass, but win over no known one and set no callback', () => {
  const fields = fieldsOf({ extra: { sync: true, model: 'dearer', callback_url: 'http://127.0.0.1/' } });
  assert.deepEqual([fields.sync, fields.model, fields.callback_url], [true, CONTEXT.model, undefined]);
});

test('a reference picture is uploaded before anything is paid for', () => {
  const request = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET] });
  const upload = foxapi.image?.submit.build(request, CONTEXT);
  assert.deepEqual([upload?.url, upload?.free], ['https://api.foxapi.cc/v1/files/upload/stream', true]);
  assert.equal(upload?.body?.kind, 'multipart');
});

test('a name that is no model of it is no model', () => {
  assert.equal(foxapi.model('gemini-3-pro-image-previw'), undefined);
});
