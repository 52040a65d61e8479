import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from '../client.ts';
import { type Behaviour, createScriptedIo } from '../testing/scripted-io.ts';

const KEY = 'the-key-of-the-client';
const URL = 'https://api.openai.com/v1/chat/completions';
const WHOLE = '{ "choices":[{"message":{"content":"hé"}}],\n "unknown": 1e3 }';
const FIRST = 'data: {"choices":[{"index":0,"delta":{"content":"one "},"finish_reason":null}]}\n\n';
const LAST = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

function answered(body: string, changes: Partial<Extract<Behaviour, { kind: 'answer' }>> = {}): Behaviour {
  return { kind: 'answer', afterMs: 5, status: 200, body, ...changes };
}

const streamed = (body: string, cut?: { atByte: number; by: 'reset' | 'silence' }) =>
  answered(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' }, ...(cut && { cut }) });

function clientFor(...plays: readonly Behaviour[]) {
  const io = createScriptedIo((_, index) => plays[index] ?? plays.at(-1) ?? { kind: 'hang' });
  const client = createClient({
    providers: { a: { baseUrl: 'http://a.test/v1', apiKey: KEY }, b: { baseUrl: 'http://b.test/v1' } },
    routes: { best: { targets: ['a/m', 'b/m'] }, alone: { targets: ['a/m'] } },
    io,
  });
  return { io, fetch: client.fetch, ask: (init: RequestInit, url = URL) => io.drive(client.fetch(url, init)) };
}

function asked(changes: object = {}, init: RequestInit = {}): RequestInit {
  const body = JSON.stringify({ model: 'best', messages: [{ role: 'user', content: 'hi' }], ...changes });
  return { method: 'POST', headers: { authorization: 'Bearer of-the-caller' }, body, ...init };
}

interface Envelope {
  readonly error: { readonly code: string; readonly type: string; readonly param: string | null };
  readonly onetake: { readonly kind: string; readonly certainty: string; readonly attempts: number };
}

async function errorOf(response: Response): Promise<Envelope> {
  return (await response.json()) as Envelope;
}

suite('a chat that comes whole', () => {
  test('is the provider’s own bytes, with its type and id, asked for with our key alone', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'req_7' };
    const { io, ask } = clientFor(answered(WHOLE, { headers }));
    const response = await ask(asked());
    const told = ['content-type', 'x-request-id', 'x-onetake-provider', 'x-onetake-model', 'x-onetake-attempts'];
    assert.deepEqual(
      told.map((name) => response.headers.get(name)),
      ['application/json; charset=utf-8', 'req_7', 'a', 'm', '1'],
    );
    assert.equal(await response.text(), WHOLE);
    assert.equal(io.sent[0]?.request.headers.authorization, `Bearer ${KEY}`);
    assert.ok(!JSON.stringify(io.sent).includes('of-the-caller'));
  });

  test('a Request, a stream of bytes and a URL are taken like a string', async () => {
    const { io, fetch } = clientFor(answered(WHOLE));
    // Reading a body takes turns of the event loop in which nothing of virtual time would be left to happen.
    const tick = () => void io.timer(io.now() + 1, tick);
    tick();
    const bytes = Buffer.from(String(asked().body));
    const stream = new Blob([bytes]).stream();
    const streaming = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    for (const call of [
      () => fetch(new Request(URL, asked())),
      () => fetch(new globalThis.URL(URL), { method: 'POST', body: bytes }),
      () => fetch(URL, streaming),
    ])
      assert.equal((await io.drive(call())).status, 200);
    const bodies = io.sent.map(({ request: { body } }) => body?.kind === 'bytes' && Buffer.from(body.bytes).toString());
    assert.equal(new Set(bodies).size, 1);
  });

  test('names of models that no header can hold are written as in a URL', async () => {
    const { ask } = clientFor(answered(WHOLE));
    const response = await ask(asked({ model: 'a/模型 1' }));
    assert.deepEqual([response.status, response.headers.get('x-onetake-model')], [200, encodeURI('模型 1')]);
  });
});

