import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFailure } from '../testing/samples.ts';
import { chatErrorEvent, nextSequenceNumber } from './error-event.ts';

const FAILURE = sampleFailure('network', { certainty: 'ambiguous', message: 'a line\nand another' });
const OPTIONS = { sequenceNumber: 7, onetake: { kind: 'network' } };

function dataOf(event: string) {
  const [, data = ''] = /data: (.*)\n\n$/.exec(event) ?? [];
  return JSON.parse(data);
}

test('chat completions are told in OpenAI’s envelope, in one line of data', () => {
  const event = chatErrorEvent('chat/completions', FAILURE, OPTIONS);
  assert.match(event, /^data: [^\n]*\n\n$/);
  const error = { message: FAILURE.message, type: 'server_error', code: 'connection_lost', param: null };
  assert.deepEqual(dataOf(event), { error, onetake: OPTIONS.onetake });
});

test('responses are told by an error event that goes on counting', () => {
  const event = chatErrorEvent('responses', FAILURE, OPTIONS);
  assert.match(event, /^event: error\ndata: [^\n]*\n\n$/);
  const { type, code, message, param, sequence_number, error } = dataOf(event);
  assert.deepEqual([type, code, param, sequence_number], ['error', 'connection_lost', null, 7]);
  assert.deepEqual([message, error.message], [FAILURE.message, FAILURE.message]);
});

test('the number that follows is that of the last event, and 0 where there is none', () => {
  const events = 'data: {"sequence_number":3}\n\ndata: {"type":"x","sequence_number": 4,"delta":"\\"a\\""}\n\n';
  assert.equal(nextSequenceNumber(Buffer.from(events)), 5);
  assert.equal(nextSequenceNumber(Buffer.from('data: {"choices":[]}\n\n')), 0);
  assert.equal(nextSequenceNumber(undefined), 0);
});
