import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../keys/admin-key.ts';
import type { ManagedKey } from '../keys/key.ts';
import { createSessions } from '../keys/session.ts';
import { createCallers } from './callers.ts';

const KEY = 'the-key-of-the-environment';
const sessions = createSessions(Buffer.alloc(32, 7), () => 0);
const adminKey = { digest: digestOf(KEY), from: 'environment' } as const;
const cookie = `onetake_session=${sessions.open('admin', adminKey.digest)}`;
const PAGE = { host: 'localhost:8484', 'x-onetake-page': '1', cookie };

function callerOf(
  headers: Readonly<Record<string, string>>,
  options: Partial<Parameters<typeof createCallers>[0]> = {},
) {
  const identify = createCallers({ callers: [{ name: 'web', key: 'key-of-web' }], adminKey, sessions, ...options });
  try {
    const { caller, isAdmin } = identify({ rawHeaders: Object.entries(headers).flat() });
    return isAdmin ? `${caller} (admin)` : caller;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

test('a session is of use to our own page alone', () => {
  const own: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8484' },
    { cookie: `theme=dark; ${cookie}; x=y` },
    { cookie: `onetake_session=stale; ${cookie}` },
  ];
  for (const headers of own) assert.equal(callerOf({ ...PAGE, ...headers }), 'admin (admin)', JSON.stringify(headers));
  const foreign: Record<string, string>[] = [
    { 'x-onetake-page': '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { origin: 'http://localhost:3000' },
    { origin: 'null' },
    { origin: 'https://localhost:8484' },
    { cookie: 'onetake_session=' },
    { cookie: cookie.replace('onetake_session', 'session') },
    { cookie: `${cookie}x` },
  ];
  for (const headers of foreign)
    assert.equal(callerOf({ ...PAGE, ...headers }), 'invalid_api_key', JSON.stringify(headers));
  const { 'x-onetake-page': _, ...withoutHeader } = PAGE;
  assert.equal(callerOf(withoutHeader), 'invalid_api_key');
});

test('behind a front that ends TLS the public origin is our own', () => {
  const headers = { ...PAGE, host: 'pictures.example', origin: 'https://pictures.example' };
  assert.equal(callerOf(headers), 'invalid_api_key');
  assert.equal(callerOf(headers, { publicUrl: 'https://pictures.example/onetake' }), 'admin (admin)');
});

test('a key in a header wins over the cookie, a wrong one too', () => {
  assert.equal(callerOf({ ...PAGE, authorization: 'Bearer key-of-web' }), 'web');
  assert.equal(callerOf({ ...PAGE, 'x-api-key': 'wrong' }), 'invalid_api_key');
});

test('a session ends with its key: changed, revoked, expired, or no administrator’s any more', () => {
  const changed = { digest: digestOf('another'), from: 'environment' } as const;
  assert.equal(callerOf(PAGE, { adminKey: changed }), 'invalid_api_key');
  const key: ManagedKey = { name: 'ops', digest: digestOf('k'), hint: 'h', createdAt: 0, admin: true };
  const as = (now: Partial<ManagedKey> | undefined) => {
    const keys = { find: () => undefined, named: () => now && { ...key, ...now }, areInUse: () => true };
    const value = sessions.open('ops', key.digest);
    return callerOf({ ...PAGE, cookie: `onetake_session=${value}` }, { keys, now: () => 100 });
  };
  assert.equal(as({}), 'ops (admin)');
  for (const now of [
    undefined,
    { revokedAt: 50 },
    { expiresAt: 100 },
    { digest: digestOf('another') },
    { browser: { origins: ['https://app.example'] } },
  ])
    assert.equal(as(now), 'invalid_api_key', JSON.stringify(now));
  const { admin: _, ...plain } = key;
  const keys = { find: () => undefined, named: () => plain, areInUse: () => true };
  const value = sessions.open('ops', key.digest);
  assert.equal(callerOf({ ...PAGE, cookie: `onetake_session=${value}` }, { keys }), 'invalid_api_key');
});
