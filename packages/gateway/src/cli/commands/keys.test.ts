import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cli, temporaryDirectory } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const ADMIN_KEY = `sk-onetake-${'A'.repeat(43)}`;
const NOW = Date.UTC(2026, 10, 21, 12);
const KEY = {
  ...{ object: 'key', name: 'app', hint: 'sk-onetake-AbCd', status: 'usable', created_at: NOW, revoked_at: null },
  ...{ expires_at: NOW, budget: { usd: 5, per: 'day' }, images: { count: 20, per: 'total' }, rpm: 60 },
  ...{ models: ['image-*'], allow_unknown_price: false, admin: false, browser: null },
};
const WINDOWS = [
  { name: 'budget day 2026-11-21', unit: 'usd', most: 5, spent: 1.2, held: 0.04, left: 3.76, since: 0, until: NOW },
  { name: 'images total', unit: 'images', most: 20, spent: 7, held: 0, left: 13, since: 0, until: null },
];

/** Answers whoever has no key with a 401, and whoever is no administrator as such. */
function replying(keys: readonly object[] = [KEY]) {
  return ({ method, url, headers }: Received): Reply => {
    const refused = (status: number, code: string) => ({ status, body: { error: { message: code, code } } });
    if (url === '/health/live') return { body: {} };
    if (headers.authorization === undefined) return refused(401, 'invalid_api_key');
    if (!headers.authorization.includes(ADMIN_KEY)) return refused(403, 'admin_only');
    if (method === 'POST') return { status: 201, body: { ...KEY, key: 'sk-onetake-AbCdTheRest' } };
    if (method === 'DELETE') return { body: { ...KEY, status: 'revoked', revoked_at: NOW } };
    return { body: url === '/v1/keys' ? { object: 'list', data: keys } : { ...KEY, windows: WINDOWS } };
  };
}

interface RunOptions {
  readonly keys?: readonly object[];
  readonly env?: Record<string, string>;
}

async function keys(t: TestContext, args: readonly string[], { keys: known, env = {} }: RunOptions = {}) {
  const { url, received } = await fakeGateway(t, replying(known));
  const cwd = temporaryDirectory(t);
  writeFileSync(join(cwd, 'admin.key'), `${ADMIN_KEY}\n`, { mode: 0o600 });
  const run = await cli(t, ['keys', ...args], { env: { ONETAKE_URL: url, ONETAKE_DATA: cwd, ...env }, cwd });
  return { ...run, received };
}

test('create says the key on stdout and what it is held to beside it', async (t) => {
  const limits = ['--budget', '$5/day', '--images', '20', '--rpm', '60', '--models', 'image-*,a', '--models', 'b'];
  const { exitCode, stdout, stderr, received } = await keys(
    t,
    ['create', '--name', 'app', ...limits, '--expires', '30d', '--allow-unknown-price'],
    { keys: [] },
  );
  assert.deepEqual([exitCode, stdout], [0, 'sk-onetake-AbCdTheRest\n']);
  const facts = 'app (sk-onetake-AbCd…), usable: $5.00/day, 20 images in total, 60 requests/min, models image-*, until';
  assert.ok(stderr.startsWith(`${facts} 2026-11-21 12:00 UTC\n`), stderr);
  assert.match(stderr, /From now on nobody calls this gateway without a key/);
  assert.deepEqual(JSON.parse(received.find(({ method }) => method === 'POST')?.body ?? ''), {
    ...{ name: 'app', budget: { usd: 5, per: 'day' }, images: { count: 20, per: 'total' }, rpm: 60 },
    ...{ models: ['image-*', 'a', 'b'], expires_in_ms: 2_592_000_000, allow_unknown_price: true },
  });
});

