import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ChatSink, Failure, Outcome } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import type { Chats } from '../chat/chats.ts';
import { createLive } from '../tasks/live.ts';
import { sampleConnection } from '../testing/chat-samples.ts';
import { startHeartbeat } from '../testing/heartbeat.ts';
import { FIRST_SILENCE_MS } from './chat-answer.ts';
import { SLOW_CALLER_MS } from './chat-outlet.ts';
import { addChatRoutes } from './chat-routes.ts';
import { KEEP_ALIVE_MS } from './event-stream.ts';
import { FailureProblem } from './problem.ts';

const TOKEN = Buffer.from('data: {"choices":[{"delta":{"content":"a"}}]}\n\n');
const HEAD = { status: 200, contentType: 'text/event-stream; charset=utf-8', target: 'here/m' };
const OK: Outcome = { ok: true, images: [] };
const LOST: Failure = { kind: 'network', certainty: 'ambiguous', message: 'the connection was lost' };
const THROTTLED: Failure = { kind: 'throttled', certainty: 'rejected', message: 'too many', notBefore: 60_000 };

interface Course {
  readonly stream?: boolean;
  readonly says?: readonly (readonly [at: number, bytes: Uint8Array])[];
  readonly endAfterMs: number;
  readonly outcome: Outcome;
  /** Default: that of a stream where one was asked for. */
  readonly contentType?: string;
}

/** A gateway whose answers come in virtual time. */
async function serving(context: TestContext, course: Course) {
  const { stream = true, says = [], endAfterMs, outcome } = course;
  const { contentType = stream ? HEAD.contentType : 'application/json' } = course;
  const clock = createVirtualClock(1_000);
  const chats: Chats = {
    begin({ plan, sink: sinkFor, requestId, caller }) {
      const live = createLive({
        ...{ id: 'gen_1', caller, requestId, plan, fingerprint: '', joined: true, unsentGraceMs: 0, now: clock.now },
        journals: [[{ type: 'attempt-started', at: 1_000, attempt: 1, target: 'here/m' }]],
      });
      return { live, outcome: play(sinkFor(live)) };
    },
  };
  async function play(sink: ChatSink): Promise<Outcome> {
    const startedAt = clock.now();
    for (const [index, [at, bytes]] of says.entries()) {
      clock.timer(startedAt + at, () => {
        if (index === 0) sink.begin({ ...HEAD, contentType });
        void sink.write(bytes);
      });
    }
    await new Promise<void>((resolve) => clock.timer(startedAt + endAfterMs, resolve));
    return outcome;
  }
  const app = Fastify({ forceCloseConnections: true });
  context.after(() => app.close());
  app.decorateRequest('caller', 'local');
  app.decorateRequest('fromBrowser', false);
  const connections = [sampleConnection('http://127.0.0.1:9')];
  const catalogue = { connections, routes: {}, defaultModel: undefined };
  await app.register((scope) => addChatRoutes(scope, { catalogue, chats, io: clock }));
  return { app, clock, payload: { model: 'here/m', stream, messages: [{ role: 'user', content: 'hello' }] } };
}

/** One request. */
async function answered(context: TestContext, course: Course) {
  const { app, clock, payload } = await serving(context, course);
  const stopHeartbeat = startHeartbeat(clock);
  const asked = app.inject({ method: 'POST', url: '/v1/chat/completions', payload });
  const answer = await clock.drive(asked).finally(stopHeartbeat);
  return { status: answer.statusCode, headers: answer.headers, text: answer.body };
}

const comments = (text: string) => text.match(/^: keep-alive$/gm)?.length ?? 0;

test('a stream is what its provider wrote, with its head', async (context) => {
  const { status, headers, text } = await answered(context, {
    says: [
      [100, TOKEN],
      [200, TOKEN],
    ],
    endAfterMs: 300,
    outcome: OK,
  });
  assert.equal(status, 200);
  assert.equal(text, `${TOKEN}${TOKEN}`);
  assert.equal(headers['content-type'], HEAD.contentType);
  assert.equal(headers['x-accel-buffering'], 'no');
  assert.equal(headers['x-onetake-attempts'], '1');
  assert.equal(headers['x-onetake-generation'], 'gen_1');
});

test('as many as may is a 429 that says when to come back', async (context) => {
  const app = Fastify();
  context.after(() => app.close());
  app.decorateRequest('caller', 'local');
  app.decorateRequest('fromBrowser', false);
  const catalogue = { connections: [sampleConnection('http://127.0.0.1:9')], routes: {}, defaultModel: undefined };
  const problems: unknown[] = [];
  app.setErrorHandler((error, _request, reply) => {
    problems.push(error);
    return reply.code(500).send();
  });
  const io = createVirtualClock();
  await app.register((scope) => addChatRoutes(scope, { catalogue, chats: { begin: () => undefined }, io }));
  await app.inject({ method: 'POST', url: '/v1/embeddings', payload: { model: 'here/m', input: 'x' } });
  const [problem] = problems;
  assert.ok(problem instanceof FailureProblem);
  assert.equal(problem.failure.kind, 'queue_full');
  assert.equal(problem.answers.answer(problem.failure).status, 429);
  assert.equal(problem.answers.mayRepeat(problem.failure), true);
});

test('a failure before the first content has its own status', async (context) => {
  const { status, headers, text } = await answered(context, {
    endAfterMs: FIRST_SILENCE_MS - 5_000,
    outcome: { ok: false, failure: THROTTLED },
  });
  assert.equal(status, 429);
  assert.equal(headers['retry-after'], '39');
  const { error, onetake } = JSON.parse(text);
  assert.equal(error.code, 'rate_limit_exceeded');
  assert.equal(onetake.generation, 'gen_1');
});

