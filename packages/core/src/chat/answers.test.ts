/** What counts as an answer of each endpoint, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openaiCompatible } from '../providers/openai.ts';
import { openaiChat } from '../providers/openai-chat.ts';
import {
  answered,
  chatFailed,
  completion,
  runScriptedChat,
  sampleChatPlan,
  streamed,
  wordEvents,
} from '../testing/chat-rig.ts';
import { chatAdvice, chatHttpAnswer } from './http-answer.ts';

const WORDS = wordEvents('hel', 'lo');
const chatOnly = { ...openaiCompatible, chat: openaiChat({ endpoints: ['chat/completions'] }) };
const named = (type: string, more: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const CREATED = named('response.created', { response: { status: 'in_progress', error: null, usage: null } });
const DELTA = named('response.output_text.delta', { delta: 'hello' });
const COMPLETED = named('response.completed', {
  response: { status: 'completed', usage: { input_tokens: 5, output_tokens: 2, total_tokens: 7 } },
});
const RESPONSES = sampleChatPlan(['a', 'b'], { endpoint: 'responses' });

test('a stream of Responses passes to its terminal event, and tells its usage', async () => {
  const { outcome, text } = await runScriptedChat({
    plan: RESPONSES,
    scripts: { a: [streamed([CREATED, DELTA, COMPLETED])] },
  });
  assert.ok(outcome.ok);
  assert.equal(text, CREATED + DELTA + COMPLETED);
  assert.equal(outcome.usage?.total_tokens, 7);
});

test('what fails in Responses before the first delta is tried elsewhere, and after it told as it is', async () => {
  const failed = named('response.failed', { response: { error: { code: 'server_error', message: 'oh' } } });
  const flat = named('error', { code: 'rate_limit_exceeded', message: 'slow', sequence_number: 3 });
  const good = streamed([CREATED, DELTA, COMPLETED]);
  for (const trouble of [failed, flat, '']) {
    const early = await runScriptedChat({
      plan: RESPONSES,
      scripts: { a: [streamed([CREATED, trouble])], b: [good] },
    });
    assert.ok(early.outcome.ok);
    assert.equal(early.heads[0]?.target, 'b/model');
    const late = await runScriptedChat({
      plan: RESPONSES,
      scripts: { a: [streamed([CREATED, DELTA, trouble])], b: [good] },
    });
    assert.equal(late.text, CREATED + DELTA + trouble);
    assert.equal(!late.outcome.ok && late.outcome.told === true, trouble !== '');
  }
});

test('a whole response that failed is a failure, one that is incomplete an answer', async () => {
  const plan = sampleChatPlan(['a'], { endpoint: 'responses', stream: false });
  const response = (status: string, error: object | null) => ({ object: 'response', status, error, output: [] });
  const failed = response('failed', { code: 'invalid_prompt', message: 'no' });
  const bad = await runScriptedChat({ plan, scripts: { a: [answered(JSON.stringify(failed))] } });
  assert.deepEqual([chatFailed(bad.outcome).kind, chatFailed(bad.outcome).code], ['invalid', 'invalid_prompt']);
  const good = await runScriptedChat({
    plan,
    scripts: { a: [answered(JSON.stringify(response('incomplete', null)))] },
  });
  assert.ok(good.outcome.ok);
});

test('embeddings of many megabytes pass whole; cut off they are none', async () => {
  const plan = sampleChatPlan(['a'], { endpoint: 'embeddings', stream: false });
  const embedding = Array.from({ length: 200 }, () => 0.5);
  const data = Array.from({ length: 3_000 }, (_, index) => ({ index, embedding }));
  const body = JSON.stringify({ object: 'list', data, usage: { prompt_tokens: 9, total_tokens: 9 } });
  assert.ok(body.length > 2 ** 21);
  const { outcome, text } = await runScriptedChat({ plan, scripts: { a: [answered(body)] } });
  assert.ok(outcome.ok && text === body);
  assert.equal(outcome.usage?.input_tokens, 9);
  const cut = await runScriptedChat({ plan, scripts: { a: [answered(body.slice(0, -1))] } });
  assert.equal(chatFailed(cut.outcome).kind, 'server');
});

test('an answer above the bound is refused', async () => {
  const plan = sampleChatPlan(['a'], { stream: false });
  const limits = { maxAnswerBytes: 100, maxDecisions: 100, maxDownloadTries: 1, maxDownloadMs: 1, maxResultBytes: 1 };
  const { outcome } = await runScriptedChat({
    ...{ plan, scripts: { a: [answered(completion('x'.repeat(200)))] } },
    environment: { limits },
  });
  assert.match(chatFailed(outcome).message, /larger than the 100 bytes allowed/);
});

test('a stream without its type is known by how it begins, and a stream asked for may come whole', async () => {
  const untyped = streamed(WORDS);
  assert.ok(untyped.kind === 'stream');
  const typed = { ...untyped, headers: { 'content-type': 'text/plain' } };
  const { outcome, text } = await runScriptedChat({ scripts: { a: [typed] } });
  assert.ok(outcome.ok && text === WORDS.join(''));
  for (const type of ['text/plain', 'application/json']) {
    const plain = await runScriptedChat({ scripts: { a: [answered(completion(), 200, { 'content-type': type })] } });
    assert.ok(plain.outcome.ok && plain.text === JSON.stringify(completion()));
  }
});

test('a provider that has not the endpoint is not asked', async () => {
  const plan = sampleChatPlan(['a'], { endpoint: 'responses' });
  const connection = (id: string) => ({ id, provider: chatOnly, baseUrl: `http://${id}`, secret: 'x' });
  const scripts = { a: [streamed(WORDS)] };
  const { outcome, io } = await runScriptedChat({ plan, scripts, environment: { connection } });
  assert.deepEqual([chatFailed(outcome).kind, chatFailed(outcome).certainty], ['capability', 'not_sent']);
  assert.equal(io.sent.length, 0);
});

const WHOLE = sampleChatPlan(['a'], { stream: false });

test('an answer under the name of a page is one, and is handed on under its own', async () => {
  const type = 'text/html; charset=utf-8';
  const whole = await runScriptedChat({
    plan: WHOLE,
    scripts: { a: [answered(completion(), 200, { 'content-type': type })] },
  });
  assert.ok(whole.outcome.ok);
  assert.deepEqual([whole.text, whole.heads[0]?.contentType], [JSON.stringify(completion()), 'application/json']);
  const good = streamed(WORDS);
  assert.ok(good.kind === 'stream');
  const stream = await runScriptedChat({ scripts: { a: [{ ...good, headers: { 'content-type': type } }] } });
  assert.ok(stream.outcome.ok);
  assert.deepEqual([stream.text, stream.heads[0]?.contentType], [WORDS.join(''), 'text/event-stream']);
});

test('JSON that is no answer, and a page, are none under the name of a page', async () => {
  for (const body of ['{"ok":true}', '[]', '"hello"', '<html>sign in</html>']) {
    const { outcome, heads } = await runScriptedChat({
      plan: WHOLE,
      scripts: { a: [answered(body, 200, { 'content-type': 'text/html' })] },
    });
    assert.deepEqual(
      [chatFailed(outcome).kind, chatFailed(outcome).certainty, heads.length],
      ['server', 'ambiguous', 0],
    );
  }
});

test('an answer that ends in the middle of its JSON is told as one that was cut off', async () => {
  const body = JSON.stringify(completion('x'.repeat(2 ** 20)));
  for (const cut of [body.slice(0, 40), body.slice(0, -2), body.slice(0, 2 ** 20)]) {
    const { outcome } = await runScriptedChat({ plan: WHOLE, scripts: { a: [answered(cut)] } });
    const { kind, certainty, message } = chatFailed(outcome);
    assert.deepEqual([kind, certainty], ['server', 'ambiguous']);
    assert.match(message, /JSON of the answer ends in the middle/);
  }
});

test('an answer without choices says nothing, whole and as a stream alike, and is tried elsewhere', async () => {
  const nothing = { ...completion(), choices: [] };
  const chunk = `data: ${JSON.stringify(nothing)}\n\n`;
  const [good, done] = [answered(completion()), 'data: [DONE]\n\n'];
  for (const [plan, play] of [
    [sampleChatPlan(['a', 'b'], { stream: false }), answered(nothing)],
    [sampleChatPlan(['a', 'b']), streamed([chunk, done])],
  ] as const) {
    const { outcome, heads } = await runScriptedChat({ plan, scripts: { a: [play], b: [good] } });
    assert.ok(outcome.ok && heads[0]?.target === 'b/model');
    const alone = await runScriptedChat({ plan, scripts: { a: [play], b: [play] } });
    const { kind, certainty, classifiedBy } = chatFailed(alone.outcome);
    assert.deepEqual([kind, certainty, classifiedBy], ['server', 'ambiguous', 'answer without content']);
  }
});

test('a prompt that a filter stopped is refused, and not sent elsewhere', async () => {
  const results = { violence: { filtered: true, severity: 'high' }, hate: { filtered: false, severity: 'safe' } };
  const stopped = {
    ...completion(),
    choices: [],
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: results }],
  };
  const event = `data: ${JSON.stringify(stopped)}\n\n`;
  for (const [plan, play] of [
    [sampleChatPlan(['a', 'b'], { stream: false }), answered(stopped)],
    [sampleChatPlan(['a', 'b']), streamed([event, 'data: [DONE]\n\n'])],
    [sampleChatPlan(['a', 'b']), streamed([event])],
  ] as const) {
    const { outcome, starts } = await runScriptedChat({ plan, scripts: { a: [play], b: [answered(completion())] } });
    const { kind, message } = chatFailed(outcome);
    assert.deepEqual([kind, starts.length], ['policy', 1]);
    assert.match(message, /stopped the prompt: violence$/);
  }
});

test('a charge that is only possible has an estimate of what went in, and one that cannot be has none', async () => {
  for (const [play, usage] of [
    [answered('', 502), { input: 10, output: 0 }],
    [streamed([]), { input: 10, output: 0 }],
    [answered({ error: { message: 'slow' } }, 429), undefined],
  ] as const) {
    const { durable } = await runScriptedChat({ plan: sampleChatPlan(['a']), scripts: { a: [play] } });
    const ended = durable.find((event) => event.type === 'attempt-ended');
    assert.ok(ended?.type === 'attempt-ended' && !ended.outcome.ok);
    const told = ended.outcome.usage;
    assert.deepEqual(told && { input: told.input_tokens, output: told.output_tokens }, usage);
    assert.equal(told?.estimated, usage && true);
  }
});

test('who cancels while a whole answer is handed on is told so, not that nothing was taken', async () => {
  const { outcome, at } = await runScriptedChat({
    ...{ plan: WHOLE, scripts: { a: [answered(completion())] }, cancelMs: 5_000 },
    takesMs: () => 100_000,
  });
  const { kind, certainty, message } = chatFailed(outcome);
  assert.deepEqual([kind, certainty], ['canceled', 'ambiguous']);
  assert.match(message, /^canceled while the answer was handed on/);
  assert.ok(at < 6_000, String(at));
});

test('a redirect is no fault of the request, and the next target is asked', async () => {
  const moved = answered('', 302, { location: 'http://elsewhere' });
  const { outcome, heads } = await runScriptedChat({ scripts: { a: [moved], b: [streamed(WORDS)] } });
  assert.ok(outcome.ok && heads[0]?.target === 'b/model');
  const alone = chatFailed((await runScriptedChat({ scripts: { a: [moved] } })).outcome);
  const told = chatHttpAnswer(alone);
  assert.deepEqual(
    [alone.kind, alone.certainty, told.status, told.code],
    [...['network', 'rejected', 502, 'provider_unreachable']],
  );
  assert.match(chatAdvice(alone), /base_url/);
});
