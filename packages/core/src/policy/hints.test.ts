import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../json.ts';
import { readHint } from './hints.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);
const inSeconds = (seconds: number) => NOW + seconds * 1000;

/** [name, headers, body, text, seconds from now or undefined, source] */
type Row = readonly [string, Record<string, string>, JsonValue | undefined, string, number | undefined, string?];

const retryAfter: readonly Row[] = [
  ['integer seconds', { 'retry-after': '120' }, undefined, '', 120, 'retry-after'],
  ['zero', { 'retry-after': '0' }, undefined, '', 0],
  ['decimals', { 'retry-after': '1.5' }, undefined, '', 1.5],
  ['a duration', { 'retry-after': '34s' }, undefined, '', 34],
  ['IMF-fixdate', { 'retry-after': 'Sat, 21 Nov 2026 12:00:45 GMT' }, undefined, '', 45],
  ['RFC 850', { 'retry-after': 'Saturday, 21-Nov-26 12:00:45 GMT' }, undefined, '', 45],
  ['asctime', { 'retry-after': 'Sat Nov 21 12:00:45 2026' }, undefined, '', 45],
  ['asctime, one digit', { 'retry-after': 'Tue Dec  1 12:00:00 2026' }, undefined, '', 10 * 86_400],
  ['RFC 3339', { 'retry-after': '2026-11-21T12:00:45Z' }, undefined, '', 45],
  ['an epoch', { 'retry-after': String(inSeconds(45) / 1000) }, undefined, '', 45],
  ['a past date', { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT' }, undefined, '', 0],
  ['RFC 850 of the last century', { 'retry-after': 'Sunday, 06-Nov-94 08:49:37 GMT' }, undefined, '', 0],
  [
    'skewed clock',
    { 'retry-after': 'Sat, 21 Nov 2026 11:30:45 GMT', date: 'Sat, 21 Nov 2026 11:30:00 GMT' },
    undefined,
    '',
    45,
  ],
  ['a date and seconds', { 'retry-after': 'Sat, 21 Nov 2026 13:00:00 GMT, 45' }, undefined, '', 45],
  ['repeated seconds', { 'retry-after': '60, 30' }, undefined, '', 60],
  ['garbage', { 'retry-after': 'garbage' }, undefined, '', undefined],
  ['no date', { 'retry-after': 'Invalid Date GMT' }, undefined, '', undefined],
  ['a day that is none', { 'retry-after': 'Sat, 41 Nov 2026 12:00:45 GMT' }, undefined, '', undefined],
  ['a month that is none', { 'retry-after': 'Sat, 21 Foo 2026 12:00:45 GMT' }, undefined, '', undefined],
  ['negative', { 'retry-after': '-5' }, undefined, '', undefined],
  ['infinite', { 'retry-after': '1e999' }, undefined, '', undefined],
  ['a century', { 'retry-after': '999999999' }, undefined, '', 365 * 86_400],
  ['milliseconds', { 'retry-after-ms': '1500' }, undefined, '', 1.5, 'retry-after-ms'],
  ['Azure milliseconds', { 'x-ms-retry-after-ms': '250' }, undefined, '', 0.25, 'x-ms-retry-after-ms'],
  ['AWS milliseconds', { 'x-amz-retry-after': '1500' }, undefined, '', 1.5, 'x-amz-retry-after'],
  ['milliseconds win', { 'retry-after-ms': '1500', 'retry-after': '9' }, undefined, '', 1.5, 'retry-after-ms'],
  ['unless unreadable', { 'retry-after-ms': 'soon', 'retry-after': '9' }, undefined, '', 9, 'retry-after'],
];

const retryInfo = (retryDelay: string) => ({
  error: { code: 429, details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }] },
});

const bodies: readonly Row[] = [
  ['RetryInfo', {}, retryInfo('22s'), '', 22, 'RetryInfo'],
  ['RetryInfo, decimals', {}, retryInfo('34.074824224s'), '', 34.074824224],
  ['RetryInfo in a list', {}, [retryInfo('22s')], '', 22],
  ['retry_after', {}, { retry_after: 7 }, '', 7, 'retry_after'],
  ['retry_after in error', {}, { error: { retry_after: '7.5' } }, '', 7.5],
  ['retry_after below the header', { 'retry-after': '9' }, { retry_after: 7 }, '', 9],
  ['retry_after that is no number', {}, { retry_after: { seconds: 7 } }, '', undefined],
  ['the message', {}, { error: { message: 'Please try again in 51.84s. Visit the docs.' } }, '', 51.84, 'prose'],
  ['problem detail', {}, { detail: 'Request was throttled. Your rate limit resets in ~30s.' }, '', 30],
  ['a string error', {}, { error: 'Please retry after 6 seconds.' }, '', 6],
  ['milliseconds', {}, undefined, 'Please try again in 20ms.', 0.02],
  ['minutes and seconds', {}, undefined, 'try again in 6m0s', 360],
  ['long units', {}, undefined, 'Please try again in 1 hour and 5 minutes', 3900],
  ['wait for', {}, undefined, 'Please wait 2 minutes before the next call', 120],
  ['a word that begins like a unit', {}, undefined, 'try again in 3 months', undefined],
  ['no number', {}, undefined, 'try again in a moment', undefined],
  ['RetryInfo before prose', {}, retryInfo('22s'), 'try again in 5s', 22],
];

