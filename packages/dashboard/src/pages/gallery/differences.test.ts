import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingRows, wordsOf } from './differences.ts';

test('settings stand side by side, and those that differ say so', () => {
  const rows = settingRows([
    { Model: 'a', Seed: 1, Style: undefined },
    { Model: 'a', Seed: 2, Quality: 'high' },
  ]);
  assert.deepEqual(rows, [
    { name: 'Model', values: ['a', 'a'], differs: false },
    { name: 'Seed', values: ['1', '2'], differs: true },
    { name: 'Quality', values: ['–', 'high'], differs: true },
  ]);
});

const own = (prompts: readonly string[]) =>
  wordsOf(prompts).map((words) => words.filter(({ isOwn }) => isOwn).map(({ text }) => text));

test('of prompts the words are shown that not all of them have', () => {
  assert.deepEqual(own(['a red fox in the snow', 'a red fox in the deep snow']), [[], ['deep']]);
  assert.deepEqual(own(['a red fox', 'a blue fox', 'a red owl']), [
    ['red', 'fox'],
    ['blue', 'fox'],
    ['red', 'owl'],
  ]);
  assert.deepEqual(own(['fox and owl', 'owl and fox'])[0]?.length, 2);
  assert.deepEqual(own(['the same', 'the  same']), [[], []]);
});

test('very long prompts are compared too, in time', () => {
  const long = Array.from({ length: 5_000 }, (_, index) => `word${index}`).join(' ');
  assert.deepEqual(own([long, `${long} more`]), [[], ['more']]);
});
