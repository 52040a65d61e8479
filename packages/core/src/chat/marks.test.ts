import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkEvent, DONE_EVENT, FINISH_EVENT } from '../testing/chat-rig.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { createMarks } from './marks.ts';

function looked(slices: readonly string[], endpoint: ChatEndpoint = 'chat/completions', choices = 1) {
  const marks = createMarks(endpoint, choices);
  const errors = slices.map((slice) => marks.look(Buffer.from(slice)));
  return { marks, error: errors.find((one) => one !== undefined) };
}

const named = (type: string, more: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const TRICKY = chunkEvent({
  content: 'data: [DONE] "finish_reason":"stop" "error":{"message":"x"} event: error "usage":{}',
});

test('what was generated is never taken for a mark', () => {
  const { marks, error } = looked([TRICKY, TRICKY]);
  assert.deepEqual([marks.isComplete(), error, marks.usage()], [false, undefined, undefined]);
  const delta = named('response.output_text.delta', { delta: 'response.completed "response":{"error":{}} [DONE]' });
  const responses = looked([delta], 'responses');
  assert.deepEqual([responses.marks.isComplete(), responses.error], [false, undefined]);
});

test('a finish_reason that is not null, or [DONE], is the end; with white space too', () => {
  const ends = [
    FINISH_EVENT,
    DONE_EVENT,
    'data:[DONE]\r\n\r\n',
    'data: {"choices": [{"index": 0, "finish_reason" : "stop"}]}\n\n',
  ];
  for (const end of ends) assert.ok(looked([TRICKY, end]).marks.isComplete(), end);
  for (const open of [
    chunkEvent({ content: 'a' }),
    'data: {"choices": [{"finish_reason": null}]}\n\n',
    ': [DONE] not\n\n',
  ]) {
    assert.ok(!looked([open]).marks.isComplete(), open);
  }
});

test('of several answers in one the last end counts', () => {
  const ends = [0, 1].map((index) => `data: ${JSON.stringify({ choices: [{ index, finish_reason: 'stop' }] })}\n\n`);
  assert.ok(!looked(ends.slice(0, 1), 'chat/completions', 2).marks.isComplete());
  assert.ok(looked(ends, 'chat/completions', 2).marks.isComplete());
});

test('the terminal events of Responses are its end, and a failed one is an error', () => {
  for (const type of ['response.completed', 'response.incomplete']) {
    const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
    const { marks } = looked([named(type, { response: { status: 'x', usage } })], 'responses');
    assert.ok(marks.isComplete());
    assert.equal(marks.usage()?.total_tokens, 5);
  }
  const failed = named('response.failed', { response: { error: { code: 'server_error', message: 'm' } } });
  const { error, marks } = looked([failed], 'responses');
  assert.deepEqual([error?.error, error?.end], [{ code: 'server_error', message: 'm' }, failed.length]);
  assert.ok(!marks.isComplete());
});

test('an error ends where its event does', () => {
  const before = chunkEvent({ content: 'a' });
  for (const error of [
    'data: {"error": {"message":"m"}}\n\n',
    'event: error\ndata: {"message":"m"}\n\n',
    'event:error\ndata: x\n\n',
  ]) {
    assert.equal(looked([before + error + before]).error?.end, (before + error).length, error);
  }
  assert.equal(looked(['data: {"choices":[],"error":null}\n\n', 'data: {"error":{}}\n\n']).error, undefined);
});

test('usage is the last that was told, whether with each event or at the end', () => {
  const told = (total: number) => ({ prompt_tokens: 3, completion_tokens: total - 3, total_tokens: total });
  const each = [4, 5, 6, 7, 8, 9].map((total) => chunkEvent({ content: 'a' }, null, { usage: told(total) }));
  assert.equal(looked(each).marks.usage()?.total_tokens, 9);
  const quiet = Array.from({ length: 10 }, () => chunkEvent({ content: 'a' }, null, { usage: null }));
  const last = `data: ${JSON.stringify({ choices: [], usage: told(20) })}\n\n`;
  assert.equal(looked([...quiet, FINISH_EVENT, last, DONE_EVENT]).marks.usage()?.total_tokens, 20);
  assert.equal(looked([...quiet, FINISH_EVENT + last + DONE_EVENT]).marks.usage()?.total_tokens, 20);
  assert.equal(looked(quiet).marks.usage(), undefined);
});

test('what passed is counted, one event for each token', () => {
  const events = Array.from({ length: 5 }, () => chunkEvent({ content: 'a' }));
  assert.equal(looked(events).marks.passed().events, 5);
  assert.equal(looked([events.join('')]).marks.passed().events, 5);
  const deltas = Array.from({ length: 5 }, () => named('response.output_text.delta', { delta: 'a' }));
  assert.equal(looked([named('response.created'), ...deltas], 'responses').marks.passed().events, 5);
});

test('an event too large to be read ends the response by its name, or by how its data begins, and tells its usage', () => {
  const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
  const picture = 'a'.repeat(5 * 1024 * 1024);
  const completed = named('response.completed', { response: { output: [{ result: picture }], usage } });
  for (const event of [completed, completed.slice(completed.indexOf('data:'))]) {
    const { marks, error } = looked([event], 'responses');
    assert.deepEqual([marks.isComplete(), error, marks.usage()?.total_tokens], [true, undefined, 5]);
  }
  const created = named('response.in_progress', { response: { instructions: picture } });
  assert.ok(!looked([created], 'responses').marks.isComplete());
});
