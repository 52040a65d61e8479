import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddedPicture } from '../http.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/openai-responses.json' with { type: 'json' };
import { openai } from './openai.ts';
import { openaiResponses } from './openai-responses.ts';

testProvider(openaiResponses, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'gpt-image-2', baseUrl: 'https://api.example/v1' };

function fields(changes: Parameters<typeof sampleRequest>[0] = {}): JsonObject {
  const built = openaiResponses.image?.submit.build(sampleRequest(changes), CONTEXT);
  assert.ok(built?.body?.kind === 'json' && isObject(built.body.value));
  return built.body.value;
}

function toolOf(body: JsonObject): JsonObject {
  const [tool]: readonly JsonValue[] = Array.isArray(body.tools) ? body.tools : [];
  assert.ok(isObject(tool));
  return tool;
}

test('a picture is asked for in the background, kept, by the one tool, once', () => {
  const { instructions, ...body } = fields({ size: '1024x1024', quality: 'high', outputFormat: 'webp' });
  assert.equal(typeof instructions, 'string');
  assert.deepEqual(body, {
    model: 'gpt-5.6-luna',
    background: true,
    store: true,
    input: 'a lighthouse',
    tools: [
      {
        type: 'image_generation',
        model: 'gpt-image-2',
        size: '1024x1024',
        quality: 'high',
        output_format: 'webp',
      },
    ],
    tool_choice: { type: 'image_generation' },
    max_tool_calls: 1,
  });
});

test('an edit sends its pictures beside the prompt, in order, and its mask with the tool', () => {
  const jpeg = { ...SAMPLE_ASSET, type: 'jpeg' as const };
  const body = fields({ operation: 'edit', images: [SAMPLE_ASSET, jpeg], mask: SAMPLE_ASSET });
  const [message]: readonly JsonValue[] = Array.isArray(body.input) ? body.input : [];
  assert.ok(isObject(message) && Array.isArray(message.content));
  const [text, ...pictures]: readonly JsonValue[] = message.content;
  assert.deepEqual(text, { type: 'input_text', text: 'a lighthouse' });
  const sent = pictures.map((picture) => (isObject(picture) ? embeddedPicture(picture.image_url) : undefined));
  assert.deepEqual(sent, [
    { asset: SAMPLE_ASSET, as: 'data-url' },
    { asset: jpeg, as: 'data-url' },
  ]);
  const mask = toolOf(body).input_image_mask;
  assert.deepEqual(isObject(mask) && embeddedPicture(mask.image_url), { asset: SAMPLE_ASSET, as: 'data-url' });
});

test('unknown fields are the tool’s or the response’s, and make it no other call', () => {
  const extra = { complexity: 'high', metadata: { a: 'b' }, mainline_model: 'gpt-5.5', stream: true, model: 'x', n: 4 };
  const body = fields({ extra: { ...extra, background: 'none', store: false } });
  assert.deepEqual([body.model, body.background, body.store, body.stream], ['gpt-5.5', true, true, undefined]);
  assert.deepEqual(body.metadata, { a: 'b' });
  const tool = toolOf(body);
  assert.deepEqual(
    [tool.complexity, tool.model, tool.n, tool.mainline_model],
    ['high', 'gpt-image-2', undefined, undefined],
  );
});

test('a response is looked up and given up by its id', () => {
  const { poll, cancel } = openaiResponses.image ?? {};
  const handle = { response: 'resp_1/../x' };
  const look = poll?.build(handle, CONTEXT);
  assert.deepEqual([look?.method, look?.url], ['GET', 'https://api.example/v1/responses/resp_1%2F..%2Fx']);
  const give = cancel?.build(handle, CONTEXT);
  assert.deepEqual([give?.method, give?.url], ['POST', 'https://api.example/v1/responses/resp_1%2F..%2Fx/cancel']);
});

test('it has OpenAI’s models, one picture at a time and without a stream', () => {
  assert.deepEqual(
    openaiResponses.models.map(({ id }) => id),
    openai.models.map(({ id }) => id),
  );
  assert.ok(openaiResponses.models.every(({ maxImagesPerCall, streams }) => maxImagesPerCall === 1 && !streams));
});
