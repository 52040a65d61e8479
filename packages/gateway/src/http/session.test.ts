import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { digestOf } from '../keys/admin-key.ts';
import { createSessions } from '../keys/session.ts';
import { createCallers } from './callers.ts';
import { problemBody, problemHeaders, requestProblemOf } from './problem.ts';
import { addSession } from './session.ts';

const KEY = 'the-key-of-the-environment';

function served(context: TestContext, options: { publicUrl?: string; isOpen?: boolean; now?: () => number } = {}) {
  const { publicUrl, isOpen = false, now = () => 0 } = options;
  const adminKey = { digest: digestOf(KEY), from: isOpen ? 'file' : 'environment' } as const;
  const sessions = createSessions(Buffer.alloc(32, 7), now);
  const callers = isOpen ? [] : [{ name: 'web', key: 'key-of-web' }];
  const app = Fastify();
  context.after(() => app.close());
  app.decorateRequest('fromBrowser', false);
  app.addHook('onRequest', async (request) => {
    request.fromBrowser = request.headers.origin !== undefined;
  });
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).headers(problemHeaders(problem)).send(problemBody(problem, 'r'));
  });
  addSession(app, {
    config: publicUrl === undefined ? {} : { publicUrl },
    identify: createCallers({ callers, adminKey, sessions, now }),
    ...{ sessions, sandboxUrl: () => undefined, io: { now } },
  });
  return async (method: 'GET' | 'POST' | 'DELETE', headers: Record<string, string> = {}, payload?: string) => {
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await app.inject({
      ...{ method, url: '/v1/session', headers: { host: 'localhost', ...type, ...headers } },
      ...(payload !== undefined && { payload }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  };
}

const login = (key: string) => JSON.stringify({ key });

test('signing in with an administrator’s key sets a cookie that signs the page in, and signing out takes it', async (context) => {
  const ask = served(context);
  const before = await ask('GET', { 'x-onetake-page': '1' });
  assert.deepEqual([before.status, before.body.signed_in, before.body.needs_key], [200, false, true]);
  const opened = await ask('POST', {}, login(`${KEY}\n`));
  const { version, ...told } = opened.body;
  assert.match(version, /^\d+\.\d+\.\d+$/);
  const session = { object: 'session', signed_in: true, needs_key: true, caller: 'admin', is_admin: true };
  assert.deepEqual(told, { ...session, sandbox: false, default_model: null });
  const cookie = String(opened.headers['set-cookie']);
  assert.match(cookie, /^onetake_session=[\w.-]+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
  assert.equal(opened.headers['cache-control'], 'no-store');
  const shown = { 'x-onetake-page': '1', cookie: cookie.split(';')[0] ?? '' };
  assert.equal((await ask('GET', shown)).body.caller, 'admin');
  const closed = await ask('DELETE', shown);
  assert.deepEqual([closed.status, closed.body.signed_in], [200, false]);
  assert.match(String(closed.headers['set-cookie']), /^onetake_session=; HttpOnly; .*Max-Age=0$/);
});

test('behind TLS the cookie never leaves in the clear', async (context) => {
  const ask = served(context, { publicUrl: 'https://pictures.example' });
  assert.match(String((await ask('POST', {}, login(KEY))).headers['set-cookie']), /; Secure$/);
});

test('without keys in use nobody needs to sign in', async (context) => {
  const ask = served(context, { isOpen: true });
  const { body } = await ask('GET');
  assert.deepEqual([body.signed_in, body.needs_key, body.caller, body.is_admin], [true, false, 'local', true]);
  assert.equal((await ask('POST', {}, login('anything'))).headers['set-cookie'], undefined);
});

test('a key that is none, or administers nothing, opens nothing; guessing is slowed down', async (context) => {
  let now = 0;
  const ask = served(context, { now: () => now });
  const plain = await ask('POST', {}, login('key-of-web'));
  assert.deepEqual([plain.status, plain.body.error.code, plain.headers['set-cookie']], [403, 'admin_only', undefined]);
  for (let wrong = 1; wrong < 10; wrong += 1) {
    const { status, body, headers } = await ask('POST', {}, login('wrong'));
    assert.deepEqual([status, body.error.code, headers['set-cookie']], [401, 'invalid_api_key', undefined]);
  }
  const slowed = await ask('POST', {}, login('wrong'));
  assert.deepEqual([slowed.status, slowed.body.error.code], [429, 'too_many_logins']);
  assert.equal(slowed.headers['retry-after'], '60');
  assert.equal((await ask('POST', {}, login(KEY))).status, 200, 'who guesses keeps nobody out');
  now = 60_000;
  assert.equal((await ask('POST', {}, login('wrong'))).status, 401);
});

test('a page of another origin signs nobody in, also where it may call, and administers nothing', async (context) => {
  const origin = 'https://app.example';
  const ask = served(context, { isOpen: true });
  const refused = await ask('POST', { origin }, login(KEY));
  assert.deepEqual([refused.status, refused.body.error.code], [403, 'forbidden_origin']);
  assert.equal(refused.headers['set-cookie'], undefined);
  const { body } = await ask('GET', { origin });
  assert.deepEqual([body.caller, body.is_admin], ['local', false]);
});

test('what is no key in JSON is refused, and never said back', async (context) => {
  const ask = served(context);
  for (const payload of ['{}', '[]', '{"key":""}', '{"key":7}', login('x'.repeat(1025))])
    assert.equal((await ask('POST', {}, payload)).status, 400, payload.slice(0, 20));
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
  ])
    assert.equal((await ask('POST', { 'content-type': type }, login(KEY))).status, 415, type);
  const tooLarge = await ask('POST', {}, login('x'.repeat(5000)));
  assert.equal(tooLarge.status, 413);
});
