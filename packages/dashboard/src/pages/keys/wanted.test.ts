import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_DRAFT, expiriesFor, fieldAt, wantedOf } from './wanted.ts';

test('what was left empty is not asked for', () => {
  assert.deepEqual(wantedOf({ ...EMPTY_DRAFT, name: ' app ', allowUnknownPrice: true }), { name: 'app' });
});

test('every limit that was typed goes along', () => {
  const draft = { ...EMPTY_DRAFT, name: 'app', usd: '5', usdPer: 'month', images: '100', rpm: '60' } as const;
  assert.deepEqual(
    wantedOf({ ...draft, models: 'image-*, gpt-image-1\nflux', expires: 'week', allowUnknownPrice: true }),
    {
      ...{ name: 'app', budget: { usd: 5, per: 'month' }, images: { count: 100, per: 'day' }, rpm: 60 },
      ...{ models: ['image-*', 'gpt-image-1', 'flux'], expires_in_ms: 604_800_000, allow_unknown_price: true },
    },
  );
});

test('a key for pages never lives longer than such keys may', () => {
  const draft = { ...EMPTY_DRAFT, name: 'shop', use: 'browser', origins: 'https://shop.example' } as const;
  for (const expires of ['never', 'year', 'hour'] as const) {
    assert.deepEqual(wantedOf({ ...draft, expires }), {
      ...{ name: 'shop', expires_in_ms: 3_600_000, browser: { origins: ['https://shop.example'] } },
    });
  }
  assert.deepEqual(expiriesFor('browser'), ['hour', 'day']);
});

test('a refusal is shown at its field', () => {
  assert.deepEqual(['budget.usd', 'browser.origins', 'name', 'strange', undefined].map(fieldAt), [
    ...['usd', 'origins', 'name', undefined, undefined],
  ]);
});

test('what is no number is never taken for no limit', () => {
  const sent = JSON.parse(
    JSON.stringify(wantedOf({ ...EMPTY_DRAFT, name: 'app', rpm: 'ten', usd: '5 €', images: '1e999' })),
  );
  assert.deepEqual([sent.rpm, sent.budget.usd, sent.images.count], ['ten', '5 €', '1e999']);
});
