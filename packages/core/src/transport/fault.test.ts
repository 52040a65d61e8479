import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportError } from '../io.ts';
import { BodyReadError, deepestCode, transportError } from './fault.ts';

const coded = (code: unknown, cause?: unknown) => Object.assign(new Error(String(code), { cause }), { code });

test('the innermost code is the one that says something', () => {
  assert.equal(deepestCode(coded('UND_ERR_SOCKET', coded('ECONNRESET'))), 'ECONNRESET');
  assert.equal(deepestCode(coded('UND_ERR_SOCKET', new Error('without a code'))), 'UND_ERR_SOCKET');
  assert.equal(deepestCode(new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')])), 'ENETUNREACH');
  assert.equal(deepestCode(coded(20)), 'Error');
  assert.equal(deepestCode('thrown'), 'UNKNOWN');
});

test('a circle of causes ends', () => {
  const one = coded('ONE');
  one.cause = coded('TWO', one);
  assert.match(deepestCode(one), /^(ONE|TWO)$/);
});

test('a TransportError keeps its own phase, and our disk is not taken for the network', () => {
  const known = new TransportError('unsent', 'ABORTED', 'ended');
  assert.equal(transportError('answering', known), known);
  const read = new BodyReadError('gone', { cause: coded('ECONNRESET') });
  assert.equal(transportError('sent', read).code, 'BODY_READ');
  assert.equal(transportError('sent', read).cause, read);
});
