import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileName } from './download.ts';

test('a file is named after its prompt, and tells itself from others of the same', () => {
  const hash = `1a2b3c4d${'0'.repeat(56)}`;
  const named = (prompt: string, type = 'png') => fileName({ prompt, hash, type });
  assert.equal(named('A red fox, in the snow / at dawn!'), 'a-red-fox-in-the-snow-1a2b3c4d.png');
  assert.equal(named('../../é 狐', 'jpeg'), 'é-狐-1a2b3c4d.jpg');
  assert.equal(named('!!'), '1a2b3c4d.png');
});
