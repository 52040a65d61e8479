import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FAILURES, type Failure } from '../failure.ts';
import type { JsonObject } from '../json.ts';
import { openaiCompatible } from '../providers/openai.ts';
import { errorIn, errorOf, toldFailure } from './told-failure.ts';

const told = (error: JsonObject, headers: Record<string, string> = {}): Failure =>
  toldFailure(openaiCompatible, error, { status: 200, headers }, 1_000);

const MEANINGS: readonly (readonly [JsonObject, Failure['kind'], Failure['certainty']])[] = [
  [{ message: 'm', type: 'tokens', code: 'rate_limit_exceeded' }, 'throttled', 'rejected'],
  [{ message: 'm', code: 429 }, 'throttled', 'rejected'],
  [{ message: 'm', code: '429' }, 'throttled', 'rejected'],
  [{ message: 'm', code: 429, status: 'RESOURCE_EXHAUSTED' }, 'throttled', 'rejected'],
  [{ message: 'm', status: 'RESOURCE_EXHAUSTED' }, 'throttled', 'rejected'],
  [{ message: 'm', type: 'rate_limit_error' }, 'throttled', 'rejected'],
  [{ message: 'm', code: 'Some resource has been exhausted' }, 'throttled', 'rejected'],
  [{ message: 'm', code: 'slow_down' }, 'throttled', 'rejected'],
  [{ message: 'You exceeded your current quota', code: 'insufficient_quota' }, 'quota', 'rejected'],
  [{ message: 'm', type: 'server_error' }, 'server', 'failed'],
  [{ message: 'm', type: 'InternalServerError', code: 500 }, 'server', 'failed'],
  [{ message: 'm', code: 502 }, 'server', 'failed'],
  [{ message: 'm' }, 'server', 'failed'],
  [{}, 'server', 'failed'],
  [{ message: 'm', code: 'vector_store_timeout' }, 'server', 'failed'],
  [{ message: 'm', type: 'overloaded_error' }, 'overloaded', 'rejected'],
  [{ message: 'm', code: 'server_is_overloaded' }, 'overloaded', 'rejected'],
  [{ message: 'm', code: 'engine_overloaded' }, 'overloaded', 'rejected'],
  [{ message: 'm', type: 'BadRequestError', code: 400, param: 'messages' }, 'invalid', 'rejected'],
  [{ message: 'm', code: 'context_length_exceeded' }, 'invalid', 'rejected'],
  [{ message: 'm', code: 'content_filter' }, 'policy', 'rejected'],
  [{ message: 'm', code: 'invalid_api_key' }, 'authentication', 'rejected'],
  [{ message: 'm', code: 'model_not_found' }, 'not_found', 'rejected'],
  [{ message: 'm', type: 'permission_error' }, 'permission', 'rejected'],
];

for (const [error, kind, certainty] of MEANINGS) {
  test(`${JSON.stringify(error)} means ${kind}`, () => {
    const failure = told(error);
    assert.deepEqual([failure.kind, failure.certainty], [kind, certainty]);
    assert.ok((failure.status ?? 0) >= 400, 'the status that it means');
    assert.match(failure.classifiedBy ?? '', /^error inside a 200, /);
  });
}

test('the words are the provider’s, and its hint counts', () => {
  const failure = told({ message: 'try again in 2s', code: 'rate_limit_exceeded' });
  assert.deepEqual([failure.message, failure.code], ['try again in 2s', 'rate_limit_exceeded']);
  assert.equal(failure.notBefore, 3_000);
  assert.equal(told({ message: 'slow', code: 429 }, { 'retry-after': '7' }).notBefore, 8_000);
  assert.equal(told({}).message, 'the provider told an error without a word of why');
});

test('every shape of an error is found, and what only looks like one is not', () => {
  const event = (value: JsonObject, name?: string) => errorIn({ name, value, text: JSON.stringify(value) });
  assert.deepEqual(event({ error: { message: 'm' } }), { message: 'm' });
  assert.deepEqual(event({ error: 'text' }), { message: 'text' });
  assert.deepEqual(event({ type: 'error', code: 'c', message: 'm' }), { type: 'error', code: 'c', message: 'm' });
  assert.deepEqual(event({ type: 'response.failed', response: { error: { code: 'c' } } }), { code: 'c' });
  assert.deepEqual(event({ message: 'm' }, 'error'), { message: 'm' });
  assert.deepEqual(errorIn({ name: 'error', value: undefined, text: 'plain' }), { message: 'plain' });
  for (const good of [{}, { error: null }, { error: {} }, { error: '' }, { choices: [{ error: { message: 'm' } }] }]) {
    assert.equal(event(good), undefined);
  }
  assert.equal(event({ type: 'response.created', response: { error: null } }), undefined);
  assert.deepEqual(errorOf({ object: 'response', status: 'failed', error: { code: 'c' } }), { code: 'c' });
  assert.equal(errorOf({ object: 'response', status: 'incomplete', error: null }), undefined);
});

test('any error is a failure that did not come from between us, whatever it holds', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('code', 'type', 'message', 'status', 'param', 'x'), fc.jsonValue()),
      (error) => {
        const failure = told(JSON.parse(JSON.stringify(error)));
        assert.ok(Object.hasOwn(FAILURES, failure.kind));
        assert.ok(failure.certainty !== 'ambiguous' || failure.kind === 'timeout', JSON.stringify(failure));
        assert.notEqual(failure.message, '');
      },
    ),
    { numRuns: 1_000 },
  );
});
