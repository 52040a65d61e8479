import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../json.ts';
import { MAX_EXCERPT_CHARS } from './chat.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { readChat } from './read-chat.ts';

function read(endpoint: ChatEndpoint, body: unknown) {
  const result = readChat(endpoint, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  if (!result.ok) throw new assert.AssertionError({ message: result.failure.message });
  return result;
}

function refused(bytes: string | Uint8Array) {
  const result = readChat('chat/completions', typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  if (result.ok) throw new assert.AssertionError({ message: 'it was read' });
  return result.failure;
}

const user = (content: unknown) => ({ role: 'user', content });
const asked = (more: JsonObject = {}) => read('chat/completions', { messages: [user('hello')], ...more });
const excerpt = (...messages: unknown[]) => read('chat/completions', { messages }).request.excerpt;
const inputTokens = (content: unknown) => read('chat/completions', { messages: [user(content)] }).request.inputTokens;

test('what is known of a request', () => {
  const body = {
    model: 'a/b',
    stream: true,
    max_tokens: 50,
    n: 2,
    onetake: { fallback: 'off' },
    messages: [user('hello')],
  };
  const { request, model, controls } = read('chat/completions', body);
  assert.deepEqual(request, {
    endpoint: 'chat/completions',
    stream: true,
    excerpt: 'hello',
    inputTokens: 5,
    maxOutputTokens: 100,
    answers: 2,
  });
  assert.deepEqual([model, controls], ['a/b', { fallback: 'off' }]);
  assert.deepEqual(asked({ model: null, stream: null, onetake: null }).model, undefined);
  assert.equal(
    read('embeddings', { input: 'x', stream: true, max_tokens: 5, reasoning_effort: 'high' }).request.stream,
    false,
  );
});

test('the bytes are passed on as they came', () => {
  const bytes = Buffer.from('\uFEFF{ "messages":[{"role":"user","content":"x"}],"a":1e400, "a":2 }');
  const result = readChat('chat/completions', bytes);
  assert.equal(result.ok && result.body.bytes, bytes);
  assert.equal(result.ok && result.body.value.a, 2);
});

test('what is not a JSON object is refused in words', () => {
  const told = (bytes: string | Uint8Array) => {
    const { kind, certainty, code, message } = refused(bytes);
    assert.deepEqual([kind, certainty, code], ['invalid', 'not_sent', 'invalid_json']);
    return message;
  };
  assert.match(told(''), /empty/);
  assert.match(told(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), /not valid UTF-8/);
  for (const text of ['[]', 'null', '"x"', '7']) assert.match(told(text), /not a JSON object/);
  assert.match(told('{"model": sk-secret}'), /not JSON/);
  assert.doesNotMatch(told('{"model": sk-secret}'), /sk-secret/);
});

test('what we read ourselves must be of its type', () => {
  for (const [name, value] of [
    ['model', 7],
    ['stream', 'true'],
    ['onetake', []],
    ['onetake', 'off'],
  ]) {
    const failure = refused(JSON.stringify({ messages: [user('x')], [String(name)]: value }));
    assert.deepEqual([failure.param, failure.code], [name, 'invalid_type']);
  }
});

test('the excerpt is what was said last', () => {
  assert.equal(
    excerpt(user('first'), user('  second\n\tline\u0000 '), { role: 'assistant', content: 'no' }),
    'second line',
  );
  assert.equal(excerpt({ role: 'system', content: 'only this' }), 'only this');
  assert.equal(excerpt(user('before'), user([{ type: 'image_url', image_url: 'https://a.example' }])), 'before');
  assert.equal(
    excerpt(user([{ type: 'text', text: 'two' }, { type: 'x' }, { type: 'text', text: 'parts' }])),
    'two parts',
  );
  assert.equal(excerpt(user([])), '');
  const said = (input: unknown) => read('responses', { input }).request.excerpt;
  assert.equal(said('plain'), 'plain');
  assert.equal(
    said([
      { role: 'user', content: [{ type: 'input_text', text: 'part' }] },
      { type: 'function_call_output', call_id: 'c', output: 'no' },
    ]),
    'part',
  );
  assert.equal(said([{ type: 'function_call_output', call_id: 'c', output: 'out' }, { id: 'r' }]), 'out');
  assert.equal(read('embeddings', { input: ['', 'one', 'two'] }).request.excerpt, 'one');
  assert.equal(read('embeddings', { input: [[1, 2]] }).request.excerpt, '');
});

test('an excerpt is bounded, of whole characters', () => {
  assert.equal(excerpt(user('🐟'.repeat(1_000))), '🐟'.repeat(MAX_EXCERPT_CHARS / 2));
  assert.equal(excerpt(user(`a${'🐟'.repeat(1_000)}`)), `a${'🐟'.repeat(MAX_EXCERPT_CHARS / 2 - 1)}`);
  const bounded = fc.property(fc.string({ unit: 'binary', maxLength: 2_000, size: 'max' }), (text) => {
    const found = excerpt(user(text));
    assert.ok(found.length <= MAX_EXCERPT_CHARS && found.isWellFormed());
    assert.doesNotMatch(found, /[\p{Cc}]|\s\s/u);
  });
  fc.assert(bounded, { numRuns: 100 });
});

test('tokens are estimated by the text, never by base64', () => {
  const picture = `data:image/png;base64,${'A'.repeat(400_000)}`;
  const words = inputTokens('a'.repeat(4_000));
  assert.ok(words >= 1_000 && words < 1_010, `${words}`);
  const seen = inputTokens([
    { type: 'text', text: 'a'.repeat(4_000) },
    { type: 'image_url', image_url: { url: picture } },
  ]);
  assert.ok(seen >= 2_000 && seen < 2_020, `${seen}`);
  assert.ok(
    inputTokens([
      { type: 'new_picture', source: picture },
      { type: 'new', data: 'A'.repeat(400_000) },
    ]) < 2_030,
  );
  assert.ok(inputTokens('ä'.repeat(4_000)) > 2_000);
  assert.equal(read('embeddings', { input: [[1, 2, 3], [4]] }).request.inputTokens, 4);
  const tools = [{ type: 'function', function: { name: 'f', parameters: { description: 'a'.repeat(4_000) } } }];
  assert.ok(asked({ tools }).request.inputTokens > 1_000);
  assert.ok(asked({ metadata: { a: 'a'.repeat(4_000) } }).request.inputTokens < 20);
});

test('the bound on the output', () => {
  const bound = (more: JsonObject) => asked(more).request.maxOutputTokens;
  // Which of two is heeded depends on the provider, and a budget must hold for either.
  assert.equal(bound({ max_completion_tokens: 10, max_tokens: 20 }), 20);
  assert.equal(bound({ max_completion_tokens: null, max_tokens: 20 }), 20);
  for (const wrong of [0, -1, 1.5, '9', null]) assert.equal(bound({ max_tokens: wrong }), undefined);
  assert.equal(read('responses', { input: 'x', max_output_tokens: 30 }).request.maxOutputTokens, 30);
  // A field that the endpoint does not have bounds nothing.
  assert.equal(bound({ max_output_tokens: 1 }), undefined);
  assert.equal(bound({ max_output_tokens: 1, max_tokens: 20 }), 20);
  assert.equal(
    read('responses', { input: 'x', max_tokens: 1, max_completion_tokens: 1 }).request.maxOutputTokens,
    undefined,
  );
});

test('several answers are bounded together', () => {
  const both = (more: JsonObject) => {
    const { maxOutputTokens, answers } = asked(more).request;
    return [maxOutputTokens, answers];
  };
  assert.deepEqual(both({ n: 3, max_tokens: 20 }), [60, 3]);
  assert.deepEqual(both({ n: 3 }), [undefined, 3]);
  for (const one of [1, null, 0, 1.5, '3']) assert.deepEqual(both({ n: one, max_tokens: 20 }), [20, undefined]);
});

test('whether it is asked to think first', () => {
  const thinks = (more: JsonObject) => asked(more).request.reasoning;
  for (const model of ['gpt-4.1', 'openai/o3', 'gpt-5.4']) assert.equal(thinks({ model }), undefined);
  assert.equal(thinks({ model: 'gpt-5.4', reasoning_effort: 'none' }), false);
  assert.equal(thinks({ model: 'gpt-5.4', reasoning_effort: null }), undefined);
  assert.equal(thinks({ model: 'x', reasoning_effort: 'low' }), true);
  assert.equal(thinks({ model: 'x', reasoning: { summary: 'auto' } }), true);
  assert.equal(thinks({ model: 'x', reasoning: { effort: 'minimal' } }), false);
  assert.equal(thinks({ model: 'x', reasoning: { enabled: false } }), false);
  assert.equal(thinks({ model: 'x', thinking: { type: 'enabled' } }), true);
  assert.equal(thinks({ model: 'o3', thinking: { type: 'disabled' } }), false);
  assert.equal(read('embeddings', { input: 'x', reasoning_effort: 'high' }).request.reasoning, undefined);
});

test('a shape that would take gigabytes is refused before it is parsed', () => {
  assert.match(refused(Buffer.alloc(1_000_000, '[')).message, /deeper than 512/);
  assert.match(refused(`{"a":${'{"a":'.repeat(600)}1${'}'.repeat(601)}`).message, /deeper than 512/);
  assert.match(refused(`{"a":[${'{},'.repeat(500_000)}{}]}`).message, /500000 objects/);
  assert.match(refused(`{"a":[${'1,'.repeat(2_000_001)}1]}`).message, /2000000 values/);
  asked({ brackets: '['.repeat(10_000) + ','.repeat(3_000_000) });
});

test('it never throws', () => {
  const texts = fc.oneof(
    fc.json(),
    fc.string(),
    fc.jsonValue().map((value) => JSON.stringify({ messages: [value], input: [value], tools: value })),
  );
  const total = fc.property(
    fc.constantFrom('chat/completions', 'responses', 'embeddings'),
    texts,
    (endpoint: ChatEndpoint, text) => {
      const result = readChat(endpoint, Buffer.from(text));
      if (!result.ok) assert.ok(result.failure.message.length < 2_000);
    },
  );
  fc.assert(total, { numRuns: 3_000 });
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readChat('responses', bytes)));
});
