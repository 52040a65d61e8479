import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../json.ts';
import { chatRequests, embeddingsRequests, responsesRequests } from '../testing/chat-requests.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { readChat } from './read-chat.ts';

function failureOf(endpoint: ChatEndpoint, body: unknown) {
  const read = readChat(endpoint, Buffer.from(JSON.stringify(body)));
  return read.ok ? undefined : read.failure;
}

function paramOf(endpoint: ChatEndpoint, body: unknown): string | undefined {
  const failure = failureOf(endpoint, body);
  if (failure) {
    assert.deepEqual([failure.kind, failure.certainty], ['invalid', 'not_sent']);
    assert.equal(typeof failure.param, 'string');
  }
  return failure?.param;
}

const inChat = (body: unknown) => paramOf('chat/completions', body);
const ofMessages = (...messages: unknown[]) => inChat({ model: 'm', messages });
const ofPart = (part: unknown) => ofMessages({ role: 'user', content: [part] });
const ofItems = (...input: unknown[]) => paramOf('responses', { model: 'm', input });
const ofInput = (input: unknown) => paramOf('embeddings', { model: 'm', input });

test('nothing that the types of OpenAI allow is refused', () => {
  for (const [endpoint, requests] of [
    ['chat/completions', chatRequests],
    ['responses', responsesRequests],
    ['embeddings', embeddingsRequests],
  ] as const) {
    const accepted = fc.property<[unknown]>(requests, (request) => {
      assert.equal(failureOf(endpoint, request)?.message, undefined);
    });
    fc.assert(accepted, { numRuns: 1_000 });
  }
});

/** A place where a value of another kind is a fault, by its path. */
interface Site {
  readonly path: readonly (string | number)[];
  readonly values: readonly (JsonValue | undefined)[];
}

type Plain = Readonly<Record<string, unknown>>;
const NO_TEXT = [undefined, null, 7, {}];
const NO_NAME = [...NO_TEXT, ''];

function partSites(part: Plain, path: Site['path']): readonly Site[] {
  const at = (key: string, values: Site['values'], ...deeper: string[]) => [
    { path: [...path, key, ...deeper], values },
  ];
  const own =
    'text' in part
      ? at('text', NO_TEXT)
      : part.type === 'refusal'
        ? at('refusal', NO_TEXT)
        : part.type === 'file'
          ? at('file', [undefined, 7, 'x'])
          : part.type === 'input_audio'
            ? [...at('input_audio', [undefined, 7]), ...at('input_audio', NO_TEXT, 'data')]
            : part.type === 'image_url'
              ? [
                  ...at('image_url', [undefined, 7, []]),
                  ...at('image_url', [...NO_NAME, 'a cat', '/tmp/cat.png'], 'url'),
                ]
              : part.type === 'input_image' && part.image_url
                ? at('image_url', [7, '', { url: 'https://a.example' }])
                : [];
  // A part that tells its kind by `image_url` or `input_audio` needs no type, so there only a wrong one is a fault.
  const types = 'image_url' in part || 'input_audio' in part ? [7, '', null] : NO_NAME;
  return [{ path, values: [7, null, []] }, ...at('type', types), ...own];
}

function contentSites(content: unknown, path: Site['path']): readonly Site[] {
  const parts = Array.isArray(content) ? content : [];
  return parts.flatMap((part, index) => partSites(part, [...path, index]));
}

function callSites(call: Plain, path: Site['path']): readonly Site[] {
  const kind = String(call.type);
  const payload = kind === 'custom' ? 'input' : 'arguments';
  return [
    { path, values: [7, null] },
    { path: [...path, 'id'], values: NO_NAME },
    { path: [...path, kind], values: [undefined, 7] },
    { path: [...path, kind, 'name'], values: NO_NAME },
    { path: [...path, kind, payload], values: NO_TEXT },
  ];
}

