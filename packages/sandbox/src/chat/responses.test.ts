import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, saidIn, stream } from '../testing/chat.ts';
import { at, imitate, sandboxFor, textAt } from '../testing/sandbox.ts';

const CLOCK = {
  type: 'function',
  name: 'clock',
  parameters: { type: 'object', properties: { zone: { type: 'string' } } },
};

test('a response has the same words as a chat completion, and its own usage', async (t) => {
  const sandbox = await sandboxFor(t);
  const { status, body } = await ask(sandbox, 'gpt-5.6-luna', { metadata: { a: 'b' } }, 'responses');
  assert.deepEqual([status, textAt(body, 'object'), textAt(body, 'status')], [200, 'response', 'completed']);
  assert.equal(textAt(body, 'output.0.content.0.text'), saidIn(await ask(sandbox, 'gpt-5.6-luna')));
  assert.deepEqual(at(body, 'usage'), {
    input_tokens: 3,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 56,
    output_tokens_details: { reasoning_tokens: 16 },
    total_tokens: 59,
  });
  assert.deepEqual([at(body, 'metadata.a'), at(body, 'error'), at(body, 'incomplete_details')], ['b', null, null]);
});

test('a stream has named events in order, numbered from 0, and ends with the whole response', async (t) => {
  const sandbox = await sandboxFor(t);
  const { events, types, text, raw } = await stream(sandbox, 'gpt-4o', {}, 'responses');
  assert.deepEqual(types, [
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  assert.deepEqual(
    events.map((event) => at(event, 'sequence_number')),
    events.map((_, index) => index),
  );
  const names = [...raw.matchAll(/^event: (.*)$/gmu)].map(([, name]) => name);
  assert.deepEqual(
    names,
    events.map((event) => at(event, 'type')),
  );
  const done = events.at(-1);
  assert.equal(textAt(done, 'response.output.0.content.0.text'), text);
  assert.equal(at(done, 'response.id'), at(events[0], 'response.id'));
  assert.equal(at(done, 'response.usage.output_tokens'), 40);
  assert.doesNotMatch(raw, /\[DONE\]/u);
});

test('max_output_tokens leaves a response incomplete', async (t) => {
  const sandbox = await sandboxFor(t);
  const { events } = await stream(sandbox, 'gpt-4o', { max_output_tokens: 5 }, 'responses');
  const { type, response } = events.at(-1) as { type: string; response: object };
  assert.equal(type, 'response.incomplete');
  assert.deepEqual(
    [at(response, 'status'), at(response, 'incomplete_details'), at(response, 'usage.output_tokens')],
    ['incomplete', { reason: 'max_output_tokens' }, 5],
  );
});

test('a function is called on its cue, and its output is answered in words', async (t) => {
  const sandbox = await sandboxFor(t);
  const asked = { tools: [CLOCK], input: [{ role: 'user', content: [{ type: 'input_text', text: 'use the tool' }] }] };
  const { events, types } = await stream(sandbox, 'gpt-4o', asked, 'responses');
  assert.deepEqual(types.slice(2, -1), [
    'response.output_item.added',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'response.output_item.done',
  ]);
  const item = at(events.at(-1), 'response.output.0');
  const deltas = events.filter((event) => at(event, 'type') === 'response.function_call_arguments.delta');
  const json = deltas.map((event) => textAt(event, 'delta')).join('');
  assert.deepEqual([textAt(item, 'name'), textAt(item, 'arguments')], ['clock', json]);
  const output = { type: 'function_call_output', call_id: textAt(item, 'call_id'), output: '12:00' };
  const { body } = await ask(sandbox, 'gpt-4o', { ...asked, input: [...asked.input, item, output] }, 'responses');
  assert.equal(textAt(body, 'output.0.type'), 'message');
});

test('the form of the text stands under text.format', async (t) => {
  const sandbox = await sandboxFor(t);
  const schema = { type: 'object', properties: { ok: { type: 'boolean' } } };
  const { body } = await ask(
    sandbox,
    'gpt-4o',
    { text: { format: { type: 'json_schema', name: 'x', schema } } },
    'responses',
  );
  assert.deepEqual(JSON.parse(textAt(body, 'output.0.content.0.text')), { ok: true });
});

test('reasoning is an item of its own before the message', async (t) => {
  const sandbox = await sandboxFor(t);
  const { types, events } = await stream(sandbox, 'reasoning', {}, 'responses');
  assert.deepEqual(types.slice(2, 8), [
    'response.output_item.added',
    'response.reasoning_summary_part.added',
    'response.reasoning_summary_text.delta',
    'response.reasoning_summary_text.done',
    'response.reasoning_summary_part.done',
    'response.output_item.done',
  ]);
  const output = at(events.at(-1), 'response.output') as readonly object[];
  assert.deepEqual(
    output.map((item) => at(item, 'type')),
    ['reasoning', 'message'],
  );
});

test('at the imitations of OpenAI and Azure chat is answered beside the pictures', async (t) => {
  const sandbox = await sandboxFor(t);
  const body = { model: 'any', input: 'a red fox', messages: [{ role: 'user', content: 'a red fox' }], dimensions: 2 };
  const [bearer, apiKey] = [{ authorization: 'Bearer key' }, { 'api-key': 'key' }];
  for (const path of ['chat/completions', 'responses', 'embeddings']) {
    assert.equal((await imitate(sandbox, `/openai/v1/${path}`, { body, headers: bearer })).status, 200, path);
    assert.equal((await imitate(sandbox, `/azure/openai/v1/${path}`, { body, headers: apiKey })).status, 200, path);
    assert.equal((await imitate(sandbox, `/openai/v1/${path}`, { body })).status, 401, path);
    const refused = await imitate(sandbox, `/fault/429:2/openai/v1/${path}`, { body, headers: bearer });
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '2'], path);
  }
  const older = '/azure/openai/deployments/mine/chat/completions?api-version=2025-04-01-preview';
  assert.equal(at((await imitate(sandbox, older, { body, headers: apiKey })).body, 'model'), 'mine');
  const filtered = await imitate(sandbox, `/fault/policy${older}`, { body, headers: apiKey });
  assert.deepEqual([filtered.status, at(filtered.body, 'error.code')], [400, 'content_filter']);
  const misspelled = await imitate(sandbox, '/fault/die-mid-steam/openai/v1/responses', { body, headers: bearer });
  assert.match(textAt(misspelled.body, 'error.message'), /Did you mean 'die-mid-stream'/u);
  const background = await imitate(sandbox, '/openai/v1/responses', {
    body: { ...body, background: true },
    headers: bearer,
  });
  assert.equal(background.status, 400);
  const { body: bill } = await imitate(sandbox, '/ledger');
  assert.equal(at(bill, 'models.azure/any.charged'), 3);
  assert.equal(at(bill, 'models.openai/any.charged'), 3);
});
