import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toldHeaders } from './told-headers.ts';

test('what tells of limits, of the request and of what was between is kept', () => {
  const telling = {
    'x-request-id': 'req_1',
    'x-amzn-requestid': 'r-2',
    'apim-request-id': 'r-3',
    'cf-ray': '8f1-FRA',
    'retry-after': '20',
    'retry-after-ms': '20000',
    'x-should-retry': 'true',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-reset-tokens': '6m0s',
    'x-ratelimit-limit-tokens': '150000',
    'anthropic-ratelimit-input-tokens-reset': '2026-11-21T10:00:00Z',
    'ratelimit-policy': '"burst";q=100;w=60',
    'content-type': 'application/json',
    date: 'Sat, 21 Nov 2026 10:00:00 GMT',
    'openai-processing-ms': '812',
    'openai-version': '2020-10-01',
    'x-envoy-upstream-service-time': '815',
    server: 'cloudflare',
    via: '1.1 proxy',
    sunset: 'Sat, 31 Oct 2026 23:59:59 GMT',
  };
  assert.deepEqual(toldHeaders(telling), telling);
});

test('cookies, what may be a secret, and what nobody listed is not', () => {
  const silent = {
    'set-cookie': '__cf_bm=abc',
    authorization: 'Bearer sk-1',
    'x-auth-request-id': '1',
    'x-api-key-ratelimit-limit': '1',
    'openai-session-token': 'abc',
    'openai-secret': 'abc',
    'x-ratelimit-tokens': 'sk-canary-1234567890',
    'x-ratelimit-token-limit': '5',
    location: 'https://blob/x?sig=1',
    'x-custom': 'value',
  };
  assert.equal(toldHeaders(silent), undefined);
  assert.equal(toldHeaders({}), undefined);
});

test('a value is redacted, made one line and cut', () => {
  assert.deepEqual(toldHeaders({ server: 'sk-live-abcdefghijkl of <b>mine</b>' }), { server: '[redacted] of mine' });
  assert.deepEqual(toldHeaders({ via: `${'ab '.repeat(300)}` })?.via?.length, 200);
  assert.equal(toldHeaders({ server: ' ' }), undefined);
});

test('of too many the most telling are kept', () => {
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`openai-${'abcdefgh'[index % 8]}${'x'.repeat(index)}`, 'y'.repeat(30)]),
  );
  const kept = toldHeaders({ ...many, 'x-request-id': 'req_1', 'retry-after': '3' });
  assert.deepEqual(Object.keys(kept ?? {}).slice(0, 2), ['x-request-id', 'retry-after']);
});

test('any answer’s headers stay within 24 names, 200 characters a value and 1 KiB together, and hold no key', () => {
  const names = fc.oneof(
    fc.constantFrom('x-request-id', 'server', 'via', 'date', 'x-ratelimit-limit', 'x-ratelimit-limit-tokens'),
    fc.stringMatching(/^openai-[a-z-]{1,40}$/),
    fc.stringMatching(/^[a-z]{1,9}(-[a-z]{1,9}){0,4}$/),
  );
  const values = fc.oneof(fc.string({ maxLength: 400 }), fc.constant('sk-canary0123456789'), fc.constant('12'));
  const headers = fc.dictionary(names, values, { maxKeys: 60 });
  fc.assert(
    fc.property(headers, (given) => {
      const kept = toldHeaders({ ...given }) ?? {};
      assert.ok(Object.keys(kept).length <= 24);
      assert.ok(JSON.stringify(kept).length <= 1_100);
      for (const [name, value] of Object.entries(kept)) {
        assert.ok(value.length <= 200);
        assert.ok(!value.includes('canary'), value);
        assert.ok(!/auth|key|secret|cookie|password/.test(name), name);
        if (name.includes('token')) assert.match(value, /^[\d.smhdTZ:-]+$/);
      }
    }),
  );
});
