import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readPromptRules, starterRules } from './prompt-rules-file.ts';
import { diffLine, diffOf, rewrite } from './rewrite.ts';

const RULES = starterRules();
const rule = (id: string, terms: readonly string[], replace: string) => ({
  id,
  action: 'rewrite',
  terms,
  replace,
  message: 'is taken for something else',
});

function rulesOf(...rules: readonly object[]) {
  const read = readPromptRules({ rules });
  assert.ok(read.ok, read.ok ? '' : read.faults.join('\n'));
  return read.rules;
}

test('a dangerous weapon becomes a vintage wooden toy sword, and what changed is shown', () => {
  const prompt = 'a knight with a dangerous weapon';
  const rewritten = rewrite(prompt, RULES);
  assert.equal(rewritten?.prompt, 'a knight with a vintage wooden toy sword');
  assert.deepEqual(rewritten?.changes, [
    { from: 'dangerous weapon', to: 'vintage wooden toy sword', rule: 'say-weapon', at: 16 },
  ]);
  const diff = diffLine(diffOf(prompt, rewritten?.changes ?? []));
  assert.equal(diff, 'a knight with a [-dangerous weapon-]{+vintage wooden toy sword+}');
});

test('whole words only, and none that is not in the rules', () => {
  for (const prompt of ['the gorynych dragon', 'a lighthouse', 'dangerous, weapon-free', 'allegory', ''])
    assert.equal(rewrite(prompt, RULES), undefined, prompt);
});

test('the case stays', () => {
  const words = (prompt: string) => rewrite(prompt, RULES)?.prompt;
  assert.equal(words('Gruesome mask'), 'Eerie mask');
  assert.equal(words('THE GRUESOME MASK'), 'THE EERIE MASK');
  assert.equal(words('the gruesome mask'), 'the eerie mask');
});

test('the article fits what follows it', () => {
  const words = (prompt: string) => rewrite(prompt, RULES)?.prompt;
  assert.equal(words('a gruesome mask and a sexy hat'), 'an eerie mask and an elegant hat');
  assert.equal(words('A gruesome mask'), 'An eerie mask');
  assert.equal(words('an assault rifle on the wall'), 'a film prop from an old western on the wall');
  assert.equal(words('panda gruesome'), 'panda eerie');
});

test('of two rules for one place the longer match wins, and each place is changed once', () => {
  const rules = rulesOf(
    rule('short', ['big gun'], 'water gun'),
    rule('long', ['big gun fight', 'water'], 'pillow fight'),
  );
  assert.equal(rewrite('a big gun fight', rules)?.prompt, 'a pillow fight');
  assert.equal(rewrite('a big gun', rules)?.prompt, 'a water gun');
});

test('there are at most so many changes', () => {
  const prompt = Array.from({ length: 30 }, () => 'gory').join(' ');
  assert.equal(rewrite(prompt, RULES)?.changes.length, 10);
  assert.equal(rewrite(prompt, RULES, 2)?.changes.length, 2);
  assert.equal(rewrite(prompt, RULES, 0), undefined);
});

test('what a rule refuses is not said otherwise', () => {
  assert.equal(rewrite('a gory picture with a mutilated corpse', RULES), undefined);
  const rules = rulesOf(rule('say', ['cat'], 'forbidden dog'), {
    id: 'no',
    action: 'refuse',
    terms: ['forbidden dog'],
    message: 'is refused',
  });
  assert.equal(rewrite('a cat', rules), undefined);
});

test('a pattern may say it otherwise, too', () => {
  const rules = rulesOf({
    id: 'say',
    action: 'rewrite',
    pattern: '\\bguns?\\b',
    replace: 'water pistol',
    message: 'is taken for violence',
  });
  assert.equal(rewrite('a gun, gunpowder and a gun', rules)?.prompt, 'a water pistol, gunpowder and a water pistol');
  assert.equal(rewrite('gun '.repeat(30), rules)?.changes.length, 10);
});

test('the diff holds the old prompt and the new one, whatever they are', () => {
  const words = fc.constantFrom(
    'gory',
    'a',
    'Sexy',
    'fox',
    ',',
    'dangerous weapon',
    '😀',
    'in the style of Disney',
    'GRUESOME',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 20 }), (parts) => {
      const prompt = parts.join(' ');
      const rewritten = rewrite(prompt, RULES);
      if (rewritten === undefined) return;
      const pieces = diffOf(prompt, rewritten.changes);
      const without = (kind: string) =>
        pieces
          .filter((piece) => piece.kind !== kind)
          .map(({ text }) => text)
          .join('');
      assert.equal(without('added'), prompt);
      assert.equal(without('removed'), rewritten.prompt);
      assert.ok(rewritten.changes.length > 0 && rewritten.changes.length <= 10);
      assert.notEqual(rewritten.prompt, prompt);
    }),
  );
});
