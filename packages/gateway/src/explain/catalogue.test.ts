import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { FAILURES, type FailureKind, PROVIDERS } from '@onetake/core';
import { entryFor, explainedProviders, knownErrors } from './catalogue.ts';
import { plainWords } from './evidence.ts';
import { type KnownError, readKnownErrors } from './known-error.ts';

const groups = knownErrors();
const entries = groups.flatMap((group) => group.entries);
const providerSources = new URL('../../../core/src/providers/', import.meta.url);

test('the catalogue has at least 150 entries, each with an id of its own and a source', () => {
  assert.ok(entries.length >= 150, `${entries.length} entries`);
  assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length);
  assert.ok(entries.every(({ source }) => source.from !== ''));
});

test('every provider has errors of its own', () => {
  const covered = explainedProviders();
  const exempt = ['sandbox', 'sandbox-task', 'openai-compatible', 'openai-chat', 'openai-responses', 'google-chat'];
  const missing = PROVIDERS.map(({ id }) => id).filter((id) => !covered.includes(id) && !exempt.includes(id));
  assert.deepEqual(missing, []);
});

test('what belongs to a provider names only those that are known', () => {
  const known = new Set(explainedProviders());
  assert.deepEqual(
    entries.filter(({ providers }) => providers.some((one) => !known.has(one))).map(({ id }) => id),
    [],
  );
});

test('no phrase is empty, and none is a single short word', () => {
  const weak = entries.flatMap(({ id, match }) =>
    match.phrases.filter((phrase) => plainWords(phrase).length < 4).map((phrase) => `${id}: ${phrase}`),
  );
  assert.deepEqual(weak, []);
});

test('what costs nothing to repeat and what may be billed agree with the certainty of the kind', () => {
  const free: readonly FailureKind[] = ['throttled', 'quota', 'billing', 'authentication', 'permission', 'budget'];
  const wrong = entries.filter(({ kind, billed }) => free.includes(kind) && billed !== 'no');
  assert.deepEqual(
    wrong.map(({ id }) => id),
    [],
  );
});

test('no refusal is said to fall back by itself, nor to be worth a repeat', () => {
  const refusals = entries.filter(({ kind }) => kind === 'policy');
  assert.ok(refusals.length > 20);
  assert.deepEqual(
    refusals.filter(({ retry, fallback }) => retry.useful !== 'no' || fallback !== 'no').map(({ id }) => id),
    [],
  );
});

const good: KnownError = {
  id: 'openai/x',
  providers: ['openai'],
  match: { codes: ['x_y'], statuses: [400], phrases: [] },
  ...{ title: 'x', meaning: 'x', kind: 'invalid', who: 'caller', do: 'x' },
  retry: { useful: 'no', when: 'never' },
  ...{ another_key: 'no', fallback: 'no', billed: 'no' },
  source: { from: 'x', verified: 'source' },
};

const faulty: Readonly<Record<string, unknown>> = {
  'an unknown field': { ...good, color: 'red' },
  'no source': { ...good, source: undefined },
  'an unknown kind': { ...good, kind: 'weather' },
  'nobody who acts': { ...good, who: 'somebody' },
  'an empty meaning': { ...good, meaning: ' ' },
  'too long a meaning': { ...good, meaning: 'x'.repeat(401) },
  'an id of another group': { ...good, id: 'fal/x' },
  'a status that is none': { ...good, match: { ...good.match, statuses: [42] } },
  'nothing to be recognised by': { ...good, match: { codes: [], statuses: [], phrases: [] } },
  'a link without https': { ...good, link: 'http://example.com' },
};

test('a good file is read', () => {
  assert.equal(readKnownErrors({ provider: 'openai', hints: [], entries: [good] }).entries.length, 1);
});

for (const [name, entry] of Object.entries(faulty)) {
  test(`a file with ${name} is refused`, () => {
    assert.throws(() => readKnownErrors({ provider: 'openai', hints: [], entries: [entry] }));
  });
}

/** The tables of core's classifiers, read from their source: which code is which kind. */
const TABLES: readonly (readonly [provider: string, file: string, row: RegExp])[] = [
  ['openai', 'openai-errors.ts', /^ {4}(\w+): '(\w+)',$/gm],
  ['fal', 'fal-errors.ts', /^ {2}\['(\w+)', '(\w+)'\],$/gm],
  ['bedrock', 'bedrock.ts', /^ {2}\['(\w+Exception)', \{ kind: '(\w+)'/gm],
  ['evolink', 'evolink.ts', /^ {4}(\w+): '(\w+)',$/gm],
  ['foxapi', 'foxapi.ts', /^ {4}(\w+): '(\w+)',$/gm],
  ['midjourney', 'midjourney-errors.ts', /^ {2}\[(\d+), '(\w+)'\],$/gm],
];

for (const [provider, file, row] of TABLES) {
  test(`every code that core knows of ${provider} has an entry, of the same kind`, async () => {
    const source = await readFile(new URL(file, providerSources), 'utf8');
    const known = [...source.matchAll(row)].filter(([, , kind = '']) => Object.hasOwn(FAILURES, kind));
    assert.ok(known.length >= 4, `${known.length} codes were read`);
    const of = groups.find((group) => group.provider === provider)?.entries ?? [];
    for (const [, code = '', kind = ''] of known) {
      const wanted = [code, `code:${code}`];
      const coded = of.filter(({ match }) => match.codes.some((one) => wanted.includes(one)));
      // What Midjourney's servers do not find is decided by its words.
      if (provider === 'midjourney' && code === '3') continue;
      assert.ok(coded.length > 0, `${provider} ${code} has no entry`);
      assert.ok(
        coded.some((entry) => entry.kind === kind),
        `${provider} ${code} is ${kind} in core and ${coded.map((entry) => entry.kind).join(', ')} here`,
      );
    }
  });
}

test('every kind and code of ours has an entry of that kind', () => {
  for (const kind of Object.keys(FAILURES) as FailureKind[]) {
    const { code } = FAILURES[kind];
    assert.equal(entryFor(kind)?.kind, kind);
    assert.equal(entryFor(kind, code)?.kind, kind, `${kind} ${code}`);
  }
});

test('an entry is looked up by the provider’s code first', () => {
  assert.equal(entryFor('policy', 'content_policy_violation', 'fal')?.id, 'fal/content-policy');
  assert.equal(entryFor('quota', 'insufficient_quota', 'openai')?.id, 'openai/insufficient-quota');
  assert.equal(entryFor('throttled', 'a_code_nobody_has', 'openai')?.id, 'onetake/throttled');
  assert.equal(entryFor('policy', '24', 'midjourney')?.id, 'midjourney/banned-prompt');
  assert.equal(entryFor('network', 'ECONNRESET')?.id, 'network/econnreset');
  // Core has decided what it is: an entry of another kind would contradict it.
  assert.equal(entryFor('policy', 'generation_failed', 'foxapi')?.id, 'onetake/policy');
});

test('every code of an HTTP problem of this gateway is known', async () => {
  const { globSync } = await import('node:fs');
  const root = new URL('../', import.meta.url);
  const codes = new Set<string>();
  for (const file of globSync('**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts')) continue;
    const text = await readFile(new URL(file, root), 'utf8');
    for (const [, code = ''] of text.matchAll(/new RequestProblem\(\s*\d+,\s*'(\w+)'/g)) codes.add(code);
  }
  assert.ok(codes.size > 20);
  const known = new Set(entries.flatMap(({ match }) => match.codes));
  assert.deepEqual(
    [...codes].filter((code) => !known.has(code)),
    [],
  );
});
