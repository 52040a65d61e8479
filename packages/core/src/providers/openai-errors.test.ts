import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureKind } from '../failure.ts';
import type { JsonValue } from '../json.ts';
import { classifyOpenai } from './openai-errors.ts';

function classify(status: number, error: JsonValue) {
  return classifyOpenai({ status, headers: {}, body: { error }, text: '' });
}

test('the code decides before the type: image_generation_user_error is both moderation and a bad size', () => {
  const type = 'image_generation_user_error';
  assert.equal(classify(400, { type, code: 'moderation_blocked' })?.kind, 'policy');
  assert.equal(classify(400, { type, code: 'invalid_value' }), undefined);
});

test('where the code says nothing the type decides', () => {
  assert.equal(classify(429, { type: 'insufficient_quota', code: 'a_new_code' })?.kind, 'quota');
});

test('the statuses that lose a verdict are left to the status table, whatever a proxy wrote into the envelope', () => {
  for (const status of [408, 409, 502, 504]) {
    for (const code of ['insufficient_quota', 'rate_limit_exceeded', 'model_not_found', 'server_error']) {
      const message = 'Quota: 5 requests per minute; the model was retired';
      assert.equal(classify(status, { code, message }), undefined, `${status} ${code}`);
    }
  }
});

test('an error envelope without known words is left to its status, and inside a 200 is a failure', () => {
  assert.equal(classify(400, { message: 'no' }), undefined);
  assert.equal(classify(200, { message: 'no' })?.kind, 'server');
  assert.equal(classify(200, { param: 'x' })?.message, 'the provider gave no message');
});

test('an answer without an error is none', () => {
  for (const body of [null, [], 'text', 7, { data: [] }, { error: null }, { error: 7 }, { error: {} }, { error: '' }]) {
    assert.equal(classifyOpenai({ status: 200, headers: {}, body, text: '' }), undefined);
  }
});

const words: readonly (readonly [string, FailureKind, string | undefined])[] = [
  ['Rate limit reached for images per minute', 'throttled', 'images'],
  ['Limit 5 / min on input-images', 'throttled', 'images'],
  ['on tokens per min (TPM): Limit 30000', 'throttled', 'tokens'],
  ['Too many concurrent requests', 'throttled', 'concurrency'],
  ['Limit 3 requests per min', 'throttled', 'requests'],
  ['Slow down', 'throttled', undefined],
];

for (const [message, kind, throttle] of words) {
  test(`a limit in words: ${message}`, () => {
    const reading = classify(429, { message, code: 'rate_limit_exceeded' });
    assert.equal(reading?.kind, kind);
    assert.equal(reading?.throttle, throttle);
  });
}

test('a quota whose reset is a minute away is a rate limit; one of a month is not', () => {
  const code = 'insufficient_quota';
  assert.equal(classify(429, { code, message: 'Quota of 10 requests per minute exceeded' })?.kind, 'throttled');
  assert.equal(classify(429, { code, message: 'Please try again in 12s' })?.kind, 'throttled');
  assert.equal(classify(429, { code, message: 'You exceeded your monthly quota' })?.kind, 'quota');
});

test('a refusal says whether it came before or after the work, where its words do', () => {
  const code = 'moderation_blocked';
  assert.equal(classify(400, { code, message: 'The generated image was blocked' })?.stage, 'output');
  assert.equal(classify(400, { code, message: 'Your prompt was blocked' })?.stage, 'input');
  assert.equal(classify(400, { code, message: 'Blocked' })?.stage, undefined);
});