suite('a chat that is not answered', () => {
  test('fails with the status of the cause, and is not to be repeated', async () => {
    const { ask } = clientFor({ kind: 'refuse', afterMs: 1 });
    const response = await ask(asked());
    assert.deepEqual([response.status, response.headers.get('x-should-retry')], [502, 'false']);
    const { error, onetake } = await errorOf(response);
    assert.deepEqual([error.code, onetake.kind, onetake.certainty], ['provider_unreachable', 'network', 'not_sent']);
    assert.ok(onetake.attempts > 2);
  });

  test('says when a throttle ends, where its caller has no time left to wait for it', async () => {
    const { ask } = clientFor(
      answered('{"error":{"message":"slow"}}', { status: 429, headers: { 'retry-after': '90' } }),
    );
    const headers = { 'x-onetake-timeout-ms': '1000' };
    const response = await ask(asked({ model: 'alone' }, { headers }));
    assert.equal(response.status, 429);
    assert.ok(Number(response.headers.get('retry-after')) > 80);
    assert.equal(response.headers.get('x-should-retry'), 'false');
  });

  test('is refused before anything is sent where the request is wrong', async () => {
    const { io, ask } = clientFor(answered(WHOLE));
    const wrong: readonly (readonly [RequestInit, number, string | null])[] = [
      [asked({ messages: [] }), 400, 'messages'],
      [asked({ model: 'nobody' }), 404, 'model'],
      [asked({ onetake: { timeout_ms: -1 } }), 400, 'onetake.timeout_ms'],
      [asked({}, { body: '{' }), 400, null],
    ];
    for (const [init, status, param] of wrong) {
      const response = await ask(init);
      assert.deepEqual([response.status, (await errorOf(response)).error.param], [status, param]);
    }
    assert.equal(io.sent.length, 0);
  });
});

suite('a chat that streams', () => {
  test('is the provider’s own bytes', async () => {
    const { ask } = clientFor(streamed(FIRST + LAST));
    const response = await ask(asked({ stream: true }));
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(await response.text(), FIRST + LAST);
  });

  test('that breaks off ends with one error event, and nobody is asked again', async () => {
    const { io, ask } = clientFor(streamed(FIRST + LAST, { atByte: FIRST.length + 9, by: 'reset' }));
    const response = await ask(asked({ stream: true }));
    const text = await response.text();
    assert.ok(text.startsWith(`${FIRST}data: {"error":{`), text);
    const { error, onetake } = JSON.parse(text.slice(FIRST.length + 'data: '.length));
    assert.deepEqual([error.code, onetake.kind, io.sent.length], ['connection_lost', 'network', 1]);
    assert.ok(!text.includes('[DONE]'));
  });

  test('of responses goes on counting in its error event', async () => {
    const delta = 'data: {"type":"response.output_text.delta","sequence_number":4,"delta":"a"}\n\n';
    const { ask } = clientFor(streamed(`${delta}data: {"type"`));
    const url = 'https://api.openai.com/v1/responses';
    const body = JSON.stringify({ model: 'best', input: 'hi', stream: true });
    const text = await (await ask({ method: 'POST', body }, url)).text();
    assert.match(text.slice(delta.length), /^event: error\ndata: \{"type":"error",.*"sequence_number":5,/);
  });

  test('with an error of the provider’s own ends with that alone', async () => {
    const told = 'data: {"error":{"message":"it broke","type":"server_error"}}\n\n';
    const { ask } = clientFor(streamed(FIRST + told));
    assert.equal(await (await ask(asked({ stream: true }))).text(), FIRST + told);
  });

  test('whose first event is an error has a status', async () => {
    const told =
      'data: {"error":{"message":"no such model","code":"model_not_found","type":"invalid_request_error"}}\n\n';
    const { ask } = clientFor(streamed(told));
    const response = await ask(asked({ stream: true }));
    assert.deepEqual([response.status, (await errorOf(response)).error.code], [404, 'model_not_found']);
  });
});

suite('a caller who leaves', () => {
  test('before the answer is rejected with the signal’s reason, in a wait too', async () => {
    const throttled = answered('{"error":{"message":"slow"}}', { status: 429, headers: { 'retry-after': '4' } });
    for (const play of [{ kind: 'hang' } as const, throttled]) {
      const { io, fetch } = clientFor(play);
      const stop = new AbortController();
      const reason = new Error('the page was closed');
      io.timer(100, () => stop.abort(reason));
      const init = { ...asked({ model: 'alone' }), signal: stop.signal };
      await assert.rejects(io.drive(fetch(URL, init)), reason);
      assert.deepEqual([io.now(), io.sent.length], [100, 1]);
    }
  });

  test('in the middle ends the exchange, and the body with the reason', async () => {
    const { io, ask } = clientFor(streamed(FIRST + LAST, { atByte: FIRST.length, by: 'silence' }));
    const stop = new AbortController();
    const response = await ask(asked({ stream: true }, { signal: stop.signal }));
    io.timer(50, () => stop.abort());
    await assert.rejects(io.drive(response.text()), (error) => error === stop.signal.reason);
    assert.equal(io.now(), 50);
  });

  test('by giving the body up ends the exchange', async () => {
    const ends: string[] = [];
    const io = createScriptedIo(() => streamed(FIRST, { atByte: FIRST.length, by: 'silence' }));
    const { fetch } = createClient({
      providers: { a: { baseUrl: 'http://a.test/v1' } },
      io,
      onEvent: (event) => void ends.push(event.type),
    });
    const response = await io.drive(fetch(URL, asked({ model: 'a/m', stream: true })));
    await response.body?.cancel();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(ends.slice(-2), ['attempt-ended', 'finished']);
    assert.equal(io.now(), 5);
  });
});
