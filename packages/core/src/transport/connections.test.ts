import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemIo } from '../system-io.ts';
import { afterHead, get, loopback, recorder, sendOptions } from '../testing/loopback.ts';

test('at most 256 connections rest', async (context) => {
  const wanted = 260;
  const writes: (() => void)[] = [];
  const server = await loopback(context, (socket) =>
    afterHead(socket, () => {
      writes.push(() => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
      if (writes.length === wanted) for (const write of writes) write();
    }),
  );
  const io = systemIo();
  await Promise.all(Array.from({ length: wanted }, () => io.send(get(server.url), recorder(), sendOptions())));
  assert.equal(server.accepted(), wanted);
  while (server.open() > 256) await new Promise(setImmediate);
  assert.equal(server.open(), 256);
  await io.close();
  await server.emptied();
});

test('a server that keeps connections for 2 seconds or less gets a new one each time', async (context) => {
  const answer = 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=2\r\ncontent-length: 2\r\n\r\nok';
  const server = await loopback(context, (socket) => socket.on('data', () => socket.write(answer)));
  const io = systemIo();
  await io.send(get(server.url), recorder(), sendOptions());
  await io.send(get(server.url), recorder(), sendOptions());
  assert.equal(server.accepted(), 2);
  await io.close();
});
