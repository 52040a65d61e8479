import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import { digestOf } from '../keys/admin-key.ts';
import { openKeys } from '../keys/keys.ts';
import { createFakeCells } from '../testing/fake-cells.ts';
import { addKeyRoutes } from './keys.ts';
import { problemBody, requestProblemOf } from './problem.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;

async function served(context: TestContext, { fromBrowser = false, caller = 'admin' } = {}) {
  const io = createVirtualClock(NOW);
  const store = { ...createFakeCells().store, ownership: 'exclusive' as const };
  const keys = await openKeys({
    store,
    io,
    reserved: ['local', 'admin'],
    onError: (error) => assert.fail(String(error)),
  });
  const app = Fastify();
  context.after(() => app.close());
  app.decorateRequest('fromBrowser', fromBrowser);
  app.decorateRequest('caller', caller);
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).send(problemBody(problem, 'r'));
  });
  addKeyRoutes(app, {
    ...{ keys, io, config: {}, adminSession: () => 'a-session' },
    store: { uses: async (_caller, windows) => windows.map(({ name }) => ({ name, spent: 30_000, held: 10_000 })) },
  });
  return async (method: 'GET' | 'POST' | 'DELETE', url: string, body?: object, sent: Record<string, string> = {}) => {
    const answer = await app.inject({ method, url, headers: sent, ...(body && { body }) });
    return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
  };
}

test('the page that makes the first key stays signed in; nobody else is given a session', async (context) => {
  const page = { 'x-onetake-page': '1' };
  const local = await served(context, { caller: 'local' });
  const made = await local('POST', '/v1/keys', { name: 'first' }, page);
  assert.match(String(made.headers['set-cookie']), /^onetake_session=a-session; HttpOnly; SameSite=Strict; Path=\//);
  assert.equal((await local('POST', '/v1/keys', { name: 'second' })).headers['set-cookie'], undefined);
  const admin = await served(context, { caller: 'admin' });
  assert.equal((await admin('POST', '/v1/keys', { name: 'third' }, page)).headers['set-cookie'], undefined);
});

test('a key is shown once, and from then on what it is held to', async (context) => {
  const call = await served(context);
  const { status, body, headers } = await call('POST', '/v1/keys', {
    ...{ name: 'app', budget: { usd: 0.05, per: 'day' }, images: { count: 100, per: 'month' }, rpm: 60 },
    ...{ models: ['image-*'], expires_in_ms: 30 * DAY_MS, allow_unknown_price: true },
  });
  const { key, ...view } = body;
  assert.deepEqual([status, headers['cache-control']], [201, 'no-store']);
  assert.match(key, /^sk-onetake-[\w-]{43}$/);
  assert.deepEqual(view, {
    ...{ object: 'key', name: 'app', hint: key.slice(0, 15), status: 'usable', created_at: NOW, revoked_at: null },
    ...{ expires_at: NOW + 30 * DAY_MS, budget: { usd: 0.05, per: 'day' }, images: { count: 100, per: 'month' } },
    ...{ rpm: 60, models: ['image-*'], allow_unknown_price: true, admin: false, browser: null },
  });
  assert.deepEqual((await call('GET', '/v1/keys')).body, { object: 'list', data: [view] });
  const shown = (await call('GET', '/v1/keys/app')).body;
  assert.deepEqual(shown.windows[0], {
    ...{ name: 'budget day 2026-11-21', unit: 'usd', most: 0.05, spent: 0.03, held: 0.01, left: 0.01 },
    ...{ since: Date.UTC(2026, 10, 21), until: Date.UTC(2026, 10, 22) },
  });
  assert.deepEqual([shown.windows[1].unit, shown.windows[1].left], ['images', 0]);
  const revoked = (await call('DELETE', '/v1/keys/app')).body;
  assert.deepEqual([revoked.status, revoked.revoked_at], ['revoked', NOW]);
  for (const told of [shown, revoked, (await call('GET', '/v1/keys')).body]) {
    assert.ok(!JSON.stringify(told).includes(key) && !JSON.stringify(told).includes(digestOf(key)));
  }
});

test('a browser key has an hour, and never more than a day', async (context) => {
  const call = await served(context);
  const browser = { origins: ['https://app.example', 'http://localhost:3000'] };
  const { body } = await call('POST', '/v1/keys', { name: 'page', browser });
  assert.deepEqual([body.expires_at, body.browser], [NOW + 3_600_000, browser]);
  const longer = await call('POST', '/v1/keys', { name: 'p2', browser, expires_in_ms: DAY_MS + 1 });
  assert.deepEqual([longer.status, longer.body.error.param], [400, 'expires_in_ms']);
});

test('what is wrong is told by its field', async (context) => {
  const call = await served(context);
  const cases: [object, string | null][] = [
    [{}, 'name'],
    [{ name: 'a b' }, 'name'],
    // Clients resolve them in a path, also written as %2E, so that DELETE would never arrive.
    [{ name: '.' }, 'name'],
    [{ name: '..' }, 'name'],
    [{ name: 'a', colour: 1 }, 'colour'],
    [{ name: 'a', budget: '5/day' }, 'budget'],
    [{ name: 'a', budget: { usd: 0.0000001, per: 'day' } }, 'budget.usd'],
    [{ name: 'a', budget: { usd: -1, per: 'day' } }, 'budget.usd'],
    [{ name: 'a', budget: { usd: 5, per: 'year' } }, 'budget.per'],
    [{ name: 'a', budget: { usd: 5, per: 'day', more: 1 } }, 'budget'],
    [{ name: 'a', images: { count: 1.5, per: 'day' } }, 'images.count'],
    [{ name: 'a', rpm: 0 }, 'rpm'],
    [{ name: 'a', models: [] }, 'models'],
    [{ name: 'a', models: ['a b'] }, 'models'],
    [{ name: 'a', expires_in_ms: 10 }, 'expires_in_ms'],
    [{ name: 'a', admin: 'yes' }, 'admin'],
    [{ name: 'a', admin: true, browser: { origins: ['https://a.example'] } }, 'admin'],
    ...['https://a.example/', 'a.example', 'null', '*', 'ftp://a.example'].map((origin): [object, string] => [
      { name: 'a', browser: { origins: [origin] } },
      'browser.origins',
    ]),
  ];
  for (const [body, param] of cases) {
    const { status, body: told } = await call('POST', '/v1/keys', body);
    assert.deepEqual([status, told.error.param], [400, param], JSON.stringify(body));
  }
});

test('a name is given once; one that nobody has is unknown', async (context) => {
  const call = await served(context);
  await call('POST', '/v1/keys', { name: 'app' });
  for (const name of ['app', 'admin', 'local']) {
    const { status, body } = await call('POST', '/v1/keys', { name });
    assert.deepEqual([status, body.error.code, body.error.param], [409, 'name_taken', 'name']);
  }
  for (const method of ['GET', 'DELETE'] as const)
    assert.equal((await call(method, '/v1/keys/nobody')).body.error.code, 'not_found');
});

test('a page in a browser makes none and ends none', async (context) => {
  const call = await served(context, { fromBrowser: true });
  for (const [method, url] of [
    ['POST', '/v1/keys'],
    ['DELETE', '/v1/keys/app'],
  ] as const)
    assert.equal(
      (await call(method, url, method === 'POST' ? { name: 'app' } : undefined)).body.error.code,
      'forbidden_origin',
    );
});
