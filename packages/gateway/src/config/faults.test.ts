import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { ConfigError, type Environment, loadConfig } from '../config.ts';
import { KINDS } from './protocols.ts';
import { knownKeys } from './schema.ts';

function directory(t: TestContext, yaml?: string): string {
  const cwd = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  if (yaml !== undefined) writeFileSync(join(cwd, 'onetake.yaml'), yaml);
  return cwd;
}

function faultsOf(t: TestContext, yaml?: string, env: Environment = {}): readonly string[] {
  const cwd = directory(t, yaml);
  try {
    loadConfig({ env, cwd });
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.faults.map((fault) => fault.replaceAll(cwd, '.'));
  }
  return [];
}

const KEY = 'sk-verysecretverysecret';
const FAULTS: readonly { readonly yaml?: string; readonly env?: Environment; readonly faults: readonly string[] }[] = [
  {
    yaml: 'defalt_model: x\ncolour: red',
    faults: [
      `defalt_model: expected one of ${knownKeys([]).join(', ')}, got an unknown key; did you mean "default_model" or "default_chat_model"?`,
      `colour: expected one of ${knownKeys([]).join(', ')}, got an unknown key; remove it or correct it`,
    ],
  },
  { yaml: '- a list', faults: ['onetake.yaml: expected a map, got a list'] },
  { yaml: 'a: [', faults: ['./onetake.yaml: expected YAML, got a fault in line 1, column 5 (BAD_INDENT)'] },
  { yaml: 'a: 1\na: 2', faults: ['./onetake.yaml: expected YAML, got a fault in line 2, column 1 (DUPLICATE_KEY)'] },
  {
    yaml: 'limits: {a: {}, openai/b: {images: 5, rate: 1}, openai/*: {requests: [5/60x], concurrency: 0}}',
    faults: [
      'limits.a: expected a target such as openai/gpt-image-2, or openai/*, got "a"',
      'limits.openai/b.images: expected a count and a window from 1ms to 31d, such as 5/60s, or a list of at most 4, got 5',
      'limits.openai/b.rate: expected one of requests, images, tokens, concurrency, got an unknown key; remove it or correct it',
      'limits.openai/*.requests.0: expected a count and a window from 1ms to 31d, such as 5/60s, got "5/60x"',
      'limits.openai/*.concurrency: expected a whole number of requests in flight from 1 to 100000, got 0',
    ],
  },
  {
    env: { OPENAI_TIER: '6', ONETAKE_DATABASE_URL: 'mysql://user:secret@db/onetake' },
    faults: [
      'ONETAKE_DATABASE_URL: expected postgres://user:password@host/database, got something else',
      'OPENAI_TIER: expected a usage tier from 1 to 5, got "6"',
    ],
  },
  {
    yaml: `providers: {openai: {api_key: ${KEY}}}`,
    faults: [
      'providers.openai.api_key: expected key_env or key_file, got a literal key; a key in a file ends up in backups and repositories: put it into a variable and name that in key_env',
    ],
  },
  {
    yaml: `providers: {openai: {key_env: ${KEY}}}`,
    faults: [
      'providers.openai.key_env: expected the name of an environment variable in capitals, such as OPENAI_API_KEY, got a value that is not shown; it takes the name, never the key',
    ],
  },
  {
    yaml: 'providers: {openai: {key_evn: A}}',
    faults: [
      'providers.openai.key_evn: expected one of kind, image_api, key_env, key_file, base_url, workflows, checkpoint, got an unknown key; did you mean "key_env"?',
    ],
  },
  {
    yaml: 'providers: {openai: {key_env: A, key_file: b}}',
    faults: ['providers.openai: expected key_env or key_file, got both; remove one of them'],
  },
  {
    yaml: 'providers: {work: {kind: openai}}',
    faults: ['providers.work: expected key_env or key_file, got neither; name the variable that holds its key'],
  },
  {
    yaml: 'providers: {openai: {key_file: none}}',
    faults: ['providers.openai.key_file: expected a readable file, got ENOENT for ./none'],
  },
  {
    yaml: 'providers: {My_Lab: {}}',
    faults: ['providers.My_Lab: expected a provider id of lower-case letters, digits and dashes, got "My_Lab"'],
  },
  {
    yaml: 'providers: {lab: {kind: gemini}}',
    faults: [`providers.lab.kind: expected one of ${KINDS.join(', ')}, got "gemini"`],
  },
  {
    yaml: 'providers: {lab: }',
    faults: [
      'providers.lab.base_url: expected an http or https address without user, query or fragment, got nothing; such as http://127.0.0.1:1234/v1; or set ONETAKE_LAB_BASE_URL',
    ],
  },
  {
    yaml: 'providers: {lab: {base_url: "https://me:hidden@lab.example"}}',
    faults: [
      'providers.lab.base_url: expected an http or https address without user, query or fragment, got nothing; such as http://127.0.0.1:1234/v1; or set ONETAKE_LAB_BASE_URL',
    ],
  },
  {
    yaml: 'providers: {lab: {base_url: "http://localhost:8484/v1"}}',
    faults: [
      'providers.lab.base_url: expected the address of a provider, got "http://localhost:8484/v1"; that is this gateway, which would call itself',
    ],
  },
  {
    env: { ONETAKE_PUBLIC_URL: 'https://pictures.example', ONETAKE_OPENAI_BASE_URL: 'https://pictures.example/v1' },
    faults: [
      'ONETAKE_OPENAI_BASE_URL: expected the address of a provider, got "https://pictures.example/v1"; that is this gateway, which would call itself',
    ],
  },
  {
    env: { ONETAKE_OPENIA_BASE_URL: 'https://api.example/v1' },
    faults: [
      'ONETAKE_OPENIA_BASE_URL: expected the name of a provider, got "openia"; did you mean "ONETAKE_OPENAI_BASE_URL"?',
    ],
  },
  {
    yaml: 'providers: {lab: {base_url: ["http://a:1/x", "http://b", "http://a:1/y/"]}}',
    faults: [
      'providers.lab.base_url: expected a host and port once each, got "http://a:1/y"; http://a:1/x is the same server',
    ],
  },
  {
    yaml: 'providers: {lab: {base_url: ["http://a:1", "b:1"]}}',
    faults: [
      'providers.lab.base_url: expected an http or https address without user, query or fragment, got "b:1"; such as http://127.0.0.1:1234/v1; or set ONETAKE_LAB_BASE_URL',
    ],
  },
  {
    yaml: 'providers: {lab: {base_url: []}}',
    faults: [
      'providers.lab.base_url: expected an http or https address, a list of up to 100 of them, or sandbox, got a list',
    ],
  },
  {
    yaml: 'providers: {lab: {base_url: ["http://a:1", "http://b:1"], key_env: [LAB_ONE, LAB_TWO]}}',
    env: { LAB_ONE: 'sk-verysecretone', LAB_TWO: 'sk-verysecrettwo' },
    faults: [
      'providers.lab: expected several addresses or several keys, got both; give one key for all of them, or make a provider of each; a route may name them all',
    ],
  },
  {
    yaml: 'providers: {sandbox: {base_url: "http://127.0.0.1:1"}}',
    faults: ['providers.sandbox: expected another id, got the name of the built-in sandbox; see sandbox: on | off'],
  },
  {
    yaml: 'routes: {best: [opnai/x, lab, openai/gpt-imge-2]}',
    env: { OPENAI_API_KEY: KEY },
    faults: [
      'routes.best.targets.0: expected a configured provider (openai, sandbox), got "opnai/x"; did you mean "openai"?',
      'routes.best.targets.1: expected provider/model, got "lab"',
      'routes.best.targets.2: expected a model of openai, got "openai/gpt-imge-2"; did you mean "openai/gpt-image-2" or "openai/gpt-image-1.5" or "openai/gpt-image-1-mini"?',
    ],
  },
  {
    yaml: 'routes: {best: [openai/gpt-image-2]}\nsandbox: off',
    faults: [
      'routes.best.targets.0: expected a configured provider, and there is none, got "openai/gpt-image-2"; openai has no key: set OPENAI_API_KEY',
    ],
  },
  {
    yaml: 'routes: {best: {targets: [], payment: free, max_paid_attempts: 0, fallback: maybe, suspect: retry, idle_timeout_ms: 1.5}}',
    faults: [
      'routes.best.targets: expected at least one provider/model, got a list',
      'routes.best.payment: expected strict, standard or available, got "free"',
      'routes.best.max_paid_attempts: expected a whole number of attempts from 1 to 10, got 0',
      'routes.best.fallback: expected on or off, got "maybe"',
      'routes.best.suspect: expected accept, retry_new_seed or fail, got "retry"',
      'routes.best.idle_timeout_ms: expected a whole number of milliseconds from 1 to 86400000, got 1.5',
    ],
  },
  {
    yaml: 'routes: {best: {}}\nretention: {days: many, bytes: 5 GiB}\ncache: {days: 0}\nsandbox: 3',
    faults: [
      'routes.best.targets: expected a list of provider/model, got nothing',
      'retention.days: expected a whole number of days from 1 to 36500, got "many"',
      'retention.bytes: expected a size from 1 to 9007199254740991 bytes, such as 64000000, 64MB or 50GB, got "5 GiB"',
      'cache.days: expected a whole number of days from 1 to 36500, got 0',
      'sandbox: expected on or off, got 3',
    ],
  },
  {
    yaml: 'cors: {origins: ["*", "https://a.example/x"]}',
    faults: [
      'cors.origins.0: expected an exact origin such as https://app.example, without a path or *, got "*"',
      'cors.origins.1: expected an exact origin such as https://app.example, without a path or *, got "https://a.example/x"',
    ],
  },
  {
    yaml: 'default_model: best\nroutes: {beast: [openai/gpt-image-2]}',
    env: { OPENAI_API_KEY: KEY },
    faults: ['default_model: expected a route, a listed model or provider/model, got "best"; did you mean "beast"?'],
  },
  {
    env: { ONETAKE_PORT: '65536' },
    faults: ['ONETAKE_PORT: expected a whole number from 0 to 65535, got "65536"; 0 takes a free port'],
  },
  {
    env: { ONETAKE_HOST: '0.0.0.0' },
    faults: [
      'ONETAKE_HOST: expected a loopback address while ONETAKE_API_KEYS is not set, nor ONETAKE_ADMIN_KEY, got "0.0.0.0"; anybody who reaches it could spend on your provider keys: set ONETAKE_API_KEYS=name:key, or ONETAKE_ADMIN_KEY and make keys with "onetake keys create"',
    ],
  },
  {
    env: { ONETAKE_ADMIN_KEY: 'too-short' },
    faults: [
      'ONETAKE_ADMIN_KEY: expected a key of at least 16 characters, got 9; a shorter one can be guessed by trying',
    ],
  },
  {
    env: { ONETAKE_ADMIN_KEY: 'the-same-for-both', ONETAKE_API_KEYS: 'app:the-same-for-both,admin:longenough' },
    faults: [
      `ONETAKE_API_KEYS, entry 2: expected a name other than "admin", which is ONETAKE_ADMIN_KEY's`,
      'ONETAKE_ADMIN_KEY: expected a key of its own, got one that stands in ONETAKE_API_KEYS',
    ],
  },
  { env: { ONETAKE_HOST: 'a b' }, faults: ['ONETAKE_HOST: expected an IP address or a host name, got "a b"'] },
  {
    env: { ONETAKE_API_KEYS: 'app:longenough,sk-nocolon,app:otherkey1,x:short,y:longenough,z:with space' },
    faults: [
      'ONETAKE_API_KEYS, entry 2: expected name:key, got an entry without a colon',
      'ONETAKE_API_KEYS, entry 3: expected a name of its own, got one that an earlier entry has',
      'ONETAKE_API_KEYS, entry 4: expected a key of at least 8 characters, got 5; a shorter one can be guessed by trying',
      'ONETAKE_API_KEYS, entry 5: expected a key of its own, got one that an earlier entry has',
      'ONETAKE_API_KEYS, entry 6: expected a key of printable characters without spaces, got one with others',
    ],
  },
  {
    env: { ONETAKE_PUBLIC_URL: 'pictures.example' },
    faults: [
      'ONETAKE_PUBLIC_URL: expected an http or https address without user, query or fragment, got "pictures.example"',
    ],
  },
  {
    env: { OPENAI_API_KEY: KEY, OPENAI_API_KEY_FILE: '/run/key' },
    faults: ['OPENAI_API_KEY: expected it or OPENAI_API_KEY_FILE, got both; unset one of them'],
  },
  {
    env: { OPENAI_API_KEY: `${KEY}\n${KEY}` },
    faults: [
      'OPENAI_API_KEY: expected one key, got a value with a space, a line break or a letter no key has inside it',
    ],
  },
  {
    env: { OPENAI_API_KEY: `"${KEY}` },
    faults: ['OPENAI_API_KEY: expected one key, got a value with a stray quote at its end; remove the quote'],
  },
  {
    env: { ONETAKE_CONFIG: 'none.yaml' },
    faults: ['./none.yaml: expected a file, got nothing; ONETAKE_CONFIG names it'],
  },
];

suite('faults of the configuration', () => {
  for (const { yaml, env, faults } of FAULTS) {
    test(faults[0], (t) => {
      const found = faultsOf(t, yaml, env);
      assert.deepEqual(found, faults);
      assert(!found.join().includes(KEY));
    });
  }

  test('all of them come in one error', (t) => {
    const cwd = directory(t, 'sandbox: 3\ncolour: red');
    assert.throws(
      () => loadConfig({ env: { ONETAKE_PORT: 'x' }, cwd }),
      /has 3 faults:\n {2}sandbox: .*\n {2}colour: .*\n {2}ONETAKE_PORT: /,
    );
  });
});
