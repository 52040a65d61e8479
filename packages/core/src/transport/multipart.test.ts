import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest, Part } from '../http.ts';
import type { Asset } from '../images/asset.ts';
import { systemIo } from '../system-io.ts';
import { loopback, recorder, sendOptions, testAsset } from '../testing/loopback.ts';
import { multipart } from './multipart.ts';

function bytesOf(asset: Asset): Buffer {
  return Buffer.alloc(asset.bytes, `${asset.hash}\r\n--onetake-\0`);
}

async function* readAsset(asset: Asset): AsyncGenerator<Uint8Array> {
  const bytes = bytesOf(asset);
  for (let at = 0; at < bytes.length; at += 60_000) yield bytes.subarray(at, at + 60_000);
}

const FILE: Part = { name: 'image[]', filename: 'a "quoted"\r\nname.png', asset: testAsset('aa', 5_000_000) };
const PARTS: readonly Part[] = [
  { name: 'prompt', value: 'two lines\r\nand é "quotes"' },
  FILE,
  { name: 'image[]', filename: 'b.png', asset: testAsset('bb', 5_000_001) },
  { name: 'empty', value: '' },
];

function upload(url: string, parts: readonly Part[]): HttpRequest {
  return { method: 'POST', url, headers: { 'content-type': 'replaced' }, body: { kind: 'multipart', parts } };
}

test('two files of 5 MB arrive byte for byte', async (context) => {
  const chunks: Buffer[] = [];
  const server = await loopback(context, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunk.subarray(-4).toString() === '--\r\n') socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  const receiver = recorder();
  await systemIo().send(upload(server.url, PARTS), receiver, sendOptions({ readAsset }));
  assert.equal(receiver.status, 204);

  const message = Buffer.concat(chunks);
  const headEnd = message.indexOf('\r\n\r\n');
  const head = message.subarray(0, headEnd).toString();
  const body = message.subarray(headEnd + 4);
  assert.equal(Number(/content-length: (\d+)/.exec(head)?.[1]), body.length);
  const contentType = /content-type: (.*)/.exec(head)?.[1] ?? '';
  const form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
  assert.deepEqual([...form.keys()], ['prompt', 'image[]', 'image[]', 'empty']);
  assert.equal(form.get('prompt'), 'two lines\r\nand é "quotes"');
  assert.equal(form.get('empty'), '');
  const files = form.getAll('image[]') as File[];
  assert.deepEqual(
    files.map(({ name, type }) => [name, type]),
    [
      ['a "quoted"\r\nname.png', 'image/png'],
      ['b.png', 'image/png'],
    ],
  );
  for (const [index, hash] of ['aa', 'bb'].entries()) {
    const sent = bytesOf(testAsset(hash, 5_000_000 + index));
    assert.ok(sent.equals(Buffer.from((await files[index]?.arrayBuffer()) ?? new ArrayBuffer(0))));
  }
});

test('the boundary follows from the contents alone', () => {
  const boundary = (parts: readonly Part[]) => multipart(parts, readAsset).contentType;
  assert.equal(boundary(PARTS), boundary([...PARTS]));
  assert.notEqual(boundary(PARTS), boundary(PARTS.slice(1)));
});

test('a file that cannot be read, or has another length, ends the exchange and frees the socket', async (context) => {
  const server = await loopback(context, (socket) => socket.on('data', () => {}));
  let closed = 0;
  const cases = {
    BODY_READ: async function* () {
      yield Buffer.alloc(1000);
      throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    },
    UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: async function* () {
      try {
        yield Buffer.alloc(1000);
        yield Buffer.alloc(6_000_000);
      } finally {
        closed += 1;
      }
    },
  };
  for (const [code, read] of Object.entries(cases)) {
    const sending = systemIo().send(upload(server.url, [FILE]), recorder(), sendOptions({ readAsset: read }));
    await assert.rejects(sending, { name: 'TransportError', phase: 'sent', code });
    await server.emptied();
  }
  assert.equal(closed, 1);
});

test('an abort during an upload lets the file being read go', async (context) => {
  const server = await loopback(context, () => {});
  const abort = new AbortController();
  const closed = Promise.withResolvers<void>();
  async function* slowFile() {
    try {
      yield Buffer.alloc(1000);
      abort.abort();
      await server.emptied();
      yield Buffer.alloc(1000);
    } finally {
      closed.resolve();
    }
  }
  const options = sendOptions({ readAsset: slowFile, signal: abort.signal });
  await assert.rejects(systemIo().send(upload(server.url, [FILE]), recorder(), options), { code: 'ABORTED' });
  await closed.promise;
});
