/** The page's edge from outside: what is served and with which headers, who may sign in, and what a session is worth. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, call, sendRaw } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';

const KEY = 'the-key-of-the-environment';
const HTML = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const PAGE = { 'x-onetake-page': '1', 'sec-fetch-site': 'same-origin' };

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({ env: { ONETAKE_ADMIN_KEY: KEY } });
});
after(() => gateway.close());

function ask(path: string, headers: Record<string, string> = {}, options: { method?: string; body?: object } = {}) {
  return call(`${gateway.url}${path}`, { headers, ...options });
}

/** The cookie as a browser sends it back. */
function cookieOf({ headers }: Answer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? assert.fail('no cookie was set');
}

async function signIn(key: string): Promise<string> {
  const answer = await ask('/v1/session', PAGE, { body: { key } });
  assert.equal(answer.status, 200, answer.text);
  return cookieOf(answer);
}

test('what is served as HTML has a strict policy and nothing inline', async () => {
  const { status, headers, text } = await ask('/', HTML);
  assert.equal(status, 200);
  assert.match(headers['content-type'] ?? '', /^text\/html/);
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.match(policy, /connect-src 'self';.*base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
  for (const [script = ''] of text.matchAll(/<script\b[^>]*>[^<]*/gi))
    assert.match(script, /\ssrc="\/page\/[^"]+"[^>]*>$/);
  assert.doesNotMatch(text, /<style\b|\sstyle=|\son[a-z]+=|javascript:/i);
  for (const [, address = ''] of text.matchAll(/\s(?:src|href)="([^"]*)"/gi)) assert.match(address, /^\/(?!\/)/);
  for (const [, address = ''] of text.matchAll(/\s(?:src|href)="(\/page\/[^"]*)"/gi))
    assert.equal((await ask(address)).status, 200, address);
});

test('programs are told the endpoints where people get the page', async () => {
  const { body, headers } = await ask('/', { accept: 'application/json' });
  assert.equal(body.name, 'onetake');
  assert.match(headers.vary ?? '', /Accept/);
  assert.ok((body.endpoints as string[]).includes('POST /v1/session'));
});

test('no path leads out of the page’s directory', async () => {
  const { host } = new URL(gateway.url);
  const paths = ['/page/../package.json', '/page/..%2fpackage.json', '/page/%2e%2e/%2e%2e/package.json'];
  paths.push('/page//etc/passwd', '/page/..%5c..%5cpackage.json', '/page/%252e%252e/package.json', '/page/assets/');
  for (const path of paths) {
    // As it is written: a URL would be normalised before it is sent.
    const raw = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\naccept: text/html\r\nconnection: close\r\n\r\n`;
    const { status, text } = await sendRaw(gateway.url, raw);
    assert.equal(status, 404, path);
    assert.doesNotMatch(text, /"dependencies"|nobody:/, path);
  }
});

test('the cookie is for this site, for HTTP alone, and for half a day', async () => {
  const answer = await ask('/v1/session', PAGE, { body: { key: KEY } });
  assert.deepEqual(answer.headers['set-cookie']?.[0]?.split('; ').slice(1), [
    ...['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=43200'],
  ]);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const signedOut = await ask('/v1/session', PAGE);
  assert.deepEqual([signedOut.body.signed_in, signedOut.body.needs_key], [false, true]);
  const wrong = await ask('/v1/session', PAGE, { body: { key: 'wrong-wrong-wrong' } });
  assert.deepEqual([wrong.status, wrong.headers['set-cookie']], [401, undefined]);
});

test('a session is worth nothing to any page but ours', async () => {
  const cookie = await signIn(KEY);
  assert.equal((await ask('/v1/keys', { ...PAGE, cookie })).status, 200);
  const made = await ask('/v1/keys', { ...PAGE, cookie, origin: gateway.url }, { body: { name: 'from-the-page' } });
  assert.equal(made.status, 201, made.text);
  const foreign: [Record<string, string>, number][] = [
    [{}, 401],
    [{ 'sec-fetch-site': 'same-origin' }, 401],
    [{ ...PAGE, 'sec-fetch-site': 'cross-site' }, 403],
    [{ ...PAGE, 'sec-fetch-site': 'same-site' }, 403],
    [{ ...PAGE, origin: 'https://evil.example' }, 403],
    [{ ...PAGE, origin: 'null' }, 403],
    [{ ...PAGE, host: 'evil.example' }, 403],
  ];
  for (const [headers, status] of foreign) {
    for (const [path, options] of [
      ['/v1/keys', {}],
      ['/v1/keys', { body: { name: 'evil' } }],
      ['/v1/images/generations', { body: { prompt: 'evil' } }],
      ['/v1/targets/sandbox/drain', { method: 'POST', body: {} }],
    ] as const)
      assert.equal(
        (await ask(path, { ...headers, cookie }, options)).status,
        status,
        `${path} ${JSON.stringify(headers)}`,
      );
  }
  const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  assert.equal((await ask('/v1/session', preflight, { method: 'OPTIONS' })).status, 403);
  const login = await ask('/v1/session', { origin: 'https://evil.example' }, { body: { key: KEY } });
  assert.deepEqual([login.status, login.headers['set-cookie']], [403, undefined]);
  const { data = [] } = (await ask('/v1/keys', { ...PAGE, cookie })).body;
  assert.deepEqual(
    data.map(({ name }) => name),
    ['from-the-page'],
  );
});

test('a session lives over a restart, and dies with its key', async () => {
  const admin = { authorization: `Bearer ${KEY}` };
  const made = await ask('/v1/keys', admin, { body: { name: 'ops', admin: true } });
  const cookies = [await signIn(KEY), await signIn(String(made.body.key))];
  const statuses = () =>
    Promise.all(cookies.map(async (cookie) => (await ask('/v1/targets', { ...PAGE, cookie })).status));
  assert.deepEqual(await statuses(), [200, 200]);
  const { home } = gateway;
  await gateway.end();
  gateway = await startGateway({ home, env: { ONETAKE_ADMIN_KEY: KEY } });
  assert.deepEqual(await statuses(), [200, 200]);
  assert.equal((await ask('/v1/session', { ...PAGE, cookie: cookies[1] ?? '' })).body.caller, 'ops');
  assert.equal((await ask('/v1/keys/ops', admin, { method: 'DELETE' })).status, 200);
  assert.deepEqual(await statuses(), [200, 401]);
  await gateway.end();
  gateway = await startGateway({ home, env: { ONETAKE_ADMIN_KEY: 'a-new-key-of-the-environment' } });
  assert.deepEqual(await statuses(), [401, 401]);
});

test('what the sandbox can do and what it charged is told to administrators', async () => {
  const admin = { authorization: 'Bearer a-new-key-of-the-environment' };
  assert.equal((await ask('/v1/sandbox/faults')).status, 401);
  const { body } = await ask('/v1/sandbox/faults', admin);
  assert.ok((body.faults as { name: string }[]).some(({ name }) => name === 'ok'));
  assert.deepEqual((await ask('/v1/sandbox/ledger', admin, { method: 'DELETE' })).body.models, {});
  assert.deepEqual((await ask('/v1/sandbox/ledger?detail=1', admin)).body.entries, []);
});
