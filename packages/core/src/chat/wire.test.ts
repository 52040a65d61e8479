/** Chat on real sockets: what is handed on as it comes, held back, and cut off. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemIo } from '../system-io.ts';
import { chatBody, chatEnvironment, chatFailed, chunkEvent, sampleChatPlan, wordEvents } from '../testing/chat-rig.ts';
import { loopback } from '../testing/loopback.ts';
import type { ChatSink } from './chat.ts';
import { runChat } from './run-chat.ts';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';

async function asked(context: TestContext, serve: (socket: Socket) => void, write: ChatSink['write']) {
  const server = await loopback(context, (socket) => socket.once('data', () => serve(socket)));
  const io = systemIo();
  context.after(() => io.close());
  const cancel = new AbortController();
  const environment = chatEnvironment(io, cancel.signal, server.url.slice(0, -1));
  const now = io.now();
  const plan = { ...sampleChatPlan(['a'], {}, { maxPaidAttempts: 1 }), createdAt: now, deadlineAt: now + 30_000 };
  const body = chatBody({ model: 'route', stream: true, messages: [] });
  const journal = { events: [], append: async () => {} };
  const outcome = runChat('run', plan, journal, environment, { body, sink: { begin: () => {}, write } });
  return { outcome, cancel, server };
}

test('each event is handed on when it comes, and a cancel closes the provider’s connection within a second', async (context) => {
  const came: string[] = [];
  const first = Promise.withResolvers<void>();
  const { outcome, cancel, server } = await asked(
    context,
    (socket) => socket.write(`${HEAD}connection: close\r\n\r\n${chunkEvent({ content: 'hel' })}data: {"half`),
    (bytes) => {
      came.push(Buffer.from(bytes).toString());
      first.resolve();
    },
  );
  await first.promise;
  const began = performance.now();
  cancel.abort();
  await server.emptied();
  assert.ok(performance.now() - began < 1_000);
  const ended = await outcome;
  assert.ok(typeof ended !== 'symbol');
  assert.equal(chatFailed(ended).kind, 'canceled');
  assert.deepEqual(came, [chunkEvent({ content: 'hel' })]);
});

test('a caller that takes nothing holds the provider back, to the sockets’ own memory', async (context) => {
  const event = chunkEvent({ content: 'x'.repeat(64 * 1024) });
  const events = 1_000;
  let sent = 0;
  let taken = 0;
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const { outcome } = await asked(
    context,
    (socket) => {
      socket.write(`${HEAD}connection: close\r\n\r\n`);
      const more = () => {
        while (sent < events) {
          sent += 1;
          if (!socket.write(event)) return socket.once('drain', more);
        }
        return socket.end('data: [DONE]\n\n');
      };
      more();
    },
    (bytes) => {
      taken += bytes.length;
      reached.resolve();
      return held.promise;
    },
  );
  await reached.promise;
  const seen = [sent];
  // Until nothing moves any more.
  while (seen.length < 3 || seen.at(-1) !== seen.at(-3)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    seen.push(sent);
  }
  assert.ok(sent < events / 2, `${sent} of ${events} were sent`);
  assert.ok(taken < 2 * 1024 * 1024, `${taken} bytes were handed on`);
  held.resolve();
  const ended = await outcome;
  assert.ok(typeof ended !== 'symbol' && ended.ok);
  assert.equal(taken, events * event.length + 'data: [DONE]\n\n'.length);
});

test('a compressed stream comes out as it was before', async (context) => {
  const text = wordEvents('hel', 'lo').join('');
  const pieces: Buffer[] = [];
  const { outcome } = await asked(
    context,
    (socket) => {
      const body = gzipSync(text);
      socket.end(Buffer.concat([Buffer.from(`${HEAD}content-encoding: gzip\r\nconnection: close\r\n\r\n`), body]));
    },
    (bytes) => {
      pieces.push(Buffer.from(bytes));
    },
  );
  const ended = await outcome;
  assert.ok(typeof ended !== 'symbol' && ended.ok);
  assert.equal(Buffer.concat(pieces).toString(), text);
});
