import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { type BrowserGuardOptions, createBrowserGuard } from './browser-guard.ts';
import { problemBody, requestProblemOf } from './problem.ts';

const APP = 'https://app.example';

function guarded(context: TestContext, options: Partial<BrowserGuardOptions> = {}) {
  const guard = createBrowserGuard({ host: '127.0.0.1', corsOrigins: [], ...options });
  const app = Fastify();
  context.after(() => app.close());
  app.addHook('onRequest', guard.onRequest);
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).send(problemBody(problem, 'r'));
  });
  for (const url of ['/', '/v1/assets/:name', '/v1/models'])
    app.get(url, (request) => ({ browser: guard.isBrowserRequest(request) }));
  app.post('/v1/images/generations', (request) => ({ browser: guard.isBrowserRequest(request) }));
  return async (
    headers: Record<string, string>,
    method: 'GET' | 'POST' | 'OPTIONS' = 'POST',
    url = '/v1/images/generations',
  ) => {
    const answer = await app.inject({ method, url, headers: { host: 'localhost:8484', ...headers } });
    const body = answer.body === '' ? {} : answer.json();
    return {
      status: answer.statusCode,
      code: body.error?.code,
      message: body.error?.message,
      headers: answer.headers,
      browser: body.browser,
    };
  };
}

test('only the gateway’s own names are a Host: a rebound name is not', async (context) => {
  const call = guarded(context, { host: '10.1.2.3', publicUrl: 'https://pictures.example/onetake' });
  for (const host of [
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1:8484',
    '[::1]:8484',
    '10.1.2.3:8484',
    'pictures.example',
  ]) {
    assert.equal((await call({ host })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '10.1.2.4',
    'a@localhost',
    'localhost:1:2',
  ]) {
    const answer = await call({ host });
    assert.deepEqual([answer.status, answer.code], [403, 'forbidden_host'], host);
    assert.match(answer.message, /ONETAKE_PUBLIC_URL/);
  }
});

test('bound to every address, any address is its own, and a name still is not', async (context) => {
  const call = guarded(context, { host: '0.0.0.0' });
  assert.equal((await call({ host: '192.168.1.7:8484' })).status, 200);
  assert.equal((await call({ host: '[fe80::1]:8484' })).status, 200);
  assert.equal((await call({ host: 'evil.example' })).status, 403);
});

test('a page of another origin is refused; the own page, programs and typed addresses are not', async (context) => {
  const call = guarded(context, { publicUrl: 'https://pictures.example' });
  const good: Record<string, string>[] = [
    {},
    { origin: 'http://localhost:8484', 'sec-fetch-site': 'same-origin' },
    { origin: 'https://pictures.example', host: 'pictures.example' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin' },
  ];
  for (const headers of good) assert.equal((await call(headers)).status, 200, JSON.stringify(headers));
  const bad: Record<string, string>[] = [
    { origin: 'null' },
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:3000' },
    { origin: APP },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of bad) {
    const answer = await call(headers);
    assert.deepEqual([answer.status, answer.code], [403, 'forbidden_origin'], JSON.stringify(headers));
    assert.match(answer.message, /cors\.origins/);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
});

test('pictures may be shown anywhere and the page may be linked to; nothing else opens to other sites', async (context) => {
  const call = guarded(context);
  const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
  assert.equal((await call(image, 'GET', '/v1/assets/x.png')).status, 200);
  assert.equal((await call({ origin: 'https://evil.example' }, 'GET', '/v1/assets/x.png')).status, 200);
  assert.equal((await call(image, 'GET', '/v1/models')).status, 403);
  assert.equal((await call(image, 'GET', '/')).status, 403);
  assert.equal((await call({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'GET', '/')).status, 200);
  assert.equal((await call({ ...image, host: 'evil.example' }, 'GET', '/v1/assets/x.png')).status, 403);
});

test('an allowed origin gets CORS headers and counts as a browser', async (context) => {
  const call = guarded(context, { corsOrigins: [APP] });
  const answer = await call({ origin: APP, 'sec-fetch-site': 'cross-site' });
  assert.equal(answer.status, 200);
  assert.equal(answer.browser, true);
  assert.equal(answer.headers['access-control-allow-origin'], APP);
  assert.equal(answer.headers.vary, 'Origin');
  assert.match(
    String(answer.headers['access-control-expose-headers']),
    /x-request-id.*x-onetake-generation.*x-onetake-rewritten.*warning.*retry-after-ms/,
  );
  assert.equal((await call({ origin: 'http://localhost:8484' })).browser, false);
  assert.equal((await call({})).browser, false);
});

test('a preflight is answered for allowed origins only', async (context) => {
  const call = guarded(context, { corsOrigins: [APP] });
  const asked = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'Content-Type,x-onetake-payment,x-stainless-retry-count,x-evil,X-Onetake-Page',
  };
  const answer = await call({ origin: APP, ...asked }, 'OPTIONS');
  assert.equal(answer.status, 204);
  assert.equal(answer.headers['access-control-allow-origin'], APP);
  assert.match(String(answer.headers.vary), /Origin/);
  const allowed = String(answer.headers['access-control-allow-headers']).split(', ');
  for (const name of [
    'authorization',
    'content-type',
    'idempotency-key',
    'prefer',
    'x-onetake-payment',
    'x-stainless-retry-count',
  ]) {
    assert.ok(allowed.includes(name), name);
  }
  assert.ok(!allowed.includes('x-onetake-page'), 'what tells our own page from others is for nobody else');
  assert.ok(!allowed.includes('x-evil'));
  assert.equal((await call({ origin: 'https://evil.example', ...asked }, 'OPTIONS')).status, 403);
});

test('a page that a browser key is for may call with that key alone', async (context) => {
  const origin = 'https://page.example';
  const guard = createBrowserGuard({
    ...{ host: '127.0.0.1', corsOrigins: [APP] },
    isKeyOrigin: (one) => one === origin,
  });
  const call = guarded(context, { corsOrigins: [APP], isKeyOrigin: (one) => one === origin });
  const preflight = await call({ origin, 'access-control-request-method': 'POST' }, 'OPTIONS');
  assert.deepEqual([preflight.status, preflight.headers['access-control-allow-origin']], [204, origin]);
  const answered = await call({ origin });
  assert.deepEqual([answered.status, answered.browser], [200, true]);
  assert.match(String(answered.headers['access-control-expose-headers']), /ratelimit, ratelimit-policy/);
  assert.equal((await call({ origin: 'https://other.example' })).status, 403);
  const key = { name: 'page', digest: 'd', hint: 'h', createdAt: 0 };
  const headers = { host: 'localhost', origin };
  guard.checkKey({ headers, key: { ...key, browser: { origins: [origin] } } });
  const refused = { status: 403, code: 'forbidden_origin', message: /onetake keys create --browser/ };
  assert.throws(() => guard.checkKey({ headers, key }), refused);
  assert.throws(() => guard.checkKey({ headers, key: undefined }), refused);
  for (const known of [{ host: 'localhost' }, { host: 'localhost', origin: APP }, { host: 'x', origin: 'http://x' }])
    guard.checkKey({ headers: known, key: undefined });
});