test('a long silence before it is filled with comments, after which a failure is an event', async (context) => {
  const { status, headers, text } = await answered(context, {
    endAfterMs: FIRST_SILENCE_MS + KEEP_ALIVE_MS + 1_000,
    outcome: { ok: false, failure: THROTTLED },
  });
  assert.equal(status, 200);
  assert.match(String(headers['content-type']), /^text\/event-stream/);
  assert.equal(comments(text), 2);
  assert.equal(headers['x-onetake-generation'], 'gen_1');
  for (const name of ['attempts', 'paid-attempts', 'provider', 'model', 'fallback'])
    assert.equal(headers[`x-onetake-${name}`], undefined, name);
  assert.equal(JSON.parse(text.split('data: ')[1] ?? '').error.type, 'rate_limit_error');
  assert.ok(text.endsWith('\n\n'));
});

test('a silence in the middle is no longer than one before it', async (context) => {
  const says = [[100, TOKEN]] as const;
  const { text } = await answered(context, { says, endAfterMs: KEEP_ALIVE_MS + 200, outcome: OK });
  assert.equal(comments(text), 1);
});

test('content after comments goes on as if there were none', async (context) => {
  const { text } = await answered(context, {
    says: [[FIRST_SILENCE_MS + 500, TOKEN]],
    endAfterMs: FIRST_SILENCE_MS + 1_000,
    outcome: OK,
  });
  assert.equal(text, `: keep-alive\n\n${TOKEN}`);
});

test('an answer that comes whole after comments is no part of the stream, which says so', async (context) => {
  const { text, status } = await answered(context, {
    contentType: 'application/json',
    says: [
      [FIRST_SILENCE_MS + 500, Buffer.from('{"choices":[\n\n')],
      [FIRST_SILENCE_MS + 600, Buffer.from(']}')],
    ],
    endAfterMs: FIRST_SILENCE_MS + 1_000,
    outcome: OK,
  });
  assert.equal(status, 200);
  const [comment, event, ...rest] = text.split('\n\n');
  assert.equal(comment, ': keep-alive');
  assert.deepEqual(rest, ['']);
  const { error, onetake } = JSON.parse(event?.replace('data: ', '') ?? '');
  assert.equal(error.type, 'server_error');
  assert.match(error.message, /asked for a stream.*application\/json/);
  assert.equal(onetake.generation, 'gen_1');
});

test('a stream under another name is one', async (context) => {
  const says = [[FIRST_SILENCE_MS + 500, TOKEN]] as const;
  const course = { contentType: 'text/plain', says, endAfterMs: FIRST_SILENCE_MS + 1_000, outcome: OK };
  assert.equal((await answered(context, course)).text, `: keep-alive\n\n${TOKEN}`);
});

test('one that comes whole before any comment is passed on as it is', async (context) => {
  const { text, headers } = await answered(context, {
    contentType: 'application/json',
    says: [[100, Buffer.from('{"choices":[]}')]],
    endAfterMs: 2 * FIRST_SILENCE_MS,
    outcome: OK,
  });
  assert.equal(text, '{"choices":[]}');
  assert.equal(headers['content-type'], 'application/json');
});

test('a stream that broke off ends with one error event, unless its provider has told it', async (context) => {
  const says = [[100, TOKEN]] as const;
  const broken = await answered(context, { says, endAfterMs: 200, outcome: { ok: false, failure: LOST } });
  assert.equal(broken.status, 200);
  assert.ok(broken.text.startsWith(String(TOKEN)));
  assert.equal(broken.text.match(/"error"/g)?.length, 1);
  const told = await answered(context, { says, endAfterMs: 200, outcome: { ok: false, failure: LOST, told: true } });
  assert.equal(told.text, String(TOKEN));
});

test('an answer that comes whole has its length, and none where it failed', async (context) => {
  const says = [
    [100, Buffer.from('{"choices"')],
    [200, Buffer.from(':[]}')],
  ] as const;
  const whole = await answered(context, { stream: false, says, endAfterMs: 300, outcome: OK });
  assert.equal(whole.text, '{"choices":[]}');
  assert.equal(whole.headers['content-length'], '14');
  const outcome: Outcome = { ok: false, failure: LOST };
  const broken = await answered(context, { stream: false, says, endAfterMs: 300, outcome });
  assert.equal(broken.status, 502);
  assert.equal(JSON.parse(broken.text).error.code, 'connection_lost');
});

test('who takes nothing of an answer that came whole is cut off', async (context) => {
  const says = [[100, Buffer.alloc(16 * 1024 * 1024, 0x20)]] as const;
  const { app, clock, payload } = await serving(context, { stream: false, says, endAfterMs: 200, outcome: OK });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  context.after(() => socket.destroy());
  const body = JSON.stringify(payload);
  const lines = ['POST /v1/chat/completions HTTP/1.1', 'host: here', 'content-type: application/json'];
  socket.pause().write(`${lines.join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  const [response] = (await once(app.server, 'request')).slice(1);
  const stopHeartbeat = startHeartbeat(clock);
  await clock.drive(once(response, 'close')).finally(stopHeartbeat);
  assert.equal(response.writableFinished, false);
  assert.ok(clock.now() > SLOW_CALLER_MS && clock.now() < 3 * SLOW_CALLER_MS);
});
