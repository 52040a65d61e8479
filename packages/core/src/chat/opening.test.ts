import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkEvent } from '../testing/chat-rig.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { openingOf } from './opening.ts';
import { eventsIn } from './stream-events.ts';

function openings(stream: string, endpoint: ChatEndpoint = 'chat/completions'): string[] {
  return [...eventsIn(Buffer.from(stream))].map((event) => openingOf(event, endpoint).kind);
}

const named = (type: string, more: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

test('what says nothing yet is a prelude', () => {
  const silent = [
    ...[{ role: 'assistant' }, { role: 'assistant', content: '' }, { role: 'assistant', content: null }, {}],
    ...[
      { role: 'assistant', tool_calls: [] },
      { role: 'assistant', refusal: null, reasoning_content: '' },
    ],
  ];
  for (const delta of silent) assert.deepEqual(openings(chunkEvent(delta)), ['prelude'], JSON.stringify(delta));
  assert.deepEqual(openings(': OPENROUTER PROCESSING\n\n'), ['prelude']);
  assert.deepEqual(openings('data: {"choices":[],"prompt_filter_results":[{}]}\n\n'), ['prelude']);
});

test('content of any kind is content, and so is an end', () => {
  const said = [{ content: 'a' }, { tool_calls: [{ index: 0 }] }, { refusal: 'no' }, { reasoning_content: 'hm' }];
  for (const delta of [...said, { reasoning: 'hm' }, { audio: { id: 'x' } }, { function_call: { name: 'f' } }]) {
    assert.deepEqual(openings(chunkEvent(delta)), ['content'], JSON.stringify(delta));
  }
  assert.deepEqual(openings(chunkEvent({}, 'length')), ['content']);
  assert.deepEqual(openings('data: {"choices":[{"index":0,"text":"a"}]}\n\n'), ['content']);
});

test('what is not known is content', () => {
  for (const unknown of ['data: {"hello":1}\n\n', 'data: words\n\n', 'data: [1]\n\n', 'event: x\ndata: {"a":1}\n\n']) {
    assert.deepEqual(openings(unknown), ['content'], unknown);
    assert.deepEqual(openings(unknown, 'responses'), ['content'], unknown);
  }
});

test('the events of Responses before the first delta are its prelude', () => {
  const prelude = ['response.created', 'response.queued', 'response.in_progress'].map((type) =>
    named(type, { response: { error: null } }),
  );
  const added = ['response.output_item.added', 'response.content_part.added'].map((type) => named(type, { item: {} }));
  assert.deepEqual(
    openings([...prelude, ...added].join(''), 'responses'),
    Array.from({ length: 5 }, () => 'prelude'),
  );
  assert.deepEqual(openings(named('response.output_text.delta', { delta: 'a' }), 'responses'), ['content']);
  assert.deepEqual(openings(named('response.completed', { response: {} }), 'responses'), ['content']);
});

test('an error is an error wherever it stands first', () => {
  assert.deepEqual(openings('data: {"error":{"message":"m"}}\n\n'), ['failed']);
  assert.deepEqual(openings('event: error\ndata: no\n\n'), ['failed']);
  assert.deepEqual(openings(named('error', { code: 'c', message: 'm' }), 'responses'), ['failed']);
  assert.deepEqual(openings(named('response.failed', { response: { error: { code: 'c' } } }), 'responses'), ['failed']);
});

test('[DONE] is the end', () => {
  assert.deepEqual(openings('data: [DONE]\n\n'), ['done']);
});

test('events are read with any line breaks, over several lines, with a mark of the byte order', () => {
  const [first, second] = eventsIn(Buffer.from('\uFEFFdata: {"a":\r\ndata:1}\r\n\r\nevent: ü\rdata: x\r\r'));
  assert.deepEqual([first?.value, first?.end], [{ a: 1 }, 27]);
  assert.deepEqual([second?.name, second?.text, second?.value], ['ü', 'x', undefined]);
});