function messageSites(message: Plain, index: number): readonly Site[] {
  const path = ['messages', index];
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  const speaks = ['user', 'system', 'developer', 'tool'].includes(String(message.role));
  return [
    { path, values: [7, null, 'hello', []] },
    { path: [...path, 'role'], values: NO_NAME },
    { path: [...path, 'content'], values: speaks ? [undefined, null, 7, {}] : [7, {}] },
    ...contentSites(message.content, [...path, 'content']),
    ...calls.flatMap((call, at) => callSites(call, [...path, 'tool_calls', at])),
    ...(message.role === 'tool'
      ? [{ path: [...path, 'tool_call_id'], values: [...NO_NAME, 'nobody called this'] }]
      : []),
  ];
}

function itemSites(item: Plain, index: number): readonly Site[] {
  const path = ['input', index];
  const said = 'role' in item;
  const sites: Site[] = [
    { path, values: [7, null, 'hello', []] },
    { path: [...path, 'type'], values: [7, {}] },
  ];
  if (said)
    sites.push({ path: [...path, 'role'], values: [7, null, ''] }, { path: [...path, 'content'], values: [7, {}] });
  if (item.type === 'function_call')
    sites.push({ path: [...path, 'name'], values: NO_NAME }, { path: [...path, 'call_id'], values: NO_NAME });
  if (item.type === 'function_call_output') sites.push({ path: [...path, 'output'], values: NO_TEXT });
  return [...sites, ...(said ? contentSites(item.content, [...path, 'content']) : [])];
}

function planted(body: unknown, path: Site['path'], value: JsonValue | undefined): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(body)) return body.map((one: unknown, at) => (at === key ? planted(one, rest, value) : one));
  const whole = { ...(body as JsonObject) };
  return { ...whole, [key]: planted(whole[key], rest, value) };
}

function written(path: Site['path']): string {
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('');
}

test('a fault planted anywhere is named by its path', () => {
  const chats = chatRequests.map((request) => ({
    request,
    sites: request.messages.flatMap((message, index) => messageSites({ ...message }, index)),
  }));
  const responses = responsesRequests.map((request) => ({
    request,
    sites: Array.isArray(request.input) ? request.input.flatMap((item, index) => itemSites({ ...item }, index)) : [],
  }));
  for (const [endpoint, generated] of [
    ['chat/completions', chats],
    ['responses', responses],
  ] as const) {
    const named = fc.property(generated, fc.nat(), fc.nat(), ({ request, sites }, which, what) => {
      const site = sites[which % sites.length];
      if (site === undefined) return;
      const body = planted(request, site.path, site.values[what % site.values.length]);
      assert.equal(paramOf(endpoint, body), written(site.path), JSON.stringify(body));
    });
    fc.assert(named, { numRuns: 3_000 });
  }
});

test('messages: what every server refuses, and how it is told', () => {
  assert.equal(inChat({ model: 'm' }), 'messages');
  assert.equal(inChat({ messages: [] }), 'messages');
  assert.equal(inChat({ messages: { role: 'user' } }), 'messages');
  assert.equal(ofMessages({ role: 'assistant' }), 'messages[0].content');
  assert.equal(ofMessages({ role: 'assistant', content: null, name: 'a' }), 'messages[0].content');
  assert.equal(
    ofMessages({ role: 'user', content: 'x' }, { role: 'tool', content: 'x', tool_call_id: 'c' }),
    'messages[1].tool_call_id',
  );
  const url = { type: 'image_url', image_url: { url: 'cat.png' } };
  const failure = failureOf('chat/completions', {
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }, url] }],
  });
  assert.equal(failure?.code, 'invalid_value');
  assert.equal(failure?.message, 'messages[0].content[1].image_url.url is "cat.png"; give an http(s) or data URL');
  assert.equal(failureOf('chat/completions', { messages: [] })?.code, 'empty_array');
  assert.equal(failureOf('chat/completions', {})?.code, 'missing_required_parameter');
  assert.equal(
    failureOf('chat/completions', { messages: [7] })?.message,
    'messages[0] is a number; give an object with a role',
  );
});

