import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { systemIo } from '../system-io.ts';
import { afterHead, get, loopback, recorder, sendOptions } from '../testing/loopback.ts';

const PLAIN = Buffer.from(JSON.stringify({ words: Array.from({ length: 50_000 }, (_, index) => index) }));
const ENCODED = {
  gzip: gzipSync,
  'X-Gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

function answering(encoding: string, body: Uint8Array) {
  return [`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`, body] as const;
}

for (const [encoding, encode] of Object.entries(ENCODED)) {
  test(`${encoding} is decoded, one chunk at a time`, async (context) => {
    const server = await loopback(context, (socket) =>
      afterHead(socket, () => {
        for (const piece of answering(encoding, encode(PLAIN))) socket.write(piece);
      }),
    );
    const io = systemIo();
    const chunks: Uint8Array[] = [];
    let busy = 0;
    const receiver = recorder({
      async onData(chunk) {
        busy += 1;
        assert.equal(busy, 1);
        await new Promise(setImmediate);
        busy -= 1;
        chunks.push(chunk);
      },
    });
    await io.send(get(server.url), receiver, sendOptions());
    assert.ok(PLAIN.equals(Buffer.concat(chunks)));
    assert.deepEqual(receiver.headers, {});
    await io.close();
  });
}

/** 257 MiB of zeros, as many members of one gzip stream. */
const zeros = Buffer.concat(new Array(257).fill(gzipSync(Buffer.alloc(1024 * 1024))));
const unreadable = {
  'of an unknown kind': ['lzma', PLAIN],
  'named like a property of every object': ['constructor', PLAIN],
  'that is cut off': ['gzip', gzipSync(PLAIN).subarray(0, -20)],
  'that is something else': ['gzip', PLAIN],
  'that grows beyond all bounds': ['gzip', zeros],
} as const;

for (const [name, [encoding, body]] of Object.entries(unreadable)) {
  test(`an encoding ${name} is said so`, async (context) => {
    const server = await loopback(context, (socket) =>
      afterHead(socket, () => {
        for (const piece of answering(encoding, body)) socket.write(piece);
      }),
    );
    const receiver = recorder({ onData: () => {} });
    await assert.rejects(systemIo().send(get(server.url), receiver, sendOptions()), {
      name: 'TransportError',
      phase: 'answering',
      code: 'CONTENT_ENCODING',
    });
    await server.emptied();
  });
}

test('a receiver’s own error comes through a decoder unchanged', async (context) => {
  const server = await loopback(context, (socket) =>
    afterHead(socket, () => {
      for (const piece of answering('gzip', gzipSync(PLAIN))) socket.write(piece);
    }),
  );
  const mistake = new Error('mine');
  const receiver = recorder({ onData: () => Promise.reject(mistake) });
  await assert.rejects(systemIo().send(get(server.url), receiver, sendOptions()), mistake);
  await server.emptied();
});
