import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openWorld } from '../open-world.ts';
import { wellIo } from '../testing/well-io.ts';
import { isPlaceholder, ownerOf } from './key-shapes.ts';
import { KEYS } from './keys.ts';
import { unpasted } from './pasted.ts';

const BODY = 'q7Zp2LmX9vT4bN8kR3wJ6hD1cF5gS0yA';

async function look(env: Readonly<Record<string, string>>) {
  return KEYS.run(openWorld({ env, cwd: '/nowhere', io: wellIo() }));
}

/** A secret of letters and digits, in whatever people paste around one. */
const secrets = fc.stringMatching(/^[A-Za-z0-9]{12,60}$/);
const wrappings = fc.constantFrom(
  ...['{}', ' {}', '{}\n', '"{}"', "'{}'", '`{}`', 'Bearer {}', 'Authorization: Bearer {}', 'export OPENAI_API_KEY={}'],
  ...[
    'OPENAI_API_KEY="{}"',
    '{} {}',
    'sk-proj-{}',
    'sk-ant-{}',
    'AIza{}',
    '“{}”',
    'Key {}',
    'sk-{}***',
    '$env:KEY = "{}"',
  ],
);
const variables = fc.constantFrom(
  'OPENAI_API_KEY',
  'FAL_KEY',
  'REPLICATE_API_TOKEN',
  'OPENAI_KEY',
  'AZURE_OPENAI_API_KEY',
);

test('no finding tells a piece of a key, whatever it looks like', async () => {
  await fc.assert(
    fc.asyncProperty(secrets, wrappings, variables, async (secret, wrapping, variable) => {
      const told = JSON.stringify(await look({ [variable]: wrapping.replaceAll('{}', secret) }));
      assert.ok(!told.includes(secret), told);
    }),
  );
});

test('what was pasted along is taken off in whatever order it came', () => {
  const key = `sk-proj-${BODY}`;
  const around: readonly (readonly [string, readonly string[]])[] = [
    [key, []],
    [`  ${key}\n`, ['space']],
    [`"Bearer ${key}"`, ['quotes', 'bearer']],
    [`export OPENAI_API_KEY="${key}"`, ['assignment', 'quotes']],
    [`OPENAI_API_KEY: ${key}`, ['assignment']],
    [`${key}"`, ['quotes']],
    [`Authorization: Bearer ${key}`, ['bearer']],
    [`Key ${key}`, ['bearer']],
  ];
  for (const [raw, ids] of around) {
    const { key: bare, pasted } = unpasted(raw);
    assert.deepEqual([bare, pasted.map(({ id }) => id)], [key, ids], raw);
  }
});

test('a key in base64 is not taken for a variable with its value', () => {
  const { key, pasted } = unpasted('QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=');
  assert.deepEqual([key, pasted], ['QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=', []]);
  assert.deepEqual(unpasted('ADMIN:word==').pasted, []);
});

test('whose a key is, is told by the longest beginning that is known', () => {
  assert.deepEqual(
    [`sk-ant-${BODY}`, `sk-onetake-${BODY}`, `sk-proj-${BODY}`, `sk-${BODY}`, BODY].map((key) => ownerOf(key)?.prefix),
    ['sk-ant-', 'sk-onetake-', 'sk-proj-', undefined, undefined],
  );
});

test('placeholders are known, and keys are none', () => {
  for (const text of [
    '<your key>',
    'your-api-key',
    'YOUR_OPENAI_API_KEY',
    'sk-...',
    'sk-xxxxxxxx',
    '$OPENAI_API_KEY',
    'changeme',
    'sk-1234',
  ])
    assert.ok(isPlaceholder(text), text);
  fc.assert(fc.property(fc.stringMatching(/^sk-(?:proj-)?[A-WYZa-wyz0-9]{40,60}$/), (key) => !isPlaceholder(key)));
});

test('only the provider that was asked for is looked at', async () => {
  const env = { OPENAI_API_KEY: 'sk-short', REPLICATE_API_TOKEN: 'r8_short' };
  const world = openWorld({ env, cwd: '/nowhere', io: wellIo(), options: { provider: 'replicate' } });
  const found = await KEYS.run(world);
  assert.deepEqual([...new Set(found.map(({ subject }) => subject))], ['REPLICATE_API_TOKEN']);
});

test('a pool is looked at key by key', async () => {
  const found = await look({ GEMINI_API_KEY: `AIza${BODY}abc`, GOOGLE_API_KEY: 'not looked at: the first is read' });
  assert.deepEqual(
    found.map(({ id, subject }) => [id, subject]),
    [['keys.shape', 'GEMINI_API_KEY']],
  );
});
