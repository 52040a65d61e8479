import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern, findPattern, prepareText } from './pattern.ts';
import { PatternError } from './pattern-syntax.ts';

const STEPS = 4_000_000;

function find(source: string, text: string): string | undefined {
  const found = findPattern(compilePattern(source), prepareText(text), { left: STEPS });
  assert.notEqual(found, 'exhausted');
  return typeof found === 'object' ? text.slice(found.start, found.end) : undefined;
}

test('it finds what a regular expression of JavaScript finds', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['gun|rifle', 'a rifle and a gun'],
    ['colou?r', 'the Color of money'],
    ['\\bcat\\b', 'concatenate the cat'],
    ['\\Bcat\\B', 'cat and concatenate'],
    ['a{2,4}', 'baaaaab'],
    ['a{2,4}?', 'baaaaab'],
    ['(?:ab|a)(?:c|bcd)', 'abcd'],
    ['x*y', 'xxxy'],
    ['[^a-z ]+', 'hello WORLD 42!'],
    ['[\\d-]{3,}', 'call 12-34 now'],
    ['^start', 'start again'],
    ['end$', 'the end of the end'],
    ['\\w+@\\w+\\.com', 'write to me@here.com please'],
    ['.+?b', 'aabab'],
    ['(a|ab)(c|bcd)(d*)', 'abcd'],
    ['\\$\\{[^}]{1,20}\\}', 'dear $' + '{name}, hello'],
  ];
  for (const [source, text] of cases) {
    assert.equal(find(source, text), new RegExp(source, 'iu').exec(text)?.[0], source);
  }
});

test('it agrees with JavaScript on every pattern that is made of the same parts', () => {
  const leaf = fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '\\b', '\\d', 'ab', '1');
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.tuple(tie('tree'), tie('tree')).map((two) => two.join('')),
      fc.tuple(tie('tree'), tie('tree')).map((two) => `(?:${two.join('|')})`),
      fc
        .tuple(tie('tree'), fc.constantFrom('*', '+', '?', '{1,3}', '+?', '*?'))
        .map(([body, times]) => `(?:${body})${times}`),
    ),
  }));
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '1', ' ', 'A'), { maxLength: 12 })
    .map((chars) => chars.join(''));
  fc.assert(
    fc.property(tree, text, (source, words) => {
      const pattern = compiled(source);
      if (pattern === undefined) return;
      const found = findPattern(pattern, prepareText(words), { left: STEPS });
      assert.ok(found !== 'exhausted');
      const expected = new RegExp(source, 'iu').exec(words);
      assert.equal(found?.start, expected?.index, `${source} in "${words}"`);
      // JavaScript ends a loop whose round took nothing; which of two ways through it is preferred may differ then.
      if (!/[*+?}]\)|\?\)*[*+]/.test(source)) assert.equal(found && words.slice(found.start, found.end), expected?.[0]);
    }),
    { numRuns: 2_000 },
  );
});

/** Of this thread alone: the machine may be busy. */
function cpuMsOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

function compiled(source: string) {
  try {
    return compilePattern(source);
  } catch (error) {
    assert.ok(error instanceof PatternError, String(error));
    return undefined;
  }
}

test('offsets are those of the text, whatever its characters and their case', () => {
  assert.equal(find('straße', '😀 STRAßE 😀'), 'STRAßE');
  assert.equal(find('😀+', 'a 😀😀 b'), '😀😀');
  assert.equal(find('ÉTÉ', "l'été"), 'été');
  assert.equal(find('\\bété\\b', "l'été"), 'été');
  assert.equal(find('i', 'İ'), undefined);
});

test('patterns that take ages elsewhere are answered at once', () => {
  const long = 32_000;
  const bombs: readonly (readonly [string, string])[] = [
    ['(a+)+$', `${'a'.repeat(long)}!`],
    ['(a|a)*b', 'a'.repeat(long)],
    ['(a|aa)+$', `${'a'.repeat(long)}!`],
    ['(.*a){12}$', `${'a'.repeat(long)}!`],
    ['(a*)*b', 'a'.repeat(long)],
    ['a*a*a*a*a*b', 'a'.repeat(long)],
    ['\\s+$', `${' '.repeat(long)}x`],
    ['([a-zA-Z]+)*!!', 'a'.repeat(long)],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(long)],
    ['(x+x+)+y', 'x'.repeat(long)],
    ['(?:a?){100}b', 'a'.repeat(long)],
    ['(\\w+\\s?)+@', 'word '.repeat(long / 5)],
    ['(?:a|b|ab)*?c', 'ab'.repeat(long / 2)],
    ['[a-z]{1,190}!', 'a'.repeat(long)],
  ];
  for (const [source, text] of bombs) {
    const pattern = compilePattern(source);
    const prepared = prepareText(text);
    const tookMs = Math.min(
      ...[1, 2, 3].map(() =>
        cpuMsOf(() => {
          const found = findPattern(pattern, prepared, { left: 400_000 });
          assert.ok(found === undefined || found === 'exhausted', source);
        }),
      ),
    );
    assert.ok(tookMs < 50, `${source} took ${tookMs} ms`);
  }
});

test('steps are bounded, and running out of them is told', () => {
  const budget = { left: 1_000 };
  assert.equal(findPattern(compilePattern('(a|a)*b'), prepareText('a'.repeat(5_000)), budget), 'exhausted');
});

test('what is not known, or not bounded, is refused with its place', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /matches no text/],
    ['a*', /matches no text/],
    ['\\b', /matches no text/],
    ['(?=a)', /group at 1: only/],
    ['a(?<!b)c', /group at 2: only/],
    ['(?<name>a)', /group at 1: only/],
    ['(a)\\1', /\\1 at 4 is not known/],
    ['\\p{L}', /\\p at 1 is not known/],
    ['(a', /group at 1 is not closed/],
    ['a)', /"\)" at 2 closes nothing/],
    ['[a', /class at 1 is not closed/],
    ['[]', /class at 1 is empty/],
    ['[z-a]', /does not go upwards/],
    ['+a', /repeats nothing/],
    ['a**', /two repetitions in a row/],
    ['a{2}{3}', /two repetitions in a row/],
    ['a{', /is not \{3\}/],
    ['a{5,2}', /from more to less/],
    ['a{999}', /counts beyond/],
    ['(){100}a', /empty/],
    ['((a{200}){200}){200}', /more than 400 states/],
    ['\\b+a', /boundary cannot be repeated/],
    ['((\\b|a){200}){200}a', /more than 400 states/],
    ['(?:(?:(?:a|b){200}){200}){200}', /more than 400 states/],
    ['\\', /single/],
    ['a'.repeat(201), /200 are allowed/],
  ];
  for (const [source, told] of refused)
    assert.throws(
      () => compilePattern(source),
      (error) => error instanceof PatternError && told.test(error.message),
      source,
    );
});

test('no text makes it throw but a PatternError, and every text is searched', () => {
  const signs = fc.constantFrom(...'()[]{}|*+?^$.-,:\\abdwsBW012 é😀', '(?:', '{1,2}', '\\b', '\ud800');
  const text = fc.array(signs, { maxLength: 24 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, text, (source, words) => {
      const pattern = compiled(source);
      if (pattern) findPattern(pattern, prepareText(words), { left: 10_000 });
    }),
    { numRuns: 3_000 },
  );
});
