import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyFor } from './press.ts';

test('a press that got no answer keeps its key for the same form, and for no other', () => {
  let drawn = 0;
  const draw = () => {
    drawn += 1;
    return `key-${drawn}`;
  };
  const first = keyFor('a', undefined, draw);
  assert.equal(keyFor('a', first, draw).key, first.key, 'it may have arrived: the same one again');
  assert.notEqual(keyFor('b', first, draw).key, first.key, 'another wish is another request');
  const answered = { ...first, isAnswered: true };
  assert.notEqual(
    keyFor('a', answered, draw).key,
    first.key,
    'who presses again after an answer wants another picture',
  );
});
