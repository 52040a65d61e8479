import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LimitReading, readLimits } from './limit-words.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

type Row = readonly [name: string, headers: Record<string, string>, text: string, expected: readonly LimitReading[]];

const words = (dimension: LimitReading['dimension'], limit: number, windowMs?: number, remaining?: number) => ({
  dimension,
  source: 'words' as const,
  limit,
  ...(windowMs !== undefined && { windowMs }),
  ...(remaining !== undefined && { remaining }),
});
const header = (reading: Omit<LimitReading, 'source'>): LimitReading => ({ ...reading, source: 'headers' });

const rows: readonly Row[] = [
  ['nothing', {}, '', []],
  [
    'images per minute, as OpenAI says it',
    {},
    'Rate limit reached for gpt-image-1 in organization org-x on input-images per min (IPM): Limit 5, Used 5, Requested 1. Please try again in 12s.',
    [words('images', 5, 60_000, 0)],
  ],
  [
    'with thousands',
    {},
    'on tokens per min (TPM): Limit 30,000, Used 29,000, Requested 2,000.',
    [words('tokens', 30_000, 60_000, 1_000)],
  ],
  [
    'per day',
    {},
    'on requests per day (RPD): Limit 200, Used 200, Requested 1.',
    [words('requests', 200, 86_400_000, 0)],
  ],
  [
    'without what was used',
    {},
    'on requests per min (RPM): Limit 5. Please try again in 12s.',
    [words('requests', 5, 60_000)],
  ],
  ['a window in seconds', {}, 'on images per 15s: Limit 30, Used 30, Requested 1.', [words('images', 30, 15_000, 0)]],
  ['a window as a duration', {}, 'on images per 1m0s: Limit 5, Used 5, Requested 1.', [words('images', 5, 60_000, 0)]],
  [
    'the count before',
    {},
    'Your rate limit for creating predictions is reduced to 6 requests per minute with a burst of 1',
    [words('requests', 6, 60_000)],
  ],
  [
    'a period',
    {},
    'You have exceeded the rate limit of 150 requests within a 10 second period, and have been timed out for 60 seconds.',
    [words('requests', 150, 10_000)],
  ],
  [
    'concurrency with numbers',
    {},
    'Too many concurrent requests for m. Limit 4, Used 4, Requested 1.',
    [words('concurrency', 4, undefined, 0)],
  ],
  ['a maximum in flight', {}, 'At most 10 concurrent requests are allowed', [words('concurrency', 10)]],
  ['concurrency without numbers', {}, 'Too many active tasks', []],
  ['a rate without numbers', {}, 'Rate limit reached for m. Please try again later.', []],
  [
    "Google's quota",
    {},
    '{"error":{"details":[{"violations":[{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaValue": "10"}]}]}}',
    [words('requests', 10, 60_000)],
  ],
  [
    'headers whose reset drains',
    {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '120ms',
    },
    '',
    [header({ dimension: 'requests', limit: 500, windowMs: 60_000, remaining: 499, resetAt: NOW + 120 })],
  ],
  [
    'headers of a day',
    {
      'x-ratelimit-limit-requests': '14400',
      'x-ratelimit-remaining-requests': '14370',
      'x-ratelimit-reset-requests': '2m59.56s',
    },
    '',
    [header({ dimension: 'requests', limit: 14_400, windowMs: 86_400_000, remaining: 14_370, resetAt: NOW + 179_560 })],
  ],
  [
    'headers whose reset is the window',
    { 'x-ratelimit-limit-images': '30', 'x-ratelimit-remaining-images': '29', 'x-ratelimit-reset-images': '15s' },
    '',
    [header({ dimension: 'images', limit: 30, windowMs: 15_000, remaining: 29, resetAt: NOW + 15_000 })],
  ],
  [
    'a reset that tells no window',
    { 'x-ratelimit-limit-tokens': '1000', 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '37s' },
    '',
    [header({ dimension: 'tokens', limit: 1_000, remaining: 0, resetAt: NOW + 37_000 })],
  ],
  [
    'the draft',
    { 'ratelimit-policy': '"burst";q=100;w=60, "c";q=4;qu="concurrent-requests"', ratelimit: '"burst";r=50;t=30' },
    '',
    [
      header({ dimension: 'requests', limit: 100, windowMs: 60_000, remaining: 50, resetAt: NOW + 30_000 }),
      header({ dimension: 'concurrency', limit: 4 }),
    ],
  ],
  [
    'garbage',
    { 'x-ratelimit-limit-requests': 'many', ratelimit: ';;=', 'ratelimit-policy': 'x;q=-1' },
    'per per Limit',
    [],
  ],
];

for (const [name, headers, text, expected] of rows) {
  test(`limits are read from ${name}`, () => assert.deepEqual(readLimits(headers, text, NOW), expected));
}

test('any answer reads, and every number is finite', () => {
  const names = fc.constantFrom(
    'x-ratelimit-limit-requests',
    'x-ratelimit-remaining-images',
    'x-ratelimit-reset-tokens',
    'ratelimit',
    'ratelimit-policy',
    'ratelimit-limit',
  );
  const pieces = fc.constantFrom(
    'images',
    ' per ',
    '60s',
    'Limit ',
    '5',
    ', used ',
    'minute',
    ';q=',
    ';w=',
    'concurrent ',
    '"',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.dictionary(names, text), text, (headers, said) => {
      for (const reading of readLimits(headers, said, NOW))
        for (const value of Object.values(reading)) assert.ok(typeof value === 'string' || Number.isFinite(value));
    }),
  );
});
