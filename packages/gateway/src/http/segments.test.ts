import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Asset } from '@onetake/core';
import { type PictureReader, type Segment, segmentsLength, writeSegments } from './segments.ts';

function assetOf(bytes: Buffer): Asset {
  return { hash: '', bytes: bytes.length, type: 'png', width: 1, height: 1, animated: false, alpha: false };
}

/** Reads into the buffer it is given, over and over, as the disk does. */
function readerOf(find: (asset: Asset) => Buffer | undefined): PictureReader {
  return {
    async *read(asset, { buffer } = { buffer: Buffer.alloc(3) }) {
      const bytes = find(asset) ?? assert.fail('no such picture');
      for (let at = 0; at < bytes.length; at += buffer.length) {
        yield buffer.subarray(0, bytes.copy(buffer, 0, at));
        buffer.fill(0);
      }
    },
  };
}

async function listen(context: TestContext, answer: (response: ServerResponse) => void): Promise<number> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('text and pictures arrive in order, each of its announced length, though memory is used again', async (context) => {
  const pictures = [1, 700, 48 * 1024 + 1, 1_000_001].map((size) => randomBytes(size));
  const byAsset = new Map(pictures.map((bytes) => [assetOf(bytes), bytes]));
  const segments: Segment[] = [...byAsset.keys()].flatMap((asset) => ['"ü', asset, '",']);
  const port = await listen(context, (response) => {
    response.writeHead(200, { 'content-length': String(segmentsLength(segments)) });
    writeSegments(
      response,
      segments,
      readerOf((asset) => byAsset.get(asset)),
    ).then(() => response.end());
  });
  const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  assert.equal(text, pictures.map((bytes) => `"ü${bytes.toString('base64')}",`).join(''));
});

test('a caller that goes away ends the writing', async (context) => {
  const bytes = randomBytes(20_000_000);
  const { promise: written, resolve } = Promise.withResolvers<boolean>();
  const port = await listen(context, (response) => {
    writeSegments(
      response,
      [assetOf(bytes), 'end'],
      readerOf(() => bytes),
    ).then(resolve);
  });
  const caller = connect(port, '127.0.0.1').on('error', () => {});
  caller.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(caller, 'data');
  caller.destroy();
  assert.equal(await written, false);
});
