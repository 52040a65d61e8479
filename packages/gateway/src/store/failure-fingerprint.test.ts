import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { failureFingerprint, normalised } from './failure-fingerprint.ts';

const BASE = { target: 'openai/gpt-image-1', kind: 'throttled', code: 'rate_limit_exceeded' } as const;

test('what changes each time is replaced by a word', () => {
  for (const [message, expected] of [
    ['Rate limit: Limit 5, Used 5. Try again in 12.5s.', 'rate limit: limit <n>, used <n>. try again in <n>s.'],
    ['Request req_011CSHoEeqs5C35K failed', 'request <id> failed'],
    ['id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 not found', 'id <id> not found'],
    ['hash deadbeef00112233 differs', 'hash <id> differs'],
    ['Unknown size "1024x1024" or \'2048x2048\'', 'unknown size <value> or <value>'],
    ["The server didn't answer; it doesn't know why", "the server didn't answer; it doesn't know why"],
    ['See https://api.test/v1/a?b=1#c for more', 'see <url> for more'],
    ['resets at 2026-11-21T14:00:00.123Z exactly', 'resets at <time> exactly'],
    ['down since  2026-11-21\n14:00', 'down since <time> <n>'],
    ['no such-long-word here', 'no such-long-word here'],
  ] as const) {
    assert.equal(normalised(message), expected);
  }
});

test('failures are the same but for what changes, and others are not', () => {
  const one = failureFingerprint({ ...BASE, message: 'Limit 5, try again in 12s (req_abc123def)' });
  assert.match(one, /^[0-9a-f]{16}$/);
  assert.equal(failureFingerprint({ ...BASE, message: 'Limit 7, try again in 3s (req_xyz987uvw)' }), one);
  for (const other of [
    { ...BASE, message: 'Something else' },
    { ...BASE, target: 'bfl/flux', message: 'Limit 5, try again in 12s (req_abc123def)' },
    { ...BASE, kind: 'quota', message: 'Limit 5, try again in 12s (req_abc123def)' } as const,
    { ...BASE, code: 'x', message: 'Limit 5, try again in 12s (req_abc123def)' },
  ]) {
    assert.notEqual(failureFingerprint(other), one);
  }
});

test('what stands in two fields is not what stands in one', () => {
  assert.notEqual(
    failureFingerprint({ kind: 'server', code: 'a', message: 'b' }),
    failureFingerprint({ kind: 'server', code: 'a b', message: '' }),
  );
});

test('any words have a fingerprint, whatever number stands in them', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.nat(), fc.nat(), (text, one, other) => {
      const of = (count: number) => failureFingerprint({ ...BASE, message: `${text} ${count} left` });
      assert.equal(of(one), of(other));
    }),
  );
});
