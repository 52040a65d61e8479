import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { ConfigError, type Environment, loadConfig } from '../config.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'q').toString('base64')}`;
const KEYS = { ONETAKE_API_KEYS: 'alice:key-of-alice,bob:key-of-bob' };

function load(t: TestContext, yaml: string, env: Environment, files: Readonly<Record<string, string>> = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ ...files, 'onetake.yaml': yaml })) writeFileSync(join(cwd, name), text);
  try {
    return { ...loadConfig({ env, cwd }).webhooks, faults: [] };
  } catch (error) {
    assert(error instanceof ConfigError);
    assert(!error.message.includes(SECRET.slice(6, 20)), 'a secret is never shown');
    return { allowPrivate: undefined, callers: {}, faults: error.faults.map((one) => one.replaceAll(cwd, '.')) };
  }
}

suite('configured webhooks', () => {
  test('nothing set refuses private addresses and knows no caller', (t) => {
    const { allowPrivate, callers } = load(t, '', {});
    assert.deepEqual([allowPrivate, { ...callers }], [false, {}]);
    assert.equal(callers.constructor, undefined);
  });

  test('everything set', (t) => {
    const yaml = `
webhooks:
  allow_private: on
  keys:
    alice: { url: "http://10.0.0.7/hooks", secret_env: ALICE_SECRET, events: [task.failed, task.progress] }
    bob: { secret_file: bob.secret }
`;
    const { allowPrivate, callers } = load(t, yaml, { ...KEYS, ALICE_SECRET: SECRET }, { 'bob.secret': `${SECRET}\n` });
    assert.equal(allowPrivate, true);
    assert.deepEqual(
      { ...callers },
      {
        alice: { url: 'http://10.0.0.7/hooks', events: ['task.failed', 'task.progress'], secret: SECRET },
        bob: { secret: SECRET },
      },
    );
  });

  test('without keys the one caller is local', (t) => {
    const { callers } = load(t, 'webhooks: {keys: {local: {url: "https://app.example/hooks"}}}', {});
    assert.deepEqual({ ...callers }, { local: { url: 'https://app.example/hooks' } });
  });
});

suite('faults of configured webhooks', () => {
  const alice = (entry: string) => `webhooks: {keys: {alice: {${entry}}}}`;
  const cases: readonly (readonly [yaml: string, fault: RegExp, env?: Environment])[] = [
    ['webhooks: {allow_privat: on}', /^webhooks\.allow_privat: .*did you mean "allow_private"\?/],
    [
      'webhooks: {keys: {alicia: {}}}',
      /^webhooks\.keys\.alicia: expected a caller of .* got "alicia"; did you mean "alice"\?/,
    ],
    [
      alice('urk: x'),
      /^webhooks\.keys\.alice\.urk: expected one of url, secret_env, secret_file, events, got an unknown key/,
    ],
    [
      alice('url: "ftp://x"'),
      /^webhooks\.keys\.alice\.url: expected an absolute http or https URL, got "ftp:\/\/x"; give/,
    ],
    [alice('url: "http://127.0.0.1/"'), /url: expected a URL on the public internet, got .*webhooks\.allow_private/],
    [
      alice('url: "https://me:hidden@a.example"'),
      /url: expected a URL without a user name .*, got one that is not shown;/,
    ],
    [
      alice('events: [task.done]'),
      /^webhooks\.keys\.alice\.events\.0: expected one of task\.processing, .*got "task\.done"/,
    ],
    [alice('events: []'), /events: expected at least one event, got a list/],
    [
      alice(`secret: ${SECRET}`),
      /^webhooks\.keys\.alice\.secret: expected secret_env or secret_file, got a literal secret;/,
    ],
    [
      alice(`secret_env: ${SECRET}`),
      /secret_env: expected the name of an environment variable .*, got a value that is not/,
    ],
    [alice('secret_env: A, secret_file: b'), /^webhooks\.keys\.alice: expected secret_env or secret_file, got both/],
    [
      alice('secret_env: UNSET'),
      /^webhooks\.keys\.alice\.secret_env: expected UNSET to be set, got nothing; set it, or/,
    ],
    [
      alice('secret_file: none'),
      /^webhooks\.keys\.alice\.secret_file: expected a readable file, got ENOENT for \.\/none/,
    ],
    [
      alice('secret_env: SHORT'),
      /^SHORT: expected whsec_ and 24 to 64 bytes in base64, got a value that/,
      { SHORT: SECRET.slice(0, 20) },
    ],
  ];
  for (const [yaml, expected, env] of cases) {
    test(yaml.slice(0, 70), (t) => {
      const { faults } = load(t, yaml, { ...KEYS, ...env });
      assert.equal(faults.length, 1, faults.join('\n'));
      assert.match(faults[0] ?? '', expected);
    });
  }
});
