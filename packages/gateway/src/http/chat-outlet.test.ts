import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import { createOutlet, SLOW_CALLER_MS } from './chat-outlet.ts';

/** An answer being written to a caller who takes nothing until told. */
async function slowCaller(context: TestContext) {
  const clock = createVirtualClock();
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  context.after(() => socket.destroy());
  socket.pause().write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  return { clock, socket, response, outlet: createOutlet(response, clock) };
}

const LARGE = Buffer.alloc(8 * 1024 * 1024);

test('what the connection takes at once holds nothing', async (context) => {
  const { outlet } = await slowCaller(context);
  assert.equal(outlet.write(Buffer.from('a')), undefined);
  assert.equal(outlet.isHeld(), false);
});

test('a caller who is slow holds the flow until it has taken all', async (context) => {
  const { outlet, socket } = await slowCaller(context);
  const held = outlet.write(LARGE);
  assert.ok(held && outlet.isHeld());
  socket.resume();
  await held;
  assert.equal(outlet.isHeld(), false);
});

test('a caller who takes nothing for long is cut off, and holds nothing any more', async (context) => {
  const { clock, outlet, response } = await slowCaller(context);
  const held = outlet.write(LARGE);
  assert.ok(held);
  // What the kernel takes of it at first counts as taken.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await clock.drive(held);
  assert.ok(clock.now() >= SLOW_CALLER_MS && clock.now() <= 2 * SLOW_CALLER_MS);
  assert.equal(response.destroyed, true);
  assert.equal(outlet.write(LARGE), undefined);
});

test('a caller who leaves holds nothing', async (context) => {
  const { outlet, socket } = await slowCaller(context);
  const held = outlet.write(LARGE);
  socket.destroy();
  await held;
  assert.equal(outlet.isHeld(), false);
});
