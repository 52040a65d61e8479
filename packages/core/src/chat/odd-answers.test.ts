import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonObject } from '../json.ts';
import {
  answered,
  chatFailed,
  chunkEvent,
  completion,
  DONE_EVENT,
  errorEvent,
  FINISH_EVENT,
  ROLE_EVENT,
  runScriptedChat,
  sampleChatPlan,
  streamed,
  wordEvents,
} from '../testing/chat-rig.ts';
import type { Behaviour } from '../testing/scripted-io.ts';
import { chatHttpAnswer } from './http-answer.ts';

const WORDS = wordEvents('hel', 'lo');
const GOOD = streamed(WORDS);
const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const page = (body: string) => answered(body, 200, { 'content-type': 'text/html; charset=utf-8' });
const typed = (type: string, pieces: readonly string[] = WORDS): Behaviour => ({
  ...{ kind: 'stream', afterMs: 20, headers: { 'content-type': type } },
  pieces: pieces.map((body) => ({ afterMs: 1, body })),
});

const ERROR = { error: { code: 502, message: 'Provider disconnected' } };

suite('what a server may send in place of an answer is tried again', () => {
  const TROUBLE: readonly (readonly [string, Behaviour])[] = [
    ['a page without a byte', page('')],
    ['a page of blanks', page(' \n')],
    [
      'vLLM’s flat error',
      streamed([event({ object: 'error', message: 'oh', type: 'InternalServerError', code: 500 })]),
    ],
    ['Google’s list of an error', streamed([event([{ error: { code: 503, message: 'oh', status: 'UNAVAILABLE' } }])])],
    ['an error after a heartbeat without data', streamed(['data:\n\n', errorEvent({ message: 'oh', code: 500 })])],
    ['an error after a ping', streamed([event({ type: 'ping' }), errorEvent({ message: 'oh', code: 500 })])],
    ['OpenRouter’s error', streamed([': OPENROUTER PROCESSING\n\n', chunkEvent({ content: '' }, 'error', ERROR)])],
    ['an end in error that has no words', streamed([ROLE_EVENT, chunkEvent({ content: '' }, 'error'), DONE_EVENT])],
    ['DeepSeek’s end for want of room', streamed([chunkEvent({}, 'insufficient_system_resource'), DONE_EVENT])],
    ['an error under llama.cpp’s own field', streamed(['error: {"code":500,"message":"oh"}\n\n'])],
    ['a bare error under the type of a stream', typed('text/event-stream', ['{"error":{"message":"oh","code":500}}'])],
  ];
  for (const [name, trouble] of TROUBLE) {
    test(name, async () => {
      const { outcome, text, starts } = await runScriptedChat({ scripts: { a: [trouble, GOOD] } });
      assert.ok(outcome.ok);
      assert.deepEqual([text, starts.length], [WORDS.join(''), 2]);
      const alone = await runScriptedChat({ scripts: { a: [trouble] } });
      assert.equal(alone.heads.length, 0);
      assert.ok(chatHttpAnswer(chatFailed(alone.outcome)).status >= 500);
    });
  }
});

