import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesAny } from './patterns.ts';

test('an asterisk stands for any characters, or none', () => {
  const cases: [string, string, boolean][] = [
    ['image-best', 'image-*', true],
    ['image-', 'image-*', true],
    ['my-image-best', 'image-*', false],
    ['openai/gpt-image-2', '*/gpt-image-*', true],
    ['openai/gpt-image-2', 'openai/*', true],
    ['aba', 'ab*ba', false],
    ['abba', 'ab*ba', true],
    ['anything', '*', true],
    ['', '*', true],
    ['a.c', 'abc', false],
    ['abc', 'a.c', false],
    ['Image-1', 'image-*', false],
    ['xayaz', '*a*a*', true],
    ['xay', '*a*a*', false],
    ['x', 'x**', true],
  ];
  for (const [name, pattern, expected] of cases)
    assert.equal(matchesAny(name, [pattern]), expected, `${name} ${pattern}`);
  assert.equal(matchesAny('b', ['a', 'b']), true);
  assert.equal(matchesAny('b', []), false);
});

test('it says what the regular expression would say', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  const names = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
  fc.assert(
    fc.property(names, letters, (name, pattern) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name);
      assert.equal(matchesAny(name, [pattern]), expected);
    }),
    { numRuns: 2_000 },
  );
});

test('the worst pattern takes no time', () => {
  const started = performance.now();
  assert.equal(matchesAny('a'.repeat(200), [`${'a*'.repeat(100)}b`]), false);
  assert.ok(performance.now() - started < 50);
});
