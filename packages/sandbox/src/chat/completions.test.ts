import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, MESSAGES, saidIn, stream } from '../testing/chat.ts';
import { at, sandboxFor, textAt } from '../testing/sandbox.ts';

const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 2 } } },
  },
};

function asking(content: unknown): object {
  return { messages: [{ role: 'user', content }] };
}

test('an answer repeats what was said and is the same each time, and another one for another choice', async (t) => {
  const sandbox = await sandboxFor(t);
  const [first, second] = [await ask(sandbox, 'gpt-4o', { n: 2 }), await ask(sandbox, 'gpt-4o')];
  assert.equal(first.status, 200);
  assert.match(first.headers.get('x-request-id') ?? '', /^req_/u);
  assert.equal(textAt(first.body, 'object'), 'chat.completion');
  assert.match(String(saidIn(first)), /^You said: "a red fox"\. /u);
  assert.equal(saidIn(first), saidIn(second));
  assert.notEqual(at(first.body, 'choices.1.message.content'), saidIn(first));
  assert.deepEqual(
    [
      at(first.body, 'usage.prompt_tokens'),
      at(first.body, 'usage.completion_tokens'),
      at(first.body, 'usage.total_tokens'),
    ],
    [3, 80, 83],
  );
  assert.equal(at(second.body, 'choices.0.finish_reason'), 'stop');
});

test('a stream says the same as the whole answer, a token an event, and ends with [DONE]', async (t) => {
  const sandbox = await sandboxFor(t);
  const { events, text, raw } = await stream(sandbox, 'gpt-4o');
  assert.equal(text, saidIn(await ask(sandbox, 'gpt-4o')));
  assert.equal(events.length, 1 + 40 + 1 + 1);
  assert.deepEqual(at(events[0], 'choices.0.delta'), { role: 'assistant', content: '', refusal: null });
  assert.equal(at(events[1], 'choices.0.finish_reason'), null);
  assert.deepEqual([at(events.at(-2), 'choices.0.finish_reason'), events.at(-1)], ['stop', '[DONE]']);
  assert.ok(raw.endsWith('data: [DONE]\n\n'));
  assert.ok(events.every((event) => at(event, 'usage') === undefined));
});

test('usage is streamed where it is asked for: null in each chunk, then a chunk without choices', async (t) => {
  const sandbox = await sandboxFor(t);
  const { events } = await stream(sandbox, 'gpt-4o', { stream_options: { include_usage: true } });
  const chunks = events.slice(0, -1);
  const last = chunks.pop();
  assert.ok(chunks.every((chunk) => at(chunk, 'usage') === null));
  assert.deepEqual([at(last, 'choices'), at(last, 'usage.completion_tokens')], [[], 40]);
});

test('max_tokens in each of its spellings ends the text with length', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const { body } = await ask(sandbox, 'gpt-4o', { [field]: 7 });
    assert.deepEqual([at(body, 'choices.0.finish_reason'), at(body, 'usage.completion_tokens')], ['length', 7]);
  }
  const { events } = await stream(sandbox, 'gpt-4o', { max_tokens: 7 });
  assert.equal(events.length, 1 + 7 + 2);
  assert.equal(at(events.at(-2), 'choices.0.finish_reason'), 'length');
});

test('reasoning models think in silence, for tokens that are within the bound', async (t) => {
  const sandbox = await sandboxFor(t);
  const reasoned = async (model: string, fields: object = {}) => {
    const { body } = await ask(sandbox, model, fields);
    const details = at(body, 'usage.completion_tokens_details.reasoning_tokens');
    return [details, at(body, 'usage.completion_tokens')];
  };
  assert.deepEqual(await reasoned('gpt-5.6-luna'), [16, 56]);
  assert.deepEqual(await reasoned('gpt-5.6-luna', { max_completion_tokens: 8 }), [4, 8]);
  assert.deepEqual(await reasoned('gpt-5.6-luna', { reasoning_effort: 'none' }), [0, 40]);
  assert.deepEqual(await reasoned('gpt-4o'), [0, 40]);
});

