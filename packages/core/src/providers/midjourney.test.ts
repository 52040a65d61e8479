import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/midjourney.json' with { type: 'json' };
import { midjourney } from './midjourney.ts';
import type { CallContext } from './provider.ts';

testProvider(midjourney, providerFixtures(fixtures));

const CONTEXT: CallContext = { runId: 'run', attempt: 1, model: 'imagine', baseUrl: 'http://127.0.0.1:8080/mj' };

function submitted(changes: Parameters<typeof sampleRequest>[0], context: Partial<CallContext> = {}) {
  const built = midjourney.image?.submit.build(sampleRequest(changes), { ...CONTEXT, ...context });
  const body = built?.body;
  return { url: built?.url, fields: body?.kind === 'json' && isObject(body.value) ? body.value : {} };
}

test('what Midjourney is told of a picture goes in the prompt', () => {
  const { url, fields } = submitted({ aspectRatio: '16:9', negativePrompt: 'text, watermark', seed: 7 });
  assert.equal(url, 'http://127.0.0.1:8080/mj/submit/imagine');
  assert.deepEqual(fields, { prompt: 'a lighthouse --ar 16:9 --seed 7 --no text, watermark', state: 'run' });
});

test('a parameter that the prompt sets is left alone', () => {
  const { fields } = submitted({ prompt: 'a lighthouse --ar 1:1 --v 7', aspectRatio: '16:9', seed: 7 });
  assert.equal(fields.prompt, 'a lighthouse --ar 1:1 --v 7 --seed 7');
});

test('references go along as data URLs', () => {
  const { fields } = submitted({ operation: 'edit', images: [SAMPLE_ASSET] });
  assert.deepEqual(fields.base64Array, [{ $asset: SAMPLE_ASSET, as: 'data-url' }]);
});

test('a variation and an upscale take one picture of a grid', () => {
  const source = { target: 'midjourney/imagine', handle: { task: '1320098173412546' }, index: 3 };
  for (const operation of ['variation', 'upscale'] as const) {
    const { url, fields } = submitted({ operation, source });
    assert.equal(url, 'http://127.0.0.1:8080/mj/submit/change');
    const action = operation.toUpperCase();
    assert.deepEqual(fields, { taskId: '1320098173412546', action, index: 3, state: 'run' });
  }
});

test('the hook is ours or none', () => {
  const extra = { notifyHook: 'http://127.0.0.1:22/', botType: 'NIJI_JOURNEY' };
  assert.equal(submitted({ extra }).fields.notifyHook, undefined);
  assert.equal(submitted({ extra }).fields.botType, 'NIJI_JOURNEY');
  const webhookUrl = 'http://127.0.0.1:8484/news/run';
  assert.equal(submitted({ extra }, { webhookUrl }).fields.notifyHook, webhookUrl);
});

test('the secret goes in one header: the one that every server reads, or the one that it names itself', () => {
  const request = { method: 'GET', url: 'http://127.0.0.1:8080/mj/task/1/fetch', headers: {} } as const;
  const sent = (secret: string) => midjourney.authorize(request, { id: 'credential', secret }).headers;
  assert.deepEqual(sent('s3cret'), { 'mj-api-secret': 's3cret' });
  assert.deepEqual(sent('Bearer sk-1'), { authorization: 'Bearer sk-1' });
  assert.deepEqual(sent(''), {});
});
