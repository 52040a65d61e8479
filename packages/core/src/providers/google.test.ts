import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../client.ts';
import { isObject, type JsonObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { createScriptedIo } from '../testing/scripted-io.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { TINY_PNG_BASE64 } from '../testing/tiny-png.ts';
import fixtures from './fixtures/google.json' with { type: 'json' };
import { google } from './google.ts';
import type { CallContext } from './provider.ts';

testProvider(google, providerFixtures(fixtures));

const CONTEXT: CallContext = {
  ...{ runId: 'run', attempt: 1, model: 'gemini-3.1-flash-image' },
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
};

function submitted(changes: Parameters<typeof sampleRequest>[0] = {}) {
  const built = google.image?.submit.build(sampleRequest(changes), CONTEXT);
  assert.ok(built);
  return built;
}

function bodyOf(changes: Parameters<typeof sampleRequest>[0] = {}): JsonObject {
  const { body } = submitted(changes);
  assert.ok(body?.kind === 'json' && isObject(body.value));
  return body.value;
}

test('a prompt is one turn, and pictures stand before it', () => {
  const { url } = submitted();
  assert.equal(url, `${CONTEXT.baseUrl}/models/gemini-3.1-flash-image:generateContent`);
  const wanted = { operation: 'edit', images: [SAMPLE_ASSET], aspectRatio: '16:9', resolution: '2K' } as const;
  assert.deepEqual(bodyOf(wanted), {
    contents: [
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: { $asset: SAMPLE_ASSET, as: 'base64' } } },
          { text: 'a lighthouse' },
        ],
      },
    ],
    generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '16:9', imageSize: '2K' } },
  });
  assert.deepEqual(bodyOf().generationConfig, { responseModalities: ['IMAGE'] });
});

test('a caller adds to the settings and cannot take ours away', () => {
  const extra = {
    safetySettings: [],
    generationConfig: { temperature: 0.5, responseModalities: ['TEXT'] },
    contents: [],
  };
  const { safetySettings, generationConfig, contents } = bodyOf({ extra });
  assert.deepEqual(safetySettings, []);
  assert.deepEqual(generationConfig, { temperature: 0.5, responseModalities: ['IMAGE'] });
  assert.ok(JSON.stringify(contents).includes('lighthouse'));
});

test('the key has a header of its own', () => {
  const { headers } = google.authorize(submitted(), { id: 'k', secret: 'AIza-x' });
  assert.equal(headers['x-goog-api-key'], 'AIza-x');
  assert.equal(headers.authorization, undefined);
});

test('the id of an exchange is in its body', () => {
  assert.equal(google.requestId?.({ status: 200, headers: {}, body: { responseId: 'r1' }, text: '' }), 'r1');
});

test('the catalogue is those of the listed models that make pictures', () => {
  const url = google.catalog?.build(CONTEXT).url;
  assert.equal(url, `${CONTEXT.baseUrl}/models?pageSize=1000`);
  const names = ['models/gemini-3.1-flash-image', 'models/gemini-nano-banana-2.1', 'models/gemini-3.5-flash', 7];
  const body = { models: names.map((name) => ({ name })) };
  const listed = google.catalog?.parse({ status: 200, headers: {}, body, text: '' });
  assert.deepEqual(listed, [{ id: 'gemini-3.1-flash-image' }, { id: 'gemini-nano-banana-2.1' }]);
  assert.deepEqual(google.catalog?.parse({ status: 200, headers: {}, body: null, text: '' }), []);
});

const DAY = {
  error: {
    ...{ code: 429, status: 'RESOURCE_EXHAUSTED', message: 'You exceeded your current quota.' },
    details: [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel', quotaValue: '100' }] }],
  },
};

test('a day’s quota of one model says nothing of another', async () => {
  const inlineData = { mimeType: 'image/png', data: TINY_PNG_BASE64 };
  const picture = { candidates: [{ content: { parts: [{ inlineData }] }, finishReason: 'STOP' }] };
  const io = createScriptedIo(({ url }) => ({
    ...{ kind: 'answer', afterMs: 10 },
    ...(url.includes('flash')
      ? { status: 429, body: JSON.stringify(DAY) }
      : { status: 200, body: JSON.stringify(picture) }),
  }));
  const targets = ['google/gemini-3.1-flash-image', 'google/gemini-3-pro-image'];
  const client = createClient({ providers: { google: { apiKey: 'key' } }, routes: { best: { targets } }, io });
  const { model } = await io.drive(client.images.generate({ model: 'best', prompt: 'a lighthouse' }));
  assert.equal(model, 'gemini-3-pro-image');
});

test('only models it lists are its models', () => assert.equal(google.model('gemini-3.1-flash-imgae'), undefined));
