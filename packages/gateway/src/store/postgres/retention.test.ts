import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseExpired } from './retention.ts';

function row(number: number, hash: string | null, references = 1) {
  return { number, id: `g${number}`, createdAt: number, hash, bytes: hash && 10, references };
}

test('the oldest go until the rest fits, and a shared asset counts with the last that refers to it', () => {
  const rows = [row(1, 'a', 2), row(1, 'b'), row(2, 'a', 2), row(3, 'c'), row(4, null)];
  const chosen = (excessBytes: number) => chooseExpired(rows, { createdBefore: 0, excessBytes, limit: 10 }).numbers;
  assert.deepEqual(chosen(0), []);
  assert.deepEqual(chosen(1), [1]);
  assert.deepEqual(chosen(10), [1]);
  assert.deepEqual(chosen(11), [1, 2]);
  assert.deepEqual(chosen(30), [1, 2, 3]);
});

test('what is too old goes whatever fits, with every asset that may be left', () => {
  const rows = [row(1, 'a', 5), row(2, null), row(3, 'b')];
  const { numbers, ids, hashes } = chooseExpired(rows, { createdBefore: 3, excessBytes: 0, limit: 10 });
  assert.deepEqual([numbers, ids, hashes], [[1, 2], ['g1', 'g2'], ['a']]);
});
