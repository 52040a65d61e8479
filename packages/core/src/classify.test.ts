import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completeFailure, failureOf, presentable, transportFailure } from './classify.ts';
import type { Certainty, FailureKind } from './failure.ts';
import type { HttpResponse } from './http.ts';
import { TransportError, type WirePhase } from './io.ts';
import type { JsonValue } from './json.ts';
import { openaiCompatible } from './providers/openai.ts';

const NOW = 1_000_000;
/** An adapter that leaves everything to the shared table. */
const silent = { ...openaiCompatible, classify: () => undefined };

function answer(status: number, body?: JsonValue, headers: Record<string, string> = {}, text = ''): HttpResponse {
  return { status, headers, body, text };
}

const statuses: readonly (readonly [number, FailureKind | undefined, Certainty?])[] = [
  [200, undefined],
  [201, undefined],
  [302, 'network', 'rejected'],
  [400, 'invalid', 'rejected'],
  [401, 'authentication', 'rejected'],
  [402, 'billing', 'rejected'],
  [403, 'permission', 'rejected'],
  [404, 'not_found', 'rejected'],
  [408, 'timeout', 'ambiguous'],
  [409, 'server', 'ambiguous'],
  [410, 'retired', 'rejected'],
  [413, 'too_large', 'rejected'],
  [418, 'invalid', 'rejected'],
  [421, 'overloaded', 'rejected'],
  [422, 'invalid', 'rejected'],
  [425, 'overloaded', 'rejected'],
  [429, 'throttled', 'rejected'],
  [500, 'server', 'failed'],
  [502, 'server', 'ambiguous'],
  [503, 'server', 'ambiguous'],
  [504, 'server', 'ambiguous'],
  // A network before the provider lost it; whatever the envelope, it is not the provider's.
  [524, 'server', 'ambiguous'],
  [529, 'overloaded', 'rejected'],
];

for (const [status, kind, certainty] of statuses) {
  test(`${status} in an error envelope: ${kind ?? 'no failure'} ${certainty ?? ''}`, () => {
    const body = status < 300 ? { data: [] } : { error: { message: 'words' } };
    const failure = failureOf(silent, answer(status, body), NOW);
    assert.deepEqual([failure?.kind, failure?.certainty], [kind, certainty]);
  });
}

test('a 5xx outside the error envelope is nobody’s verdict', () => {
  for (const status of [500, 501, 502, 503, 504, 520, 524, 599]) {
    assert.equal(failureOf(silent, answer(status, undefined, {}, '<h1>oops</h1>'), NOW)?.certainty, 'ambiguous');
  }
});

test('a 2xx that is not JSON is not the provider’s answer', () => {
  const failure = failureOf(silent, answer(200, undefined, { 'content-type': 'text/html' }), NOW);
  assert.equal(failure?.certainty, 'ambiguous');
  assert.match(failure?.message ?? '', /text\/html/);
});

test('hints are read for throttles and overloads, from headers, body and words', () => {
  const of = (response: HttpResponse) => failureOf(silent, response, NOW)?.notBefore;
  assert.equal(of(answer(429, {}, { 'retry-after': '3' })), NOW + 3_000);
  assert.equal(of(answer(529, {}, { 'retry-after-ms': '250' })), NOW + 250);
  assert.equal(of(answer(429, { error: { message: 'Please try again in 51.84s' } })), NOW + 51_840);
  assert.equal(of(answer(429, {}, { 'x-ratelimit-reset-requests': '6m0s' })), NOW + 360_000);
  assert.equal(of(answer(400, {}, { 'retry-after': '3' })), undefined);
});

test('an adapter’s reading goes before the shared table, and the table fills in the rest', () => {
  const response = answer(418, { error: { code: 'teapot', param: 'size' } }, { 'request-id': 'r1' });
  assert.deepEqual(completeFailure({ kind: 'server', message: 'm' }, response, NOW), {
    ...{ kind: 'server', certainty: 'failed', message: 'm', status: 418 },
    ...{ classifiedBy: 'status 418', code: 'teapot', param: 'size', requestId: 'r1' },
  });
});

const faults: readonly (readonly [WirePhase, string, boolean, FailureKind, Certainty])[] = [
  ['unsent', 'ECONNREFUSED', false, 'network', 'not_sent'],
  ['unsent', 'ECONNRESET', false, 'network', 'not_sent'],
  ['unsent', 'CONNECT_TIMEOUT', false, 'timeout', 'not_sent'],
  ['unsent', 'CERT_HAS_EXPIRED', true, 'certificate', 'not_sent'],
  ['sent', 'ECONNRESET', false, 'network', 'ambiguous'],
  ['answering', 'ECONNRESET', false, 'network', 'ambiguous'],
];

for (const [phase, code, certificate, kind, certainty] of faults) {
  test(`${code} while ${phase}: ${kind}, ${certainty}`, () => {
    const failure = transportFailure(new TransportError(phase, code, 'words', { certificate }), 10_000);
    assert.deepEqual([failure.kind, failure.certainty], [kind, certainty]);
  });
}

const keys = ['sk-proj-AbCdEfGh12345678', 'r8_0123456789abcdef', 'hf_ABCDEFGHIJKLMNOP', 'gsk_0123456789abcdefgh'];

test('keys do not survive presentation', () => {
  for (const key of [...keys, 'AIzaSyA1234567890abcdefghijklmnopqrstu']) {
    assert.ok(!presentable(`the key ${key} is wrong`).includes(key.slice(4)), key);
  }
  assert.equal(presentable('Authorization: Bearer abc.def-ghi'), 'Authorization: [redacted]');
});

test('base64 does not survive presentation: plain, wrapped in lines, or short in a data URL', () => {
  const bytes = Buffer.from(Array.from({ length: 600 }, (_, index) => (index * 7919) % 256));
  const base64 = bytes.toString('base64');
  const wrapped = base64.replaceAll(/(.{76})/g, '$1\n');
  for (const text of [base64, wrapped, bytes.toString('base64url'), `data:image/png;base64,${base64.slice(0, 40)}`]) {
    const shown = presentable(`it said ${text}`);
    assert.ok(!/[A-Za-z0-9+/_-]{30,}/.test(shown), shown);
  }
});

test('markup goes, and what is left is bounded and on one line', () => {
  assert.equal(presentable('<html><style>b{}</style>\n<h1>504</h1> Gateway\tTime-out</html>'), '504 Gateway Time-out');
  assert.ok(presentable('word '.repeat(100_000)).length <= 500);
});

test('presentation of any text is bounded, stable and holds no key put into it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(...keys), fc.string(), (before, key, after) => {
      const shown = presentable(`${before} ${key} ${after}`);
      assert.ok(shown.length <= 500 && !shown.includes(key));
    }),
  );
});

test('hostile markup takes no noticeable time', () => {
  const started = performance.now();
  presentable('<script'.repeat(50_000));
  presentable(`${'A'.repeat(59)} `.repeat(20_000));
  assert.ok(performance.now() - started < 500);
});

test('every short field a provider fills is held to the same rule', () => {
  const secret = 'sk-proj-AbCdEfGh12345678';
  const error = { message: secret, code: `bad ${secret}`, param: secret, type: secret };
  const failure = failureOf(openaiCompatible, answer(400, { error }, { 'x-request-id': `r ${secret}` }), NOW);
  assert.ok(!JSON.stringify(failure).includes(secret), JSON.stringify(failure));
  const long = failureOf(openaiCompatible, answer(400, { error: { code: 'x '.repeat(10_000) } }), NOW);
  assert.ok(JSON.stringify(long).length < 4_000);
});
