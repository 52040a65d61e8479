import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from '../client.ts';
import {
  APIConnectionError,
  CanceledError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from '../error-classes.ts';
import type { JsonObject } from '../json.ts';
import { type Behaviour, createScriptedIo } from '../testing/scripted-io.ts';

const ASKED = { model: 'best', messages: [{ role: 'user', content: 'hi' }] };

const whole = (content: string): Behaviour => answered(200, { choices: [{ message: { content } }], usage: USAGE });
const USAGE = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

function answered(status: number, body: JsonObject, headers: Record<string, string> = {}): Behaviour {
  return { kind: 'answer', afterMs: 5, status, headers, body: JSON.stringify(body) };
}

const chunk = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
const ENDED = [chunk('one '), chunk('two', 'stop'), 'data: [DONE]\n\n'].join('');

function streamed(body: string, cut?: { atByte: number; by: 'reset' | 'silence' }): Behaviour {
  const headers = { 'content-type': 'text/event-stream' };
  return { kind: 'answer', afterMs: 5, status: 200, headers, body, ...(cut && { cut }) };
}

function clientFor(...plays: readonly Behaviour[]) {
  const io = createScriptedIo((_, index) => plays[index] ?? plays.at(-1) ?? { kind: 'hang' });
  const providers = { a: { baseUrl: 'http://a.test/v1' }, b: { baseUrl: 'http://b.test/v1' } };
  const client = createClient({ providers, routes: { best: { targets: ['a/m', 'b/m'] } }, io });
  return { io, client };
}

async function wordsOf(events: AsyncIterable<JsonObject>): Promise<readonly unknown[]> {
  const words: unknown[] = [];
  for await (const { choices } of events as AsyncIterable<{ choices: { delta: { content: string } }[] }>)
    words.push(choices[0]?.delta.content);
  return words;
}

suite('client.chat.create', () => {
  test('resolves with the provider’s own object, and what is known beside it', async () => {
    const { io, client } = clientFor(
      answered(429, { error: { message: 'slow' } }, { 'retry-after': '1' }),
      whole('yo'),
    );
    const { answer, ...facts } = await io.drive(client.chat.create(ASKED));
    assert.deepEqual(answer, { choices: [{ message: { content: 'yo' } }], usage: USAGE });
    assert.deepEqual([facts.provider, facts.model, facts.attempts], ['a', 'm', 2]);
    assert.deepEqual([facts.usage?.input_tokens, facts.usage?.output_tokens], [3, 4]);
    const body = io.sent[0]?.request.body;
    assert.ok(body?.kind === 'bytes');
    assert.deepEqual(JSON.parse(Buffer.from(body.bytes).toString()), { ...ASKED, model: 'm' });
  });

  test('an answer of events that nobody asked for is an error of its kind', async () => {
    const { io, client } = clientFor(streamed(ENDED));
    await assert.rejects(io.drive(client.chat.create(ASKED)), { name: 'InternalServerError', message: /no JSON/ });
  });

  test('other endpoints by their name', async () => {
    const { io, client } = clientFor(answered(200, { data: [{ embedding: [1] }] }));
    const { answer } = await io.drive(
      client.chat.create<{ data: object[] }>({ model: 'best', input: 'a' }, { endpoint: 'embeddings' }),
    );
    assert.equal(answer.data.length, 1);
    assert.equal(io.sent[0]?.request.url, 'http://a.test/v1/embeddings');
  });

  test('throws the error of the cause, with its journal', async () => {
    const error = { message: 'no', code: 'insufficient_quota', type: 'insufficient_quota' };
    const { io, client } = clientFor(answered(429, { error }));
    await assert.rejects(io.drive(client.chat.create(ASKED)), (thrown) => {
      assert.ok(thrown instanceof RateLimitError);
      assert.deepEqual([thrown.status, thrown.code, thrown.failure.kind], [429, 'insufficient_quota', 'quota']);
      assert.equal(thrown.journals[0]?.at(-1)?.type, 'finished');
      return true;
    });
    const failing = clientFor(answered(500, { error: { message: 'oh' } }));
    await assert.rejects(failing.io.drive(failing.client.chat.create(ASKED)), InternalServerError);
    const strict = { policy: { payment: 'strict', fallback: false } } as const;
    const once = clientFor(answered(500, { error: { message: 'oh' } }));
    await assert.rejects(once.io.drive(once.client.chat.create(ASKED, strict)), InternalServerError);
    assert.equal(once.io.sent.length, 1);
  });

  test('is refused before anything is sent where the request is wrong', async () => {
    const { io, client } = clientFor(whole('yo'));
    await assert.rejects(client.chat.create({ ...ASKED, messages: [] }), { name: 'BadRequestError' });
    await assert.rejects(client.chat.create({ ...ASKED, model: 'nobody' }), NotFoundError);
    await assert.rejects(client.chat.create({ ...ASKED, onetake: { x: 1 } }), { name: 'BadRequestError' });
    assert.equal(io.sent.length, 0);
  });

  test('ends at once when its signal is aborted', async () => {
    const { io, client } = clientFor({ kind: 'hang' });
    const stop = new AbortController();
    io.timer(100, () => stop.abort());
    await assert.rejects(io.drive(client.chat.create(ASKED, { signal: stop.signal })), (thrown) => {
      assert.ok(thrown instanceof CanceledError);
      assert.deepEqual([thrown.cause, thrown.failure.certainty], [stop.signal.reason, 'ambiguous']);
      return true;
    });
    assert.deepEqual([io.now(), io.sent.length], [100, 1]);
  });
});

suite('client.chat.stream', () => {
  test('a whole answer in place of the stream that was asked for is an error of its kind, not a stream of nothing', async () => {
    const { io, client } = clientFor(whole('yo'));
    const asked = io.drive(wordsOf(client.chat.stream(ASKED)));
    await assert.rejects(asked, { name: 'InternalServerError', message: /no stream of events/ });
  });

  test('yields the provider’s events, and knows what they cost when they have ended', async () => {
    const { io, client } = clientFor({ kind: 'refuse', afterMs: 1 }, streamed(ENDED));
    const stream = client.chat.stream(ASKED);
    assert.equal(io.sent.length, 0);
    assert.deepEqual(await io.drive(wordsOf(stream)), ['one ', 'two']);
    assert.deepEqual([stream.facts()?.attempts, stream.facts()?.usage?.estimated], [2, true]);
  });

  test('throws where it breaks off, and asks nobody again', async () => {
    const { io, client } = clientFor(streamed(ENDED, { atByte: chunk('one ').length + 5, by: 'reset' }));
    const words: unknown[] = [];
    const read = async () => {
      for await (const event of client.chat.stream(ASKED)) words.push(event);
    };
    await assert.rejects(io.drive(read()), APIConnectionError);
    assert.deepEqual([words.length, io.sent.length], [1, 1]);
  });

  test('an error that the provider tells in the middle is thrown, and is no event', async () => {
    const told = `data: ${JSON.stringify({ error: { message: 'it broke', type: 'server_error' } })}\n\n`;
    const { io, client } = clientFor(streamed(chunk('one ') + told));
    const words: unknown[] = [];
    const read = async () => {
      for await (const event of client.chat.stream(ASKED)) words.push(event);
    };
    await assert.rejects(io.drive(read()), { name: 'InternalServerError', message: /it broke/ });
    assert.equal(words.length, 1);
  });

  test('who leaves the loop ends the exchange', async () => {
    const { io, client } = clientFor(streamed(chunk('one '), { atByte: chunk('one ').length, by: 'silence' }));
    const ends: string[] = [];
    const read = async () => {
      for await (const event of client.chat.stream(ASKED)) {
        ends.push(Object.keys(event).join());
        break;
      }
    };
    await io.drive(read());
    assert.deepEqual([ends, io.sent.length], [['choices'], 1]);
    assert.ok(io.now() < 1_000);
  });

  test('ends with an abort error when its signal is aborted', async () => {
    const { io, client } = clientFor(streamed(chunk('one '), { atByte: chunk('one ').length, by: 'silence' }));
    const stop = new AbortController();
    io.timer(50, () => stop.abort());
    await assert.rejects(io.drive(wordsOf(client.chat.stream(ASKED, { signal: stop.signal }))), { name: 'AbortError' });
    assert.equal(io.now(), 50);
  });
});
