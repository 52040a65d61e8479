import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HttpRequest } from '../http.ts';
import { type Receiver, TransportError } from '../io.ts';
import { systemIo } from '../system-io.ts';
import { afterHead, answerOk, get, loopback, post, recorder, sendOptions } from '../testing/loopback.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const BIG = 'x'.repeat(32 * 1024 * 1024);

async function failure(request: HttpRequest, receiver: Receiver, signal = new AbortController().signal) {
  const error = await systemIo()
    .send(request, receiver, sendOptions({ signal }))
    .then(
      () => assert.fail('the exchange succeeded'),
      (reason: unknown) => reason,
    );
  assert.ok(error instanceof TransportError, String(error));
  return error;
}

test('a whole answer: status, lower-case headers, repeated ones joined, 1xx ignored', async (context) => {
  let seen = '';
  const server = await loopback(context, (socket) =>
    afterHead(socket, (received) => {
      seen = received.toString();
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
      socket.write('HTTP/1.1 302 Found\r\nLocation: /b\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 4\r\n\r\nbody');
    }),
  );
  const io = systemIo();
  const receiver = recorder();
  await io.send({ ...get(`${server.url}a%20b?c=d`), headers: { authorization: 'Bearer k' } }, receiver, sendOptions());
  assert.match(seen, /^GET \/a%20b\?c=d HTTP\/1\.1\r\n/);
  assert.match(seen, /\r\nauthorization: Bearer k\r\n/);
  assert.doesNotMatch(seen, /accept-encoding/i);
  assert.equal(receiver.started, 1);
  assert.equal(receiver.status, 302);
  assert.deepEqual(receiver.headers, { location: '/b', 'x-two': '1, 2', 'content-length': '4' });
  assert.equal(receiver.text(), 'body');
  await io.close();
});

test('a JSON body has its exact length', async (context) => {
  let seen = '';
  const server = await loopback(context, (socket) =>
    afterHead(socket, (received) => {
      seen = received.toString();
      socket.end(OK);
    }),
  );
  await systemIo().send(post(server.url, 'é'), recorder(), sendOptions());
  assert.match(seen, /\r\ncontent-type: application\/json\r\n/);
  assert.match(seen, /\r\ncontent-length: 4\r\n\r\n"é"$/);
});

const resetAfterPart = (socket: Socket, bytes: number) => {
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
    if (received >= bytes) socket.resetAndDestroy();
  });
};

const cuts: Readonly<Record<string, readonly [(socket: Socket) => void, string, RegExp]>> = {
  'reset mid upload': [(socket) => resetAfterPart(socket, 200_000), 'sent', /^(ECONNRESET|EPIPE)$/],
  'reset after the request': [(socket) => resetAfterPart(socket, BIG.length), 'sent', /^(ECONNRESET|EPIPE)$/],
  'end after the request': [
    (socket) => socket.once('data', () => socket.end()),
    'sent',
    /^UND_ERR_SOCKET$|^EPIPE$|^ECONNRESET$/,
  ],
  'reset mid headers': [
    (socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nx-a', () => socket.resetAndDestroy())),
    'sent',
    /^(ECONNRESET|EPIPE)$/,
  ],
  'not HTTP': [(socket) => socket.once('data', () => socket.write('nonsense\r\n\r\n')), 'sent', /^HTTPParserError$/],
};

for (const [name, [server, phase, code]] of Object.entries(cuts)) {
  test(`${name}: ${phase}`, async (context) => {
    const { url, emptied } = await loopback(context, server);
    const receiver = recorder();
    const error = await failure(post(url, BIG), receiver);
    assert.equal(error.phase, phase);
    assert.match(error.code, code);
    assert.equal(receiver.started, 1);
    assert.equal(receiver.status, undefined);
    await emptied();
  });
}

for (const end of ['resetAndDestroy', 'end'] as const) {
  test(`a body cut off by ${end}: answering`, async (context) => {
    let peer: Socket | undefined;
    const server = await loopback(context, (socket) => {
      peer = socket;
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'));
    });
    const receiver = recorder({ onData: () => void peer?.[end]() });
    const error = await failure(get(server.url), receiver);
    assert.equal(error.phase, 'answering');
    assert.equal(receiver.status, 200);
  });
}

for (const [name, head, phase] of [
  ['before the headers', '', 'sent'],
  ['mid body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', 'answering'],
] as const) {
  test(`an abort of a stalled answer ${name} rejects at once and frees the socket`, async (context) => {
    const server = await loopback(context, (socket) => socket.once('data', () => socket.write(head)));
    const abort = new AbortController();
    const receiver = recorder(
      head === '' ? { onStarted: () => setTimeout(() => abort.abort(), 20) } : { onData: () => abort.abort() },
    );
    const error = await failure(post(server.url, 'a'), receiver, abort.signal);
    assert.equal(error.phase, phase);
    assert.equal(error.code, 'ABORTED');
    await server.emptied();
  });
}

test('an early 429 during an upload is an answer', async (context) => {
  const server = await loopback(context, (socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.write('HTTP/1.1 429 Too Many Requests\r\nretry-after: 3\r\ncontent-length: 4\r\n\r\nslow');
    });
  });
  const receiver = recorder();
  await systemIo().send(post(server.url, BIG), receiver, sendOptions());
  assert.equal(receiver.status, 429);
  assert.equal(receiver.text(), 'slow');
});