test('a browser key names its origins, and prints JSON where that is asked for', async (t) => {
  const origin = ['--browser', '--origin', 'https://a.example', '--origin', 'https://b.example'];
  const { stdout, stderr, received } = await keys(t, ['create', '--name', 'page', ...origin, '--json']);
  assert.equal(JSON.parse(stdout).key, 'sk-onetake-AbCdTheRest');
  assert.equal(stderr, '');
  const sent = JSON.parse(received.find(({ method }) => method === 'POST')?.body ?? '');
  assert.deepEqual(sent, { name: 'page', browser: { origins: ['https://a.example', 'https://b.example'] } });
  for (const half of [['--browser'], ['--origin', 'https://a.example']]) {
    const { exitCode, stderr: told } = await keys(t, ['create', '--name', 'page', ...half]);
    assert.equal(exitCode, 2);
    assert.match(told, /--browser and --origin go together/);
  }
});

test('an amount that is none is said to be so', async (t) => {
  for (const [option, value] of [
    ['--budget', '5/year'],
    ['--budget', 'five'],
    ['--images', '1.5/day'],
    ['--expires', '30'],
    ['--expires', '0d'],
    ['--rpm', '0'],
  ] as const) {
    const { stderr, received } = await keys(t, ['create', '--name', 'app', option, value]);
    assert.match(stderr, new RegExp(`${option} .* is invalid\\. expected`), `${option} ${value}`);
    assert.deepEqual(received, []);
  }
});

test('list shows what is spent and held of what the running windows allow', async (t) => {
  const idle = { ...KEY, name: 'idle', budget: null, images: null, rpm: null, models: null, expires_at: null };
  const { stdout, received } = await keys(t, [], { keys: [KEY, idle] });
  assert.equal(
    stdout,
    `name   kind   status   money                             images             rpm   models    expires (UTC)
app    app    usable   $1.20 + $0.04 held of $5.00/day   7 of 20 in total   60    image-*   2026-11-21T12:00
idle   app    usable   -                                 -                  -     all       -

2 keys
`,
  );
  assert.equal(received.filter(({ url }) => url.startsWith('/v1/keys/')).length, 1);
});

test('show tells each window, revoke what is open again', async (t) => {
  const { stdout } = await keys(t, ['show', 'app']);
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(lines.slice(1), [
    '  budget day 2026-11-21: $1.20 spent, $0.04 held, $3.76 left of $5.00, until 2026-11-21 12:00 UTC',
    '  images total: 7 spent, 0 held, 13 left of 20, without end',
  ]);
  const revoked = await keys(t, ['revoke', 'app'], { keys: [{ ...KEY, status: 'revoked' }] });
  assert.match(revoked.stdout, /^app \(sk-onetake-AbCd…\), revoked: /);
  assert.match(revoked.stderr, /No key is left/);
  assert.equal((await keys(t, ['revoke', 'app'])).stderr, '');
});

test('what is for administrators is asked again with the admin key, where another one was shown', async (t) => {
  const { exitCode, received } = await keys(t, ['show', 'app'], { env: { ONETAKE_API_KEY: 'key-of-app' } });
  assert.equal(exitCode, 0);
  const shown = received.filter(({ url }) => url === '/v1/keys/app').map(({ headers }) => headers.authorization);
  assert.deepEqual(shown, ['Bearer key-of-app', `Bearer ${ADMIN_KEY}`]);
});

test('without any key a command is told so by the gateway', async (t) => {
  const { exitCode, stderr } = await keys(t, [], { env: { ONETAKE_DATA: '/nowhere' } });
  assert.deepEqual([exitCode, stderr], [1, 'onetake: invalid_api_key\n']);
});

test('another server that happens to listen there is shown no key, whatever it says to every path', async (t) => {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(headers);
    response.end('<!doctype html><title>some other program</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const cwd = temporaryDirectory(t);
  writeFileSync(join(cwd, 'admin.key'), `${ADMIN_KEY}\n`, { mode: 0o600 });
  const ONETAKE_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { exitCode, stderr } = await cli(t, ['keys', 'list'], {
    ...{ cwd, env: { ONETAKE_URL, ONETAKE_DATA: cwd, ONETAKE_API_KEY: 'key-of-app' } },
  });
  assert.equal(exitCode, 1);
  assert.match(stderr, /no gateway answers at/);
  assert.ok(seen.length > 0 && seen.every(({ authorization }) => authorization === undefined));
});
