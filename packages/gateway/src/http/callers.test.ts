import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, KEY_CHARACTERS, KEY_PREFIX } from '../keys/admin-key.ts';
import type { ManagedKey } from '../keys/key.ts';
import { createCallers } from './callers.ts';
import { RequestProblem } from './problem.ts';

const CALLERS = [
  { name: 'web', key: 'key-of-web' },
  { name: 'batch', key: 'key-of-batch' },
];
const identify = createCallers({ callers: CALLERS });

function call(...rawHeaders: string[]): string {
  try {
    const { caller, isAdmin } = identify({ rawHeaders });
    assert.equal(isAdmin, false, 'a key of ONETAKE_API_KEYS administers nothing');
    return caller;
  } catch (error) {
    assert.ok(error instanceof RequestProblem);
    assert.deepEqual([error.status, error.code, error.type], [401, 'invalid_api_key', 'authentication_error']);
    assert.ok(!error.message.includes('key-of'), 'a key is never echoed');
    return error.message;
  }
}

test('a key names its caller, in whichever header clients put it', () => {
  assert.equal(call('Authorization', 'Bearer key-of-web'), 'web');
  assert.equal(call('authorization', 'bearer key-of-batch'), 'batch');
  assert.equal(call('X-API-Key', 'key-of-batch'), 'batch');
  assert.equal(call('api-key', 'key-of-web'), 'web');
  assert.equal(call('Authorization', 'Bearer key-of-web', 'api-key', 'key-of-web'), 'web');
});

test('each way to get it wrong has its own sentence', () => {
  const cases: [string[], RegExp][] = [
    [[], /no Authorization header/],
    [['Authorization', ''], /header is empty/],
    [['Authorization', 'key-of-web'], /does not begin with "Bearer "/],
    [['Authorization', 'Basic key-of-web'], /does not begin with "Bearer "/],
    [['Authorization', 'Bearer'], /nothing follows "Bearer"/],
    [['Authorization', 'Bearer  key-of-web'], /stray white space/],
    [['Authorization', 'Bearer key-of-web x'], /stray space/],
    [['Authorization', 'Bearer "key-of-web"'], /quotes/],
    [['Authorization', 'Bearer key-of-web,key-of-batch'], /two values/],
    [['Authorization', 'Bearer key-of-web', 'Authorization', 'Bearer key-of-batch'], /two different keys/],
    [['Authorization', 'Bearer key-of-web', 'x-api-key', 'key-of-batch'], /two different keys/],
    [['Authorization', 'Bearer key-of-nobody'], /not one of ONETAKE_API_KEYS/],
    [['x-api-key', ''], /x-api-key header is empty/],
  ];
  for (const [rawHeaders, expected] of cases) assert.match(call(...rawHeaders), expected);
});

const LOCAL = { caller: 'local', isAdmin: true };

test('without keys everybody is the one local caller, who administers, whatever they send', () => {
  const open = createCallers({ callers: [] });
  assert.deepEqual(open({ rawHeaders: [] }), LOCAL);
  assert.deepEqual(open({ rawHeaders: ['Authorization', 'nonsense "'] }), LOCAL);
});

const OWN = `${KEY_PREFIX}${'a'.repeat(KEY_CHARACTERS)}`;
const NOW = Date.UTC(2026, 10, 21);

/** Identifies with one key that was made here; its own unless told otherwise. */
function identifying(changes: Partial<ManagedKey>, rawHeaders = ['Authorization', `Bearer ${OWN}`], isInUse = true) {
  const key = { name: 'app', digest: digestOf(OWN), hint: 'sk-onetake-aaaa', createdAt: 0, ...changes };
  const keys = {
    find: (digest: string) => (digest === key.digest ? key : undefined),
    named: (name: string) => (name === key.name ? key : undefined),
    areInUse: () => isInUse,
  };
  return createCallers({ callers: [], keys, now: () => NOW })({ rawHeaders });
}

test('a key that was made here names its caller, and administers where it was made to', () => {
  const { key, ...who } = identifying({});
  assert.deepEqual([who, key?.name], [{ caller: 'app', isAdmin: false }, 'app']);
  assert.equal(identifying({ admin: true }).isAdmin, true);
  assert.equal(identifying({ expiresAt: NOW + 1 }).caller, 'app');
});

test('of a key that was made here it is said what is wrong', () => {
  const asked = (key: string) => ['Authorization', `Bearer ${key}`];
  const cases: [Partial<ManagedKey>, string[] | undefined, RegExp][] = [
    [{ expiresAt: NOW }, undefined, /"app" expired at 2026-11-21T00:00:00.000Z/],
    [{ revokedAt: NOW - 1000 }, undefined, /"app" was revoked at 2026-11-20T23:59:59.000Z/],
    [{}, asked(OWN.slice(0, -3)), /truncated: 3 characters are missing/],
    [{}, asked(`${OWN}b`), /1 characters too many/],
    [{}, asked(`${OWN.slice(0, -1)}b`), /no key of this gateway is like it/],
    [{}, asked('sk-proj-of-somebody-else'), /not one of this gateway’s/],
    [{}, [], /no Authorization header/],
  ];
  for (const [changes, headers, expected] of cases) {
    assert.throws(() => identifying(changes, headers), { status: 401, code: 'invalid_api_key', message: expected });
    assert.throws(
      () => identifying(changes, headers),
      ({ message }: Error) => !/a{5}/.test(message),
    );
  }
});

test('a key that looks made here is never taken for local, whatever is wrong with it', () => {
  for (const value of [`Bearer ${OWN.slice(0, -1)}b`, `Bearer ${OWN.slice(0, 20)}`, OWN, `Bearer "${OWN}"`])
    assert.throws(() => identifying({}, ['authorization', value], false), { status: 401 });
  assert.deepEqual(identifying({}, ['X-Note', OWN], false), LOCAL);
  assert.deepEqual(identifying({}, ['Authorization', 'Bearer sk-proj-x'], false), LOCAL);
  assert.equal(identifying({}, undefined, false).caller, 'app');
});

test('a browser key is of use to pages of its origins alone', () => {
  const browser = { origins: ['https://app.example'] };
  const from = (...origin: string[]) => identifying({ browser }, ['Authorization', `Bearer ${OWN}`, ...origin]);
  assert.equal(from('Origin', 'https://app.example').caller, 'app');
  const refused = { status: 403, code: 'forbidden_origin', param: 'Origin' };
  assert.throws(() => from(), { ...refused, message: /has no Origin header/ });
  for (const origin of ['https://app.example.evil', 'https://app.example/', 'http://app.example', 'null'])
    assert.throws(() => from('Origin', origin), refused);
});

test('the admin key administers; set by hand, nobody calls without a key', () => {
  const adminKey = { digest: digestOf(OWN), from: 'environment' as const };
  const closed = createCallers({ callers: [], adminKey });
  assert.deepEqual(closed({ rawHeaders: ['api-key', OWN] }), { caller: 'admin', isAdmin: true });
  assert.throws(() => closed({ rawHeaders: [] }), { status: 401 });
  const open = createCallers({ callers: [], adminKey: { ...adminKey, from: 'file' } });
  assert.deepEqual(open({ rawHeaders: ['api-key', OWN] }), { caller: 'admin', isAdmin: true });
  assert.deepEqual(open({ rawHeaders: [] }), LOCAL);
});
