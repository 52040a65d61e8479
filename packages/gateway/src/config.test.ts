import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { type Config, type Environment, loadConfig } from './config.ts';

function directory(t: TestContext, yaml?: string): string {
  const cwd = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  if (yaml !== undefined) writeFileSync(join(cwd, 'onetake.yaml'), yaml);
  return cwd;
}

function load(t: TestContext, yaml?: string, env: Environment = {}): Config {
  return loadConfig({ env, cwd: directory(t, yaml) });
}

const KEY = 'sk-verysecretverysecret';
const FULL_FILE = `
default_model: best
providers:
  openai: { key_env: WORK_KEY }
  my-lab: { base_url: http://127.0.0.1:1234/v1/ }
routes:
  best: { targets: [openai/gpt-image-2, my-lab/sdxl], payment: strict, fallback: off, suspect: fail, total_timeout_ms: 90000 }
  cheap: { targets: [sandbox/ok], cache: on }
retention: { days: 7, bytes: 1.5TB, ledger_days: 90 }
cache: { days: 7, bytes: 2GB }
cors: { origins: [https://app.example] }
sandbox: on
body_limit_bytes: 2MB
attach_window_ms: 0
`;

suite('a sound configuration', () => {
  test('nothing set is the default', (t) => {
    const cwd = directory(t);
    assert.deepEqual(
      { ...loadConfig({ env: {}, cwd }), routes: {}, promptRules: undefined, alerts: undefined },
      {
        host: '127.0.0.1',
        port: 8484,
        dataDir: join(cwd, 'onetake-data'),
        assetsDir: join(cwd, 'onetake-data', 'assets'),
        callers: [],
        providers: [],
        models: Object.create(null),
        chatModels: Object.create(null),
        routes: {},
        ...{ promptRules: undefined, alerts: undefined },
        degrade: Object.create(null),
        chat: { rewriteTimeoutMs: 30_000, judgeTimeoutMs: 20_000 },
        ...{ aliases: true, sandbox: true },
        retention: { days: 30, bytes: 50e9, ledgerDays: 400 },
        cache: { days: 30, bytes: 1e9, routes: Object.create(null) },
        previews: { bytes: 1e9 },
        ...{ corsOrigins: [], metrics: { open: false } },
        webhooks: { allowPrivate: false, callers: Object.create(null) },
        log: { level: 'warn' },
        limits: {},
        queue: { maxQueued: 100_000, maxQueuedPerKey: 20_000, maxRunningPerKey: 1_000 },
        bodyLimitBytes: 64 * 1024 * 1024,
        attachWindowMs: 900_000,
        notices: [],
      },
    );
  });
});

suite('a configured gateway', () => {
  test('everything set', (t) => {
    const config = load(t, FULL_FILE, {
      WORK_KEY: KEY,
      ONETAKE_PORT: '0',
      ONETAKE_HOST: '0.0.0.0',
      ONETAKE_DATA: '/var/lib/onetake',
      ONETAKE_API_KEYS: 'app:longenough,ci:longenoughtoo,',
      ONETAKE_PUBLIC_URL: 'https://pictures.example/onetake/',
      ONETAKE_MY_LAB_BASE_URL: 'http://127.0.0.1:4321/v1',
    });
    assert.deepEqual(config.providers, [
      { id: 'openai', kind: 'openai', baseUrl: 'https://api.openai.com/v1', secret: KEY, keySource: 'WORK_KEY' },
      {
        id: 'my-lab',
        kind: 'openai-compatible',
        baseUrl: 'http://127.0.0.1:4321/v1',
        secret: '',
        keySource: undefined,
      },
    ]);
    assert.deepEqual(
      { ...config.routes },
      {
        best: {
          targets: ['openai/gpt-image-2', 'my-lab/sdxl'],
          policy: { payment: 'strict', fallback: false, suspect: 'fail', totalTimeoutMs: 90_000 },
        },
        cheap: { targets: ['sandbox/ok'] },
      },
    );
    assert.deepEqual(config.callers, [
      { name: 'app', key: 'longenough' },
      { name: 'ci', key: 'longenoughtoo' },
    ]);
    assert.deepEqual(config.retention, { days: 7, bytes: 1.5e12, ledgerDays: 90 });
    assert.deepEqual(
      { ...config.cache, routes: { ...config.cache.routes } },
      { days: 7, bytes: 2e9, routes: { cheap: 'on' } },
    );
    assert.equal(config.publicUrl, 'https://pictures.example/onetake');
    assert.equal(config.defaultModel, 'best');
    assert.equal(config.bodyLimitBytes, 2e6);
    assert.equal(config.port, 0);
    assert.deepEqual(config.notices, []);
  });
});

