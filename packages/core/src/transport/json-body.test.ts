import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { embedded } from '../http.ts';
import type { Asset } from '../images/asset.ts';
import type { JsonValue } from '../json.ts';
import { systemIo } from '../system-io.ts';
import { loopback, recorder, sendOptions, testAsset } from '../testing/loopback.ts';
import { jsonBody } from './json-body.ts';

function bytesOf(asset: Asset): Buffer {
  return Buffer.alloc(asset.bytes, `${asset.hash}\0\xff`, 'latin1');
}

/** In chunks of odd sizes, so that no chunk ends where a group of three bytes does. */
async function* readAsset(asset: Asset, chunkBytes = 60_001): AsyncGenerator<Uint8Array> {
  const bytes = bytesOf(asset);
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function sent(value: JsonValue, read = readAsset): Promise<{ readonly text: string; readonly length: number }> {
  const body = jsonBody(value, read);
  if (body instanceof Uint8Array) return { text: Buffer.from(body).toString(), length: body.length };
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  assert.equal(whole.length, body.contentLength);
  return { text: whole.toString(), length: whole.length };
}

/** A value, and what it should be read as: pictures stand for their base64. */
type Pair = readonly [value: JsonValue, expected: JsonValue];

const PICTURE: fc.Arbitrary<Pair> = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.constantFrom('base64', 'data-url'))
  .map(([bytes, as]) => {
    const asset = testAsset('ab', bytes);
    const base64 = bytesOf(asset).toString('base64');
    return [embedded(asset, as), as === 'base64' ? base64 : `data:image/png;base64,${base64}`];
  });
const LOOKALIKE = fc.constantFrom<JsonValue>(
  { ...embedded(testAsset('cd', 9), 'base64') },
  JSON.stringify(embedded(testAsset('cd', 9), 'base64')),
  '"$asset"',
);
const PLAIN = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.jsonValue().map((one) => one as JsonValue),
    LOOKALIKE,
  )
  .map((one): Pair => [one, one]);
const { tree: TREE } = fc.letrec<{ tree: Pair }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    PICTURE,
    PLAIN,
    fc.array(tie('tree')).map((pairs): Pair => [pairs.map(([value]) => value), pairs.map(([, read]) => read)]),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.constant('$asset')), tie('tree')))
      .map(
        (fields): Pair => [
          Object.fromEntries(fields.map(([key, [value]]) => [key, value])),
          Object.fromEntries(fields.map(([key, [, read]]) => [key, read])),
        ],
      ),
  ),
}));

test('a body is JSON.stringify of the value with the base64 put in, however it is nested and read', async () => {
  await fc.assert(
    fc.asyncProperty(TREE, fc.integer({ min: 1, max: 70 }), async ([value, expected], chunkBytes) => {
      const { text } = await sent(value, (asset) => readAsset(asset, chunkBytes));
      assert.equal(text, JSON.stringify(expected));
    }),
    { numRuns: 500 },
  );
});

test('absent fields are left out, as JSON.stringify does', async () => {
  const value = { a: undefined, b: embedded(testAsset('ab', 2), 'base64'), c: undefined, d: -0, e: Number.NaN };
  assert.equal((await sent(value)).text, `{"b":"${bytesOf(testAsset('ab', 2)).toString('base64')}","d":0,"e":null}`);
  assert.equal((await sent({ a: undefined, d: 1 })).text, '{"d":1}');
});

test('an object that only looks like a picture is sent as it is written, and nothing is read for it', async () => {
  const forged: JsonValue = JSON.parse(JSON.stringify({ extra: embedded(testAsset('ab', 100), 'data-url') }));
  const body = jsonBody(forged, () => assert.fail('something was read'));
  assert.ok(body instanceof Uint8Array);
  assert.equal(Buffer.from(body).toString(), JSON.stringify(forged));
});

test('two pictures of 5 MB arrive with the length announced, a slice at a time', async (context) => {
  let received = Buffer.alloc(0);
  const chunks: Buffer[] = [];
  const server = await loopback(context, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunk.subarray(-2).toString() === '"}') socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  const value = {
    prompt: 'é "$asset"',
    image: embedded(testAsset('aa', 5_000_000), 'data-url'),
    mask: embedded(testAsset('bb', 5_000_001), 'base64'),
    end: '',
  };
  const request = { method: 'POST', url: server.url, headers: { 'content-type': 'x' }, body: { kind: 'json', value } };
  const receiver = recorder();
  await systemIo().send(
    request as Parameters<ReturnType<typeof systemIo>['send']>[0],
    receiver,
    sendOptions({ readAsset }),
  );
  received = Buffer.concat(chunks);
  const at = received.indexOf('\r\n\r\n') + 4;
  const head = received.subarray(0, at).toString();
  assert.match(head, /\r\ncontent-type: application\/json\r\n/);
  assert.equal(Number(/content-length: (\d+)/.exec(head)?.[1]), received.length - at);
  const read = JSON.parse(received.subarray(at).toString());
  assert.equal(read.prompt, value.prompt);
  assert.ok(read.image === `data:image/png;base64,${bytesOf(testAsset('aa', 5_000_000)).toString('base64')}`);
  assert.ok(read.mask === bytesOf(testAsset('bb', 5_000_001)).toString('base64'));
});

test('a picture is read no faster than its body is taken, and let go when nobody takes it any more', async () => {
  let read = 0;
  let closed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        read += 1;
        yield Buffer.alloc(200_000);
      }
    } finally {
      closed = true;
    }
  }
  const body = jsonBody(embedded(testAsset('aa', 1e9), 'base64'), endless);
  assert.ok(!(body instanceof Uint8Array));
  let largest = 0;
  let taken = 0;
  for await (const chunk of body.chunks) {
    largest = Math.max(largest, chunk.length);
    taken += 1;
    if (taken === 12) break;
  }
  assert.ok(read <= 3, `${read} chunks were read for ${taken} taken`);
  assert.ok(largest <= 64 * 1024 + 4);
  assert.equal(closed, true);
});

test('a picture that cannot be read, or has another length, ends the body with a BodyReadError', async () => {
  const value = { image: embedded(testAsset('aa', 1_000), 'base64') };
  const sources = {
    'could not be read: gone': async function* () {
      yield Buffer.alloc(500);
      throw new Error('gone');
    },
    '1000 bytes were announced, 500 came': async function* () {
      yield Buffer.alloc(500);
    },
    '1000 bytes were announced, 5000 came': async function* () {
      yield Buffer.alloc(5_000);
    },
  };
  for (const [message, read] of Object.entries(sources)) {
    await assert.rejects(sent(value, read), { code: 'BODY_READ', message: new RegExp(message) });
  }
});

test('over the wire that is a failure of ours, and the socket is freed', async (context) => {
  const server = await loopback(context, (socket) => socket.on('data', () => {}));
  async function* short() {
    yield Buffer.alloc(1_000);
  }
  const sending = systemIo().send(
    {
      method: 'POST',
      url: server.url,
      headers: {},
      body: { kind: 'json', value: [embedded(testAsset('aa', 9e6), 'base64')] },
    },
    recorder(),
    sendOptions({ readAsset: short }),
  );
  await assert.rejects(sending, { name: 'TransportError', phase: 'sent', code: 'BODY_READ' });
  await server.emptied();
});