test('a tool is called on its cue, or where the caller makes it so, and answers in words after it', async (t) => {
  const sandbox = await sandboxFor(t);
  const tools = [WEATHER, { type: 'function', function: { name: 'clock' } }];
  const called = async (fields: object) => {
    const { body } = await ask(sandbox, 'gpt-4o', { tools, ...fields });
    const calls = at(body, 'choices.0.message.tool_calls');
    const names = Array.isArray(calls) ? calls.map((call) => at(call, 'function.name')) : [];
    return [...names, at(body, 'choices.0.finish_reason')];
  };
  assert.deepEqual(await called({}), ['stop']);
  assert.deepEqual(await called(asking('Use the tool')), ['weather', 'tool_calls']);
  assert.deepEqual(await called(asking('use the tool clock')), ['clock', 'tool_calls']);
  assert.deepEqual(await called(asking('use the tools')), ['weather', 'clock', 'tool_calls']);
  assert.deepEqual(await called({ tool_choice: 'required' }), ['weather', 'tool_calls']);
  assert.deepEqual(await called({ tool_choice: { type: 'function', function: { name: 'clock' } } }), [
    'clock',
    'tool_calls',
  ]);
  assert.deepEqual(await called({ ...asking('use the tool'), tool_choice: 'none' }), ['stop']);
  const answered = [
    { role: 'user', content: 'use the tool' },
    { role: 'tool', tool_call_id: 'c', content: '12 degrees' },
  ];
  assert.deepEqual(await called({ messages: answered, tool_choice: 'required' }), ['stop']);
  const { body } = await ask(sandbox, 'gpt-4o', { tools, ...asking('use the tool') });
  const json = textAt(body, 'choices.0.message.tool_calls.0.function.arguments');
  assert.deepEqual(JSON.parse(json), { city: 'use the tool', days: 2 });
});

test('a tool call is streamed: its name and id first, then its arguments in pieces', async (t) => {
  const sandbox = await sandboxFor(t);
  const { events } = await stream(sandbox, 'gpt-4o', { tools: [WEATHER], ...asking('use the tool') });
  const pieces = events.flatMap((event) => at(event, 'choices.0.delta.tool_calls.0') ?? []);
  assert.match(textAt(pieces[0], 'id'), /^call_/u);
  assert.deepEqual(at(pieces[0], 'function'), { name: 'weather', arguments: '' });
  const json = pieces.map((piece) => textAt(piece, 'function.arguments')).join('');
  assert.deepEqual(JSON.parse(json), { city: 'use the tool', days: 2 });
  assert.equal(at(events.at(-2), 'choices.0.finish_reason'), 'tool_calls');
});

test('JSON is answered where it is asked for', async (t) => {
  const sandbox = await sandboxFor(t);
  const formed = async (format: object) =>
    JSON.parse(String(saidIn(await ask(sandbox, 'gpt-4o', { response_format: format }))));
  assert.deepEqual(await formed({ type: 'json_object' }), { answer: 'a red fox' });
  const schema = {
    type: 'object',
    properties: { kind: { enum: ['fox', 'dog'] }, legs: { type: 'number', minimum: 4 } },
  };
  assert.deepEqual(await formed({ type: 'json_schema', json_schema: { name: 'animal', schema } }), {
    kind: 'fox',
    legs: 4,
  });
});

test('pictures among the messages are taken, counted and not fetched', async (t) => {
  const sandbox = await sandboxFor(t);
  const picture = { type: 'image_url', image_url: { url: 'http://127.0.0.1:1/fox.png' } };
  const { status, body } = await ask(sandbox, 'gpt-4o', asking([{ type: 'text', text: 'a red fox' }, picture]));
  assert.deepEqual([status, at(body, 'usage.prompt_tokens')], [200, 3 + 85]);
});

test('a long input that was seen before is cached from 1024 tokens on, in steps of 128', async (t) => {
  const sandbox = await sandboxFor(t);
  const cached = async (messages: readonly object[], model = 'gpt-4o') => {
    const { body } = await ask(sandbox, model, { messages });
    return at(body, 'usage.prompt_tokens_details.cached_tokens');
  };
  const long = { role: 'system', content: 'x'.repeat(5000) };
  assert.deepEqual(
    [await cached([long, ...MESSAGES]), await cached([long, { role: 'user', content: 'else' }])],
    [0, 1152],
  );
  assert.equal(await cached([long, ...MESSAGES], 'gpt-4.1'), 0);
  assert.deepEqual([await cached(MESSAGES), await cached(MESSAGES)], [0, 0]);
});

test('what is no request is refused, and the field named', async (t) => {
  const sandbox = await sandboxFor(t);
  const wrong: readonly [object, string, string][] = [
    [{ messages: null }, 'messages', 'missing_required_parameter'],
    [{ messages: [] }, 'messages', 'empty_array'],
    [{ messages: ['hello'] }, 'messages', 'invalid_type'],
    [{ model: '' }, 'model', 'missing_required_parameter'],
    [{ max_tokens: 0 }, 'max_tokens', 'invalid_value'],
    [{ n: 'two' }, 'n', 'invalid_type'],
    [{ stream: 'yes' }, 'stream', 'invalid_type'],
  ];
  for (const [fields, param, code] of wrong) {
    const { status, body } = await ask(sandbox, 'gpt-4o', fields);
    assert.deepEqual([status, at(body, 'error.param'), at(body, 'error.code')], [400, param, code]);
  }
});