const exhausted = (reset: string) => ({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': reset });

const resets: readonly Row[] = [
  ['Go duration', exhausted('6m0s'), undefined, '', 360, 'x-ratelimit-reset-requests'],
  ['Go milliseconds', exhausted('20ms'), undefined, '', 0.02],
  ['Go fraction', exhausted('2m59.56s'), undefined, '', 179.56],
  ['Go hours', exhausted('1h0m0s'), undefined, '', 3600],
  ['seconds', exhausted('60'), undefined, '', 60],
  ['epoch seconds', exhausted(String(inSeconds(60) / 1000)), undefined, '', 60],
  ['epoch milliseconds', exhausted(String(inSeconds(60))), undefined, '', 60],
  [
    'something remains',
    { 'x-ratelimit-remaining-tokens': '5', 'x-ratelimit-reset-tokens': '60' },
    undefined,
    '',
    undefined,
  ],
  ['nothing known to remain', { 'x-ratelimit-reset': '60' }, undefined, '', undefined],
  ['without a dimension', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' }, undefined, '', 60],
  ['the draft’s name', { 'ratelimit-remaining': '0', 'ratelimit-reset': '60' }, undefined, '', 60],
  [
    'RFC 3339 in the middle',
    { 'anthropic-ratelimit-requests-remaining': '0', 'anthropic-ratelimit-requests-reset': '2026-11-21T12:01:00Z' },
    undefined,
    '',
    60,
  ],
  [
    'the latest of two',
    { ...exhausted('5s'), 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '9s' },
    undefined,
    '',
    9,
  ],
  ['prose is nearer', exhausted('6m0s'), undefined, 'try again in 12s', 12],
  ['garbage', exhausted('soon'), undefined, '', undefined],
];

for (const [group, rows] of Object.entries({ retryAfter, bodies, resets })) {
  for (const [name, headers, body, text, seconds, source] of rows) {
    test(`${group}: ${name}`, () => {
      const hint = readHint(headers, body, text, NOW);
      const waitMs = hint && hint.notBefore - NOW;
      if (seconds === undefined) assert.equal(hint, undefined);
      else assert.ok(waitMs !== undefined && Math.abs(waitMs - seconds * 1000) < 0.01, `waits ${waitMs} ms`);
      if (source !== undefined) assert.equal(hint?.source, source);
    });
  }
}

test('a throttled answer that names no exhausted limit takes the earliest reset', () => {
  const headers = { 'x-ratelimit-reset-requests': '8s', 'x-ratelimit-reset-tokens': '3s' };
  assert.equal(readHint(headers, undefined, '', NOW), undefined);
  assert.deepEqual(readHint(headers, undefined, '', NOW, true), {
    notBefore: inSeconds(3),
    source: 'x-ratelimit-reset-tokens',
    throttle: 'tokens',
  });
});

test('the throttle is named by the exhausted header or by the words', () => {
  const message = 'Rate limit reached for images per min (IPM): Limit 5, Used 5. Please try again in 12s.';
  assert.equal(readHint({}, { error: { message } }, '', NOW)?.throttle, 'images');
  assert.equal(
    readHint({ 'retry-after': '3' }, { detail: 'Too many concurrent jobs' }, '', NOW)?.throttle,
    'concurrency',
  );
  assert.equal(readHint(exhausted('5s'), undefined, '', NOW)?.throttle, 'requests');
  assert.equal(readHint({ 'retry-after': '3' }, undefined, 'slow down', NOW)?.throttle, undefined);
});

const HEADER_NAMES = ['retry-after-ms', 'retry-after', 'date', 'x-ratelimit-reset', 'x-ratelimit-remaining'];
const hostile = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[\d.,:a-zµ~ +-]{0,40}$/),
  fc.double().map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  fc.constantFrom(
    '0',
    '9'.repeat(400),
    'try again in 999999999999999d',
    'NaN',
    '0x10',
    '1e309',
    'Sat Nov 31 99:99:99 9999',
  ),
);

test('whatever a provider writes, a hint is absent or between now and a year from now', () => {
  const headers = fc.dictionary(fc.constantFrom(...HEADER_NAMES), hostile);
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ error: fc.record({ message: hostile, retry_after: fc.jsonValue() }) }),
  );
  const now = fc.integer({ min: 0, max: 4e12 });
  fc.assert(
    fc.property(headers, body, hostile, now, fc.boolean(), (heads, json, text, at, throttled) => {
      const hint = readHint(heads, json as JsonValue, text, at, throttled);
      if (hint === undefined) return;
      assert.ok(Number.isFinite(hint.notBefore) && hint.notBefore >= at && hint.notBefore <= at + 365 * 86_400_000);
    }),
    { numRuns: 1000 },
  );
});

test('a long hostile text is read in linear time', () => {
  const text = `${'try again in 1m1s1m1s1m1s1m '.repeat(3000)}x`;
  const spaces = `try again in ${' '.repeat(65_000)}`;
  const startedAt = performance.now();
  readHint({ 'retry-after': '1,'.repeat(30_000) }, { error: { message: spaces } }, text, NOW);
  assert.ok(performance.now() - startedAt < 500);
});
