import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURES } from '@onetake/core';
import fc from 'fast-check';
import { knownErrors } from './catalogue.ts';
import { MAX_TEXT_CHARACTERS } from './evidence.ts';
import { entryForFailure, explain } from './explain.ts';
import { ERRORS_SEEN, NEAR_MISSES, NOISE } from './testing/errors-seen.ts';
import { explanationView } from './view.ts';

const entries = knownErrors().flatMap((group) => group.entries);

test('there are errors enough that were seen', () => {
  assert.ok(ERRORS_SEEN.length >= 80, `${ERRORS_SEEN.length}`);
});

for (const [id, text, provider] of ERRORS_SEEN) {
  test(`${id} is recognised: ${text.slice(0, 60).replaceAll('\n', ' ')}`, () => {
    const { known, found } = explain(text, { provider });
    assert.deepEqual([known, found[0]?.entry.id], [true, id], found.map(({ entry }) => entry.id).join(', '));
    assert.ok((found[0]?.matched.length ?? 0) > 0);
  });
}

for (const text of NOISE) {
  test(`noise is not taken for an error: ${JSON.stringify(text.slice(0, 50))}`, () => {
    const { known, found } = explain(text);
    assert.equal(known, false, found.map(({ entry }) => entry.id).join(', '));
  });
}

for (const [id, text] of NEAR_MISSES) {
  test(`${id} is nearest to: ${text}`, () => {
    assert.equal(explain(text).found[0]?.entry.id, id);
  });
}

test('an unverified organisation: no retry, another key of a verified one alone, a fallback helps', () => {
  const [first] = explain('Your organization must be verified').found;
  assert.equal(first?.entry.retry.useful, 'no');
  assert.equal(first.entry.another_key_when, 'only of a verified organisation');
  assert.equal(first.entry.fallback, 'yes');
  assert.equal(first.entry.billed, 'no');
});

test('every code of the catalogue is recognised alone, as an error of that code', () => {
  for (const { match } of entries) {
    for (const code of match.codes.filter((one) => !one.includes(':'))) {
      const { known, found } = explain(`{"error":{"code":"${code}"}}`);
      assert.ok(known, code);
      assert.ok(
        found.some(({ entry }) => entry.match.codes.includes(code) || entry.match.codes.includes(code.toLowerCase())),
        code,
      );
    }
  }
});

test('every phrase of the catalogue is recognised with its provider, among the first five', () => {
  for (const group of knownErrors().filter(({ provider }) => provider !== 'http')) {
    for (const { id, match, providers } of group.entries) {
      for (const phrase of match.phrases) {
        const { found } = explain(phrase.replace('…', 'x'), { provider: providers[0] });
        assert.ok(
          found.some(({ entry }) => entry.id === id),
          `${id}: ${phrase} gave ${found.map(({ entry }) => entry.id).join(', ')}`,
        );
      }
    }
  }
});

test('the told provider decides whose code it is', () => {
  for (const provider of ['openai', 'fal', 'evolink', 'foxapi']) {
    const [first] = explain('content_policy_violation', { provider }).found;
    assert.deepEqual(first?.entry.providers.includes(provider), true, provider);
  }
});

test('a provider that nobody knows is as none', () => {
  assert.deepEqual(explain('insufficient_quota', { provider: 'my-own' }), explain('insufficient_quota'));
});

test('a host in the text tells the provider', () => {
  const [first] = explain('POST https://queue.fal.run/fal-ai/flux answered content_policy_violation').found;
  assert.equal(first?.entry.id, 'fal/content-policy');
});

test('a failure of a run is explained by its words, and never by an entry of another kind', () => {
  const unverified = {
    kind: 'permission',
    certainty: 'rejected',
    status: 403,
    message: 'Your organization must be verified to use the model',
  } as const;
  assert.equal(entryForFailure(unverified, 'openai')?.id, 'openai/organization-not-verified');
  const odd = { kind: 'overloaded', certainty: 'rejected', message: 'Your organization must be verified' } as const;
  assert.equal(entryForFailure(odd, 'openai')?.id, 'onetake/overloaded');
  const mine = { kind: 'server', certainty: 'failed', message: 'zork', code: 'server_error' } as const;
  assert.equal(entryForFailure(mine, 'my-provider')?.id, 'openai/server-error');
});

test('what nobody knows gets its class, with the advice of the kind', () => {
  const { known, general } = explain('the frobnicator answered HTTP 429 with nothing that anybody could make sense of');
  assert.deepEqual([known, general], [false, { kind: 'throttled', advice: FAILURES.throttled.advice }]);
  assert.equal(explain('zork: the moderation of the frobnicator disliked the wombat').general?.kind, 'policy');
  assert.equal(explain('a red fox').general, undefined);
});

test('nothing of a text is told again: no key, no picture', () => {
  const secret = 'sk-proj-CANARYCANARYCANARY';
  const text = `{"error":{"code":"invalid_api_key","message":"Incorrect API key provided: ${secret}"},"image":"${'A'.repeat(4_000)}"}`;
  for (const one of [text, `Authorization: Bearer ${secret}`, `zork frobnicator ${secret} 429`]) {
    assert.doesNotMatch(JSON.stringify(explanationView(explain(one))), /CANARY|AAAA/);
  }
});

test('any text is explained, the same each time, and only by entries that exist', () => {
  const known = new Set(entries);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 400 }),
        fc.json(),
        fc.constantFrom(...entries).map((one) => one.meaning),
      ),
      (text) => {
        const once = explain(text);
        assert.deepEqual(explain(text), once);
        assert.ok(once.found.length <= 5 && once.found.every(({ entry }) => known.has(entry)));
        assert.equal(
          once.known,
          once.found.some(({ confidence }) => confidence !== 'near'),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('a text of any length and form is read in bounded time', () => {
  const long = [
    '"'.repeat(200_000),
    'a '.repeat(100_000),
    '{"code":'.repeat(30_000),
    'model '.repeat(40_000),
    '_'.repeat(200_000),
    'code  :  '.repeat(30_000),
  ];
  for (const text of [...long, `${'x'.repeat(MAX_TEXT_CHARACTERS)} insufficient_quota`]) {
    const before = process.cpuUsage();
    assert.equal(explain(text).known, false);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 2_000_000, `${(user + system) / 1000} ms for ${text.slice(0, 10)}`);
  }
});