suite('limits, pools and databases', () => {
  test('limits are rates over a window, one or several, by target', (t) => {
    const { limits, queue } = load(
      t,
      'limits: {openai/gpt-image-2: {images: 5/60s, concurrency: 4}, "openai/*": {requests: [10/s, 600/1.5h]}}\nqueue: {max_queued: 7}',
    );
    assert.deepEqual(limits, {
      'openai/gpt-image-2': { images: [{ count: 5, windowMs: 60_000 }], concurrency: 4 },
      'openai/*': {
        requests: [
          { count: 10, windowMs: 1_000 },
          { count: 600, windowMs: 5_400_000 },
        ],
      },
    });
    assert.equal(queue.maxQueued, 7);
  });

  test('several keys of a provider are a pool, of which those that are set count', (t) => {
    const yaml = 'providers: {openai: {key_env: [FIRST, SECOND, THIRD]}}';
    const { providers } = load(t, yaml, { FIRST: KEY, THIRD: `${KEY}3` });
    assert.deepEqual(providers[0]?.pool, { 'openai:FIRST': KEY, 'openai:THIRD': `${KEY}3` });
    assert.equal(load(t, yaml, { SECOND: KEY }).providers[0]?.pool, undefined);
  });

  test('a database is used by its URL, which is never said back, and wants a shared directory of pictures', (t) => {
    const ONETAKE_DATABASE_URL = 'postgres://user:secret@db/onetake';
    const alone = load(t, undefined, { ONETAKE_DATABASE_URL });
    assert.equal(alone.databaseUrl, ONETAKE_DATABASE_URL);
    assert.match(alone.notices.join(), /ONETAKE_ASSETS is not/);
    assert.doesNotMatch(alone.notices.join(), /secret/);
    const shared = load(t, undefined, { ONETAKE_DATABASE_URL, ONETAKE_ASSETS: '/srv/pictures' });
    assert.deepEqual([shared.assetsDir, shared.notices], ['/srv/pictures', []]);
  });
});

test('a key that administers is enough to listen to others', (t) => {
  const config = load(t, '', { ONETAKE_HOST: '0.0.0.0', ONETAKE_ADMIN_KEY: 'made-by-a-password-store' });
  assert.deepEqual([config.adminKey, config.callers, config.notices], ['made-by-a-password-store', [], []]);
});

suite('leniency', () => {
  test('no route answers to the name of an inherited property', (t) => {
    assert.equal(load(t).routes.constructor, undefined);
  });

  test('sections whose entries are commented out count as absent', (t) => {
    assert.equal(load(t, 'providers:\nroutes:\n# nothing\n').retention.days, 30);
  });

  test('on and off may be booleans', (t) => {
    assert.equal(load(t, 'sandbox: false').sandbox, false);
    assert.equal(load(t, 'sandbox: off').sandbox, false);
  });

  test('a key file is trimmed', (t) => {
    const cwd = directory(t);
    writeFileSync(join(cwd, 'key'), `${KEY}\n`);
    const [provider] = loadConfig({ env: { OPENAI_API_KEY_FILE: 'key' }, cwd }).providers;
    assert.deepEqual([provider?.secret, provider?.keySource], [KEY, join(cwd, 'key')]);
  });

  test('a variable alone makes a provider', (t) => {
    const [provider] = load(t, undefined, { ONETAKE_MY_LAB_BASE_URL: 'http://10.0.0.2:1234/v1' }).providers;
    assert.deepEqual([provider?.id, provider?.kind], ['my-lab', 'openai-compatible']);
  });

  test('OpenAI at another address needs no key', (t) => {
    const [provider] = load(t, undefined, { ONETAKE_OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }).providers;
    assert.deepEqual([provider?.id, provider?.kind, provider?.secret], ['openai', 'openai', '']);
  });
});

const NOTICES: readonly { readonly env: Environment; readonly yaml?: string; readonly notice: string }[] = [
  {
    env: { OPENAI_BASE_URL: 'http://127.0.0.1:8484/v1' },
    notice:
      'OPENAI_BASE_URL is set; applications use it to reach Onetake, so it is ignored here; set ONETAKE_OPENAI_BASE_URL to change where OpenAI is',
  },
  { env: { OPENAI_API_KEY: ` ${KEY}` }, notice: 'OPENAI_API_KEY: read without the space around the key' },
  { env: { OPENAI_API_KEY: `'${KEY}'` }, notice: 'OPENAI_API_KEY: read without the quotes around the key' },
  { env: { OPENAI_API_KEY: `Bearer ${KEY}` }, notice: 'OPENAI_API_KEY: read without the word "Bearer" before the key' },
  { env: { ONETAKE_PROT: '1' }, notice: 'ONETAKE_PROT is set and nothing reads it; did you mean "ONETAKE_PORT"?' },
  {
    env: {},
    yaml: 'providers: {openai: {key_env: WORK_KEY}}',
    notice: 'providers.openai.key_env: WORK_KEY is not set, so openai has no key',
  },
];

suite('notices', () => {
  for (const { env, yaml, notice } of NOTICES) {
    test(notice, (t) => {
      const config = load(t, yaml, env);
      assert.deepEqual([...config.notices].slice(0, 1), [notice]);
      if (env.OPENAI_API_KEY !== undefined) assert.equal(config.providers[0]?.secret, KEY);
    });
  }
});
