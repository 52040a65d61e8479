import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUploads } from './uploads.ts';

test('what was opened takes bytes and gives them back, each protocol its own', () => {
  const uploads = createUploads();
  const name = uploads.open('fal');
  assert.equal(uploads.get('fal', name), undefined);
  assert.equal(uploads.put('leonardo', name, Buffer.from('x')), false);
  assert.equal(uploads.put('fal', name, Buffer.from('x')), true);
  assert.deepEqual(uploads.get('fal', name), Buffer.from('x'));
});

test('the oldest go first where there are too many or they are too large', () => {
  const uploads = createUploads();
  const first = uploads.open('fal');
  uploads.put('fal', first, Buffer.from('x'));
  for (let count = 0; count < 200; count++) uploads.open('fal');
  assert.equal(uploads.get('fal', first), undefined);
  const names = [1, 2, 3].map(() => uploads.open('fal'));
  for (const name of names) uploads.put('fal', name, Buffer.alloc(60 * 1024 * 1024));
  assert.deepEqual(
    names.map((name) => uploads.get('fal', name) === undefined),
    [true, false, false],
  );
});
