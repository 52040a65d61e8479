import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedded } from '../http.ts';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/localai.json' with { type: 'json' };
import { localai } from './localai.ts';

testProvider(localai, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'flux', baseUrl: 'http://gpu:8080/v1' };

function fields(changes: Parameters<typeof sampleRequest>[0] = {}) {
  const request = localai.image?.submit.build(sampleRequest(changes), CONTEXT);
  assert.ok(request?.body?.kind === 'json' && isObject(request.body.value));
  return request.body.value;
}

test('base64 is asked for: its default is a link', () => {
  const plain = { model: 'flux', prompt: 'a lighthouse', n: 1, response_format: 'b64_json' };
  assert.deepEqual(fields({ extra: { response_format: 'url' } }), plain);
});

test('what to avoid follows a bar, and a bar of the caller’s is none', () => {
  assert.equal(fields({ prompt: 'a|b', negativePrompt: 'c|d' }).prompt, 'a/b|c/d');
  assert.equal(fields({ prompt: 'a|b' }).prompt, 'a/b');
});

test('pictures to edit go along as plain base64; addresses of the caller’s do not', () => {
  const second = { ...SAMPLE_ASSET, hash: 'b'.repeat(64) };
  const sent = fields({
    operation: 'edit',
    images: [SAMPLE_ASSET, second],
    extra: { files: ['http://10.0.0.1/'], step: 8 },
  });
  assert.deepEqual(sent.file, embedded(SAMPLE_ASSET, 'base64'));
  assert.deepEqual(sent.ref_images, [embedded(second, 'base64')]);
  assert.equal(sent.step, 8);
  assert.ok(!('files' in sent));
});

test('any model is possible, and none takes a mask or an unreadable size (rule 16)', () => {
  const model = localai.model('anything');
  assert.equal(model?.id, 'anything');
  assert.equal(model?.capabilities?.size.kind, 'pixels');
  assert.equal(model?.capabilities?.mask, undefined);
});