test('messages: what some server takes is passed on', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  const passed: unknown[] = [
    { role: 'critic' },
    { role: 'user', content: [] },
    { role: 'user', content: ['words', { type: 'hologram', hologram: 7 }] },
    {
      role: 'user',
      content: [{ type: 'image_url', image_url: 'https://a.example/x' }, { image_url: 'https://a.example/x' }],
    },
    { role: 'user', content: [{ type: 'image_url', image_url: null, uuid: 'seen-before' }] },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///data/x.png' } }] },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'A'.repeat(10_000) } }] },
    { role: 'user', content: [{ type: 'toString' }, { type: '__proto__' }] },
    { role: 'assistant', content: null, reasoning_content: 'so' },
    { role: 'assistant', content: '', tool_calls: [] },
    { role: 'assistant', content: null, tool_calls: [call, { ...call, id: 'd', type: 'new' }] },
    { role: 'user', content: 'an unanswered call does not matter' },
    { role: 'tool', tool_call_id: 'c', content: 'late' },
  ];
  assert.equal(ofMessages(...passed), undefined);
});

test('tools', () => {
  const messages = [{ role: 'user', content: 'x' }];
  const ofTools = (tools: unknown) => inChat({ messages, tools });
  assert.equal(ofTools(null), undefined);
  assert.equal(
    ofTools([{ function: { name: 'f' } }, { type: 'hologram' }, { type: 'function', name: 'f' }]),
    undefined,
  );
  assert.equal(ofTools({}), 'tools');
  assert.equal(ofTools([{ type: 'custom' }, 7]), 'tools[1]');
  assert.equal(ofTools([{ name: 'f' }]), 'tools[0].type');
  assert.equal(ofTools([{ type: 'function' }]), 'tools[0].function');
  assert.equal(ofTools([{ type: 'function', function: {} }]), 'tools[0].function.name');
});

test('input of the Responses API', () => {
  assert.equal(paramOf('responses', { model: 'm' }), 'input');
  assert.equal(paramOf('responses', { input: [] }), 'input');
  assert.equal(paramOf('responses', { input: 7, prompt: { id: 'p' } }), 'input');
  assert.equal(ofItems({ content: 'x' }), 'input[0].type');
  assert.equal(ofItems({ role: 'assistant', content: null }, { type: 'new' }), undefined);
  assert.equal(ofItems({ role: 'user' }), 'input[0].content');
  assert.equal(ofItems({ type: 'function_call_output', output: 'x' }), 'input[0].call_id');
  assert.equal(ofItems({ role: 'user', content: [{ type: 'input_image' }] }), 'input[0].content[0].image_url');
  assert.equal(
    ofItems({ role: 'user', content: [{ type: 'input_image', file_id: 7 }] }),
    'input[0].content[0].file_id',
  );
});

test('input of embeddings', () => {
  assert.equal(paramOf('embeddings', { model: 'm' }), 'input');
  assert.equal(paramOf('embeddings', { model: 'm', messages: [{ role: 'user', content: 'x' }] }), undefined);
  for (const input of [null, 7, true, []]) assert.equal(ofInput(input), 'input');
  for (const input of ['', [''], [{ image: 'x' }], ['x', 7], [[1], ['x', 2]]]) assert.equal(ofInput(input), undefined);
  assert.equal(ofInput(['x', null]), 'input[1]');
  assert.equal(ofInput([1, 1.5]), 'input[1]');
  assert.equal(ofInput([[1], []]), 'input[1]');
  assert.equal(ofInput([[1, true]]), 'input[0][1]');
});

test('a part is judged as a part of its own kind', () => {
  assert.equal(ofPart({ type: 'text' }), 'messages[0].content[0].text');
  assert.equal(ofPart({ text: 'x' }), 'messages[0].content[0].type');
  assert.equal(ofPart({ type: 'file' }), 'messages[0].content[0].file');
  assert.equal(ofPart({ type: 'input_audio', input_audio: {} }), 'messages[0].content[0].input_audio.data');
});
