import assert from 'node:assert/strict';
import { test } from 'node:test';
import { href, placeOf } from './router.ts';

test('an address is read as it was written', () => {
  const place = placeOf(href('generations', 'gen_1/ä', { text: 'red fox & co', status: undefined }));
  assert.deepEqual([place.page, place.rest, place.query.get('text')], ['generations', 'gen_1/ä', 'red fox & co']);
  assert.equal(place.query.has('status'), false);
});

test('without a place there is none', () => {
  for (const hash of ['', '#', '#/']) assert.deepEqual([placeOf(hash).page, placeOf(hash).rest], ['', '']);
});
