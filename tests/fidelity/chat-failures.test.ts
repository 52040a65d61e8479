/** What goes wrong, as each client tells it to the program that called it. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { APICallError, streamText } from 'ai';
import OpenAI, { APIError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from 'openai';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { readLedger } from '../rig/ledger.ts';

/** Both targets are of one sandbox, so what the first does wrong the second makes good. */
const YAML = `
routes:
  chat-two: { targets: [sandbox/die-before-first, sandbox/gpt-5.6-luna] }
  chat-impatient: { targets: [sandbox/stall-mid-stream], idle_timeout_ms: 400 }
`;
const MESSAGES = [{ role: 'user' as const, content: 'Tell me of the harbour.' }];

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({ yaml: YAML });
});
after(() => gateway.close());

function openai(): OpenAI {
  return new OpenAI({ apiKey: 'unused', baseURL: `${gateway.url}/v1`, maxRetries: 0 });
}

async function textOf(model: string, signal?: AbortSignal): Promise<string> {
  const stream = await openai().chat.completions.create({ model, messages: MESSAGES, stream: true }, { signal });
  let text = '';
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  return text;
}

/** What the sandbox wrote down of the newest request for a model, once it is there. */
async function ledgerEntry(model: string, isIt: (entry: object) => boolean): Promise<object | undefined> {
  for (let tries = 0; tries < 60; tries += 1) {
    const { entries } = await readLedger(gateway.sandboxUrl);
    const entry = entries.findLast((one) => one.model === model && isIt(one));
    if (entry) return entry;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}

suite('the official openai client', { concurrency: true }, () => {
  test('a target that dies before its first word is not heard of', async () => {
    assert.ok((await textOf('chat-two')).length > 10);
  });

  test('what was said is not said again, and the end is an error', async () => {
    await assert.rejects(textOf('sandbox/die-mid-stream'), (error) => {
      assert.ok(error instanceof APIError);
      assert.equal(error.code, 'connection_lost');
      return true;
    });
  });

  test('an idle stream ends with the name of its clock', async () => {
    await assert.rejects(textOf('chat-impatient'), /idle/);
  });

  const typed = [
    ['sandbox/error-first-frame', RateLimitError, 429],
    ['sandbox/429', RateLimitError, 429],
    ['sandbox/400', BadRequestError, 400],
    ['sandbox/500', InternalServerError, 500],
    ['sandbox/404', NotFoundError, 404],
  ] as const;
  for (const [model, type, status] of typed) {
    test(`${model} is a ${type.name}`, async () => {
      const request = { model, messages: MESSAGES, stream: true as const };
      const headers = { 'x-onetake-timeout-ms': '1500' };
      await assert.rejects(Promise.resolve(openai().chat.completions.create(request, { headers })), (error) => {
        assert.ok(error instanceof type, String(error));
        assert.equal(error.status, status);
        return true;
      });
    });
  }

  test('an abort reaches the provider within a second', async () => {
    const model = 'pace:20+tokens:2000';
    const abort = new AbortController();
    const heard = textOf(`sandbox/${model}`, abort.signal).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 400));
    abort.abort();
    const abortedAt = Date.now();
    await heard;
    const entry = await ledgerEntry(model, (one) => 'aborted_ms' in one);
    assert.ok(entry, 'the sandbox was not told');
    assert.ok(Date.now() - abortedAt < 1_000);
  });
});

test('streamText hears of a stream that broke off', async () => {
  const errors: unknown[] = [];
  const model = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused' }).chat('sandbox/die-mid-stream');
  const result = streamText({
    model,
    messages: MESSAGES,
    maxRetries: 0,
    onError: ({ error }) => void errors.push(error),
  });
  let text = '';
  for await (const part of result.textStream) text += part;
  assert.ok(text.length > 0);
  assert.equal(errors.length, 1);
});

test('streamText is refused with the true status', async () => {
  const errors: unknown[] = [];
  const model = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused' }).responses('sandbox/error-first-frame');
  const headers = { 'x-onetake-timeout-ms': '1500' };
  const onError = ({ error }: { error: unknown }) => void errors.push(error);
  const result = streamText({ model, messages: MESSAGES, maxRetries: 0, headers, onError });
  await result.consumeStream();
  const [error] = errors;
  assert.ok(APICallError.isInstance(error), String(error));
  assert.equal(error.statusCode, 429);
});

test('LangChain hears of a stream that broke off', async () => {
  const client = new ChatOpenAI({
    ...{ model: 'sandbox/die-mid-stream', apiKey: 'unused', maxRetries: 0 },
    configuration: { baseURL: `${gateway.url}/v1` },
  });
  const parts: unknown[] = [];
  await assert.rejects(async () => {
    for await (const { content } of await client.stream('Tell me of the harbour.')) parts.push(content);
  });
  assert.ok(parts.length > 0);
});
