import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sidesOf } from './sides.ts';

test('a size of pixels has two sides, and any other word has none', () => {
  assert.deepEqual(sidesOf('1024x768'), { width: 1024, height: 768 });
  for (const size of [undefined, '', 'auto', '1024', '1024x', 'x768', '-1x2', '1.5x2', '1024x768x2', ' 1x1', '16:9'])
    assert.equal(sidesOf(size), undefined, String(size));
});
