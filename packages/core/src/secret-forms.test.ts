import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutSecret } from './conversation.ts';

const printable = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~!"\\\'/+=:$%&'), minLength: 8, maxLength: 60 });
const text = fc.string({ maxLength: 20 });

test('a key that comes back goes, as it is, in an address and in base64 amid other text', () => {
  fc.assert(
    fc.property(printable, text, text, (secret, before, after) => {
      const whole = `${before}${secret}${after}`;
      const encoded = [Buffer.from(whole).toString('base64'), Buffer.from(whole).toString('base64url')];
      const told = withoutSecret({ words: [whole, encodeURIComponent(whole), ...encoded] }, secret);
      assert.ok(!JSON.stringify(told.words[0]).includes(JSON.stringify(secret).slice(1, -1)));
      assert.ok(!told.words[1]?.includes(encodeURIComponent(secret)));
      // Whoever decodes what is left finds no more of it than a letter at either end.
      const inner = secret.slice(1, -1);
      for (const one of told.words.slice(2))
        for (const piece of String(one).split('[redacted]'))
          for (const skip of [0, 1, 2, 3])
            assert.ok(!Buffer.from(piece.slice(skip), 'base64').toString('utf8').includes(inner));
    }),
    { numRuns: 300 },
  );
});

test('what holds no key stays the same object, and a short key is no reason to change words', () => {
  const event = { message: 'a plain word', code: 7 };
  assert.equal(withoutSecret(event, 'sk-0123456789'), event);
  assert.equal(withoutSecret(event, 'plain'), event);
  assert.deepEqual(withoutSecret({ m: 'Basic pass-word-1' }, 'user:pass-word-1'), { m: 'Basic [redacted]' });
});
