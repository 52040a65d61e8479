/** Unchanged programs with the official SDKs, pointed at a gateway without a key: the sandbox plays every model. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';
import OpenAI, { toFile } from 'openai';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
/** Sizes OpenAI's types do not list, so that pictures are quick to draw. */
const SMALL = '64x48' as '1024x1024';

let gateway: RunningGateway;
let client: OpenAI;
before(async () => {
  gateway = await startGateway();
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', logLevel: 'off' });
});
after(() => gateway.close());

function bytesOf(base64: string | undefined): Buffer {
  return Buffer.from(base64 ?? '', 'base64');
}

function assertPng(bytes: Buffer): void {
  assert.deepEqual(bytes.subarray(0, 8), PNG);
  assert.ok(bytes.length > 100);
}

test('images.generate: base64 is the default, and says what the provider settled on', async () => {
  const { data, output_format, size } = await client.images.generate({ model: 'ok', prompt: 'a red fox', size: SMALL });
  assertPng(bytesOf(data?.[0]?.b64_json));
  assert.deepEqual([data?.length, output_format, size], [1, 'png', '64x48']);
});

test('images.generate: a URL leads to the same kind of bytes', async () => {
  const { data } = await client.images.generate({
    model: 'ok',
    prompt: 'a linked fox',
    size: SMALL,
    response_format: 'url',
  });
  const response = await fetch(data?.[0]?.url ?? '');
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'image/png']);
  assertPng(Buffer.from(await response.arrayBuffer()));
});

test('images.generate: n pictures, each its own', async () => {
  const { data = [] } = await client.images.generate({ model: 'ok', prompt: 'three foxes', size: SMALL, n: 3 });
  for (const { b64_json } of data) assertPng(bytesOf(b64_json));
  assert.equal(new Set(data.map(({ b64_json }) => b64_json)).size, 3);
});

test('images.edit: one picture, several, and a mask', async () => {
  const { data } = await client.images.generate({
    model: 'ok',
    prompt: 'to be edited',
    size: SMALL,
    background: 'transparent',
  });
  const png = bytesOf(data?.[0]?.b64_json);
  const file = (name: string) => toFile(png, name, { type: 'image/png' });
  const edit = { model: 'ok', prompt: 'add a hat', size: SMALL };
  const one = await client.images.edit({ ...edit, image: await file('a.png') });
  assertPng(bytesOf(one.data?.[0]?.b64_json));
  const several = await client.images.edit({ ...edit, image: [await file('a.png'), await file('b.png')] });
  assertPng(bytesOf(several.data?.[0]?.b64_json));
  const masked = await client.images.edit({ ...edit, image: await file('a.png'), mask: await file('mask.png') });
  assertPng(bytesOf(masked.data?.[0]?.b64_json));
});

test('stream: previews pass through, and the completed picture comes last', async () => {
  const stream = await client.images.generate({
    model: 'ok',
    prompt: 'a fox in the making',
    size: SMALL,
    stream: true,
    partial_images: 2,
  });
  const types: string[] = [];
  for await (const event of stream) {
    types.push(event.type);
    assertPng(bytesOf(event.b64_json));
  }
  const partial = 'image_generation.partial_image';
  assert.deepEqual(types, [partial, partial, 'image_generation.completed']);
});

test('models.list and models.retrieve', async () => {
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  assert.ok(ids.includes('sandbox/ok'), ids.join(', '));
  assert.equal((await client.models.retrieve('sandbox/ok')).owned_by, 'sandbox');
});

test('bare model names and no model at all are played by the sandbox, and a header says so', async () => {
  for (const model of ['gpt-image-2', 'never-heard-of-it', undefined]) {
    const { response } = await client.images
      .generate({ prompt: `a fox by ${model}`, size: SMALL, ...(model !== undefined && { model }) })
      .withResponse();
    assert.equal(response.headers.get('x-onetake-provider'), 'sandbox');
  }
});

test('errors are the SDK’s own classes, with status, code and request id', async () => {
  const refused = client.images.generate({ model: 'policy', prompt: 'no', size: SMALL });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.deepEqual(
      [error.status, error.code, error.type],
      [400, 'content_policy_violation', 'invalid_request_error'],
    );
    assert.match(error.requestID ?? '', /^req_/);
    return true;
  });
  const nameless = client.images.generate({ model: 'sandbox/500', prompt: 'no', size: SMALL });
  await assert.rejects(nameless, { status: 424, code: 'generation_failed', type: 'server_error' });
  assert.deepEqual(await countOf(gateway.sandboxUrl, '500'), { requests: 2, charged: 0 });
});

test('stream: a picture larger than what a socket takes at once arrives whole', async () => {
  const stream = await client.images.generate({ prompt: 'a large fox', model: 'big:1', stream: true });
  const sizes: number[] = [];
  for await (const event of stream) sizes.push(event.b64_json.length);
  assert.equal(sizes.length, 1);
  assert.ok((sizes[0] ?? 0) > 1_000_000);
});

test('an error in a stream that has not begun has its own status; one in its first frame too', async () => {
  const streamed = { prompt: 'a stream that fails', size: SMALL, stream: true, partial_images: 1 } as const;
  await assert.rejects(client.images.generate({ ...streamed, model: 'policy' }), { status: 400 });
  await assert.rejects(client.images.generate({ ...streamed, model: 'sandbox/error-in-200' }), { status: 424 });
});

test('generateImage of the AI SDK: one picture and several', async () => {
  const provider = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any' });
  const { images } = await generateImage({
    model: provider.image('gpt-image-2'),
    prompt: 'two foxes',
    n: 2,
    size: '64x48',
  });
  assert.equal(images.length, 2);
  for (const { uint8Array, mediaType } of images) {
    assertPng(Buffer.from(uint8Array));
    assert.equal(mediaType, 'image/png');
  }
});
