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
