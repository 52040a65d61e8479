import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffLine, diffOf } from './rewrite.ts';
import { changesBetween } from './word-changes.ts';

const shown = (before: string, after: string) => diffLine(diffOf(before, changesBetween(before, after)));

test('what changed is shown word by word', () => {
  assert.deepEqual(changesBetween('a knight with a gun', 'a knight with a toy'), [{ from: 'gun', to: 'toy', at: 16 }]);
  assert.equal(shown('a knight', 'a knight, smiling'), 'a knight{+, smiling+}');
  assert.equal(shown('a gory, dark mask', 'a dark mask'), 'a [-gory, -]dark mask');
  assert.deepEqual(changesBetween('a fox', 'a fox'), []);
});

test('words that changed side by side are one piece', () => {
  assert.equal(
    shown('the dangerous weapon shines', 'the wooden toy shines'),
    'the [-dangerous weapon-]{+wooden toy+} shines',
  );
});

test('the pieces make up both texts, whatever they are', () => {
  const word = fc.constantFrom('a', 'gory', 'fox', ',', ' ', '\n', '😀', 'Ä́', '.', '漢字');
  const text = fc.array(word, { maxLength: 30 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), fc.oneof(text, fc.string()), (before, after) => {
      const pieces = diffOf(before, changesBetween(before, after));
      const without = (kind: string) =>
        pieces
          .filter((piece) => piece.kind !== kind)
          .map(({ text: shownText }) => shownText)
          .join('');
      assert.equal(without('added'), before);
      assert.equal(without('removed'), after);
    }),
  );
});

test('texts too long to compare word by word are one change between what they share', () => {
  const words = (word: string) => Array.from({ length: 3_000 }, (_, index) => `${word}${index}`).join(' ');
  const [before, after] = [`start ${words('a')} end`, `start ${words('b')} end`];
  const started = performance.now();
  assert.equal(changesBetween(before, after).length, 1);
  assert.ok(performance.now() - started < 500);
});