suite('an error inside a 200 has the status that it means', () => {
  for (const [error, status] of [
    [{ message: 'oh', code: 500 }, 500],
    [{ message: 'oh', type: 'server_error' }, 500],
    [{ message: 'oh', code: 502 }, 502],
    [{ message: 'oh', code: 503, type: 'service_unavailable_error' }, 503],
    [{ message: 'oh', code: 429 }, 429],
    [{ message: 'oh', code: 409 }, 409],
  ] as const) {
    test(JSON.stringify(error), async () => {
      for (const play of [streamed([ROLE_EVENT, errorEvent(error)]), answered({ error })]) {
        const { outcome, durable } = await runScriptedChat({ scripts: { a: [play] } });
        assert.equal(chatHttpAnswer(chatFailed(outcome)).status, status);
        const ended = durable.find(({ type }) => type === 'attempt-ended');
        assert.ok(ended?.type === 'attempt-ended' && ended.status === 200);
      }
    });
  }
  const BARE: readonly (readonly [string, JsonObject | readonly JsonObject[]])[] = [
    ['an object', { error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' } }],
    ['a list', [{ error: { message: 'too long', code: 400, status: 'INVALID_ARGUMENT' } }]],
    ['flat', { object: 'error', message: 'too long', type: 'BadRequestError', code: 400 }],
  ];
  for (const [name, body] of BARE) {
    for (const type of ['text/event-stream', 'application/json']) {
      test(`${name} as ${type}, without the form of an event, is a bad request that is not repeated`, async () => {
        const { outcome, starts } = await runScriptedChat({
          scripts: { a: [typed(type, [JSON.stringify(body)])], b: [GOOD] },
        });
        const { kind, message } = chatFailed(outcome);
        assert.deepEqual([kind, message.includes('too long'), starts.length], ['invalid', true, 1]);
      });
    }
  }
});

suite('a stream under whatever name is a stream', () => {
  for (const type of [
    'Text/Event-Stream; charset=utf-8',
    'application/json',
    'application/octet-stream',
    'text/plain',
  ]) {
    test(type, async () => {
      const { outcome, text, begins } = await runScriptedChat({ scripts: { a: [typed(type)] } });
      assert.ok(outcome.ok);
      assert.equal(text, WORDS.join(''));
      assert.ok((begins[0] ?? 99) < 26, 'it was held');
    });
  }

  test('a whole answer to who asked for a stream passes as it is, also after blanks that keep the line open', async () => {
    const body = `\n\n \n${JSON.stringify(completion())}`;
    for (const type of ['application/json', 'text/plain']) {
      const { outcome, text } = await runScriptedChat({ scripts: { a: [typed(type, [...body])] } });
      assert.ok(outcome.ok);
      assert.equal(text, body);
    }
  });

  test('a body of blanks is none', async () => {
    const { outcome } = await runScriptedChat({ scripts: { a: [typed('text/plain', [' ', '\n'])] } });
    assert.ok(!outcome.ok);
  });
});

suite('a whole answer whose head comes long before it', () => {
  const later = (afterMs: number, pieces: readonly string[]): Behaviour => ({
    ...{ kind: 'stream', afterMs: 20, headers: { 'content-type': 'application/json' } },
    pieces: pieces.map((body) => ({ afterMs, body })),
  });
  const plan = sampleChatPlan(['a'], { stream: false });
  const body = JSON.stringify(completion());

  test('is waited for as long as one without a head', async () => {
    const { outcome, text, starts } = await runScriptedChat({ plan, scripts: { a: [later(500_000, [body])] } });
    assert.ok(outcome.ok);
    assert.deepEqual([text, starts.length], [body, 1]);
  });

  test('is not waited for longer because of blanks that keep the line open', async () => {
    const blanks = Array.from({ length: 100 }, () => ' \n');
    const { outcome, at } = await runScriptedChat({ plan, scripts: { a: [later(30_000, blanks)] } });
    const clock = { name: 'first_byte', afterMs: 600_000, setting: 'first_byte_timeout_ms' };
    assert.deepEqual(chatFailed(outcome).clock, clock);
    assert.ok(at < 601_000, String(at));
  });

  test('and once it has begun may not stand still', async () => {
    const cut: Behaviour = { ...later(1, ['{"choices":']), by: 'silence' } as Behaviour;
    const { outcome, durable } = await runScriptedChat({ plan, scripts: { a: [cut] } });
    assert.equal(chatFailed(outcome).clock?.name, 'idle');
    assert.ok(durable.length > 0);
  });
});

suite('a response that goes on in the background', () => {
  const told = (type: string, status: string) =>
    event({ type, sequence_number: 0, response: { id: 'resp_1', status } });
  const body = { model: 'route', input: 'hi', stream: true, background: true };
  const plan = sampleChatPlan(['a', 'b'], { endpoint: 'responses' });

  test('begins with its name, by which it is found again, and is not begun twice', async () => {
    for (const by of ['reset', 'silence'] as const) {
      const pieces = [told('response.created', 'queued'), told('response.queued', 'queued')];
      const { outcome, text, starts } = await runScriptedChat({
        ...{ plan, body },
        scripts: { a: [streamed(pieces, by)], b: [GOOD] },
      });
      assert.ok(!outcome.ok);
      assert.deepEqual([text, starts.length], [pieces.join(''), 1]);
    }
  });

  test('is tried again where it failed before it had one', async () => {
    const { starts } = await runScriptedChat({
      ...{ plan, body },
      scripts: { a: [streamed([event({ type: 'error', code: 'server_error', message: 'oh' })])], b: [GOOD] },
    });
    assert.equal(starts.length, 2);
  });
});

test('an error under llama.cpp’s own field in the middle passes and is the last thing that does', async () => {
  const error = 'error: {"code":500,"message":"oh"}\n\n';
  const { outcome, text } = await runScriptedChat({
    scripts: { a: [streamed([chunkEvent({ content: 'hel' }), error, FINISH_EVENT])] },
  });
  assert.ok(!outcome.ok && outcome.told);
  assert.equal(text, chunkEvent({ content: 'hel' }) + error);
});
