import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { sampleCacheEntry } from '../store/contract/cache.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { createNode } from '../testing/cache-world.ts';
import { cacheRoutes } from './cache.ts';
import { problemBody, requestProblemOf } from './problem.ts';

/** The routes on a cache with two pictures of alice's and one of bob's; `caller` says who calls, `page` that a browser does. */
async function routes(t: TestContext) {
  const store = await openSqliteStore({ path: ':memory:' });
  const { cache } = createNode({ store });
  const key = (letter: string) => letter.repeat(64);
  await store.cachePut(sampleCacheEntry(key('a'), 10, { caller: 'alice' }));
  await store.cachePut(sampleCacheEntry(key('b'), 30, { caller: 'alice', target: 'sandbox/slow', createdAt: 50 }));
  await store.cachePut(sampleCacheEntry(key('c'), 5, { caller: 'bob' }));
  await store.cacheUsed([{ key: key('a'), hits: 2, at: 200 }]);
  const app = Fastify();
  t.after(async () => {
    await app.close();
    await cache.close();
    await store.close();
  });
  app.decorateRequest('caller', '');
  app.decorateRequest('fromBrowser', false);
  app.addHook('onRequest', async (request) => {
    request.caller = String(request.headers.caller ?? 'alice');
    request.fromBrowser = request.headers.page !== undefined;
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = requestProblemOf(error, 1024) ?? assert.fail(String(error));
    reply.code(problem.status).send(problemBody(problem, request.id));
  });
  const handlers = cacheRoutes({ cache, config: { cache: { bytes: 1e9, days: 30, routes: {} } } });
  app.get('/v1/cache', handlers.stats);
  app.delete('/v1/cache', handlers.clear);
  const call = (method: 'GET' | 'DELETE', query = '', headers: Record<string, string> = {}) =>
    app.inject({ method, url: `/v1/cache${query}`, headers });
  return { call, key };
}

test('a caller sees what is cached for it and what that saved', async (t) => {
  const { call } = await routes(t);
  assert.deepEqual((await call('GET')).json(), {
    ...{ object: 'cache', entries: 2, bytes: 40, hits: 2, saved_usd: 0.5, oldest_at: 50 },
    limits: { bytes: 1e9, days: 30 },
    models: [
      { model: 'sandbox/slow', entries: 1, bytes: 30, hits: 0, saved_usd: 0 },
      { model: 'sandbox/fast', entries: 1, bytes: 10, hits: 2, saved_usd: 0.5 },
    ],
  });
  assert.equal((await call('GET', '?model=sandbox/slow')).json().entries, 1);
  const none = (await call('GET', '', { caller: 'carol' })).json();
  assert.deepEqual([none.entries, none.oldest_at, none.models], [0, null, []]);
});

test('clear takes a model, a key, or all of the caller, and never what is of another', async (t) => {
  const { call, key } = await routes(t);
  const cleared = async (query: string) => {
    const { entries, bytes, more } = (await call('DELETE', query)).json();
    return [entries, bytes, more];
  };
  assert.deepEqual(await cleared(`?key=${key('c')}`), [0, 0, false]);
  assert.deepEqual(await cleared(`?key=${key('a')}`), [1, 10, false]);
  assert.deepEqual(await cleared('?model=sandbox/slow'), [1, 30, false]);
  assert.deepEqual(await cleared(''), [0, 0, false]);
  assert.equal((await call('GET', '', { caller: 'bob' })).json().entries, 1);
});

test('what cannot be meant, and pages, are refused', async (t) => {
  const { call } = await routes(t);
  const refusal = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await call('DELETE', query, headers);
    return `${answer.statusCode} ${answer.json().error.code} ${answer.json().error.message}`;
  };
  assert.match(await refusal('?model=fast'), /^400 invalid_value model: "fast" is not provider\/model/);
  assert.match(await refusal('?key=abc'), /^400 invalid_value key: "abc" is not a key/);
  assert.match(await refusal('?modle=a/b'), /^400 unknown_parameter modle: there is no such parameter/);
  assert.match(await refusal('?model=a/b&model=c/d'), /^400 invalid_value model: a value of type object/);
  assert.match(await refusal('', { page: '1' }), /^403 forbidden_origin cache: a page in a browser/);
  assert.equal((await call('GET')).json().entries, 2);
});