test('a slow receiver stops the sender', async (context) => {
  const total = 64 * 1024 * 1024;
  let written = 0;
  const server = await loopback(context, (socket) =>
    afterHead(socket, () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
      const block = Buffer.alloc(64 * 1024);
      const fill = () => {
        while (written < total) {
          written += block.length;
          if (!socket.write(block)) return socket.once('drain', fill);
        }
        return undefined;
      };
      fill();
    }),
  );
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let received = 0;
  let calls = 0;
  const sending = systemIo().send(
    get(server.url),
    recorder({
      onData(chunk) {
        received += chunk.length;
        calls += 1;
        return gate;
      },
    }),
    sendOptions(),
  );
  let before = -1;
  while (before !== written || calls === 0) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.equal(calls, 1);
  assert.ok(written < total / 2, `${written} bytes were written ahead`);
  open();
  await sending;
  assert.equal(received, total);
});

test('a peer that closes after a complete answer does not cut a slow receiver off', async (context) => {
  const length = 300_000;
  const body = 'y'.repeat(length);
  const answers = [
    `connection: close\r\ncontent-length: ${length}\r\n\r\n${body}`,
    `content-length: ${length}\r\n\r\n${body}`,
    `transfer-encoding: chunked\r\n\r\n${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    `\r\n${body}`,
  ];
  for (const answer of answers) {
    const server = await loopback(context, (socket) =>
      afterHead(socket, () => socket.end(`HTTP/1.1 200 OK\r\n${answer}`)),
    );
    let busy = 0;
    let received = 0;
    const receiver = recorder({
      async onData(chunk) {
        busy += 1;
        assert.equal(busy, 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        busy -= 1;
        received += chunk.length;
      },
    });
    await systemIo().send(get(server.url), receiver, sendOptions());
    assert.equal(received, length);
  }
});

test('what a receiver throws ends the exchange as it is and frees the socket', async (context) => {
  const mistake = new Error('mine');
  const broken: readonly Partial<Receiver>[] = [
    { onStarted: () => assert.fail(mistake) },
    { onHeaders: () => assert.fail(mistake) },
    { onData: () => assert.fail(mistake) },
    { onData: () => Promise.reject(mistake) },
  ];
  for (const overrides of broken) {
    const server = await loopback(context, answerOk);
    await assert.rejects(systemIo().send(get(server.url), recorder(overrides), sendOptions()), mistake);
    await nextTurn();
    await server.emptied();
  }
});

test('requests to one origin do not queue behind each other', async (context) => {
  const waiting: Socket[] = [];
  const server = await loopback(context, (socket) =>
    afterHead(socket, () => {
      waiting.push(socket);
      if (waiting.length === 20) for (const one of waiting) one.end(OK);
    }),
  );
  const io = systemIo();
  await Promise.all(Array.from({ length: 20 }, () => io.send(post(server.url, 'a'), recorder(), sendOptions())));
  assert.equal(server.accepted(), 20);
  await io.close();
});

test('after 200 hang-ups a good call still works and no socket is left', async (context) => {
  let good = false;
  const server = await loopback(context, (socket) => {
    if (good) answerOk(socket);
  });
  const io = systemIo();
  const hangUp = async () => {
    const abort = new AbortController();
    const receiver = recorder({ onStarted: () => void setImmediate(() => abort.abort()) });
    await assert.rejects(io.send(post(server.url, 'a'), receiver, sendOptions({ signal: abort.signal })), {
      code: 'ABORTED',
    });
  };
  for (let round = 0; round < 10; round += 1) await Promise.all(Array.from({ length: 20 }, hangUp));
  good = true;
  const receiver = recorder();
  await io.send(post(server.url, 'a'), receiver, sendOptions());
  assert.equal(receiver.text(), 'ok');
  await io.close();
  await server.emptied();
});

test('a connection is used again, and one that died at rest costs nothing', async (context) => {
  const sockets: Socket[] = [];
  const server = await loopback(context, (socket) => {
    sockets.push(socket);
    answerOk(socket);
  });
  const io = systemIo();
  const send = async () => {
    const receiver = recorder();
    await io.send(post(server.url, 'a'), receiver, sendOptions());
    assert.equal(receiver.started, 1);
  };
  await send();
  await send();
  assert.equal(server.accepted(), 1);
  for (let round = 0; round < 20; round += 1) {
    // Both in the same turn: the reset is on its way while the request is handed over.
    sockets.at(-1)?.resetAndDestroy();
    await send();
  }
  assert.equal(server.accepted(), 21);
  await io.close();
  await server.emptied();
});

test('an aborted signal of an ended exchange does nothing, and no listener stays on it', async (context) => {
  const server = await loopback(context, answerOk);
  const io = systemIo();
  const abort = new AbortController();
  await io.send(get(server.url), recorder(), sendOptions({ signal: abort.signal }));
  abort.abort();
  await io.send(get(server.url), recorder(), sendOptions());
  assert.equal(server.accepted(), 1);
  await io.close();
});
