import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import type { ManagedKey } from '../keys/key.ts';
import { openRequestCounts } from '../keys/request-counts.ts';
import type { Ledger } from '../store/ledger.ts';
import { createFakeCells } from '../testing/fake-cells.ts';
import { problemBody, problemHeaders, requestProblemOf } from './problem.ts';
import { createRateLimit } from './rate-limit.ts';

const NOON = Date.UTC(2026, 10, 21, 12);

async function served(context: TestContext, limits: Partial<ManagedKey>, uses: Ledger['uses']) {
  const io = createVirtualClock(NOON);
  const store = { ...createFakeCells().store, ownership: 'exclusive' as const };
  const counts = await openRequestCounts({ store, io, onError: (error) => assert.fail(String(error)) });
  const limitRate = createRateLimit({ counts, store: { uses }, io });
  const app = Fastify();
  context.after(() => Promise.all([app.close(), counts.close()]));
  app.decorateRequest('key', undefined);
  app.addHook('onRequest', async (request, reply) => {
    request.key = { name: 'app', digest: 'd', hint: 'h', createdAt: 0, ...limits };
    await limitRate(request, reply);
  });
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).headers(problemHeaders(problem)).send(problemBody(problem, 'r'));
  });
  app.post('/v1/images/generations', () => ({}));
  app.get('/v1/generations', () => ({}));
  const call = async (method: 'GET' | 'POST' = 'POST') => {
    const url = method === 'POST' ? '/v1/images/generations' : '/v1/generations';
    const { statusCode, headers, body } = await app.inject({ method, url });
    return { status: statusCode, headers, error: JSON.parse(body).error };
  };
  return { io, call };
}

const unasked = async () => assert.fail('nothing is asked');

test('what may spend is counted, what reads is not, and every answer says what is left', async (context) => {
  const { call } = await served(context, { rpm: 2 }, unasked);
  const limits = async (method?: 'GET') => {
    const { status, headers } = await call(method);
    return [status, headers['ratelimit-policy'], headers.ratelimit];
  };
  const policy = '"requests";q=2;w=60';
  assert.deepEqual(await limits('GET'), [200, policy, '"requests";r=2;t=0']);
  assert.deepEqual(await limits(), [200, policy, '"requests";r=1;t=60']);
  assert.deepEqual(await limits('GET'), [200, policy, '"requests";r=1;t=60']);
  assert.deepEqual(await limits(), [200, policy, '"requests";r=0;t=60']);
  assert.deepEqual(await limits(), [429, policy, '"requests";r=0;t=60']);
  assert.deepEqual(await limits('GET'), [200, policy, '"requests";r=0;t=60']);
});

test('beyond it the answer says when to come back', async (context) => {
  const { call } = await served(context, { rpm: 1 }, unasked);
  await call();
  const { status, headers, error } = await call();
  assert.deepEqual([status, error.code, error.type], [429, 'rate_limit_exceeded', 'rate_limit_error']);
  assert.match(error.message, /key "app": 1 requests in 60 s/);
  assert.deepEqual(
    [headers['retry-after'], headers['retry-after-ms'], headers['x-should-retry']],
    ['60', '60000', 'true'],
  );
});

test('of pictures it is told what is left of the window, asked once a second at most', async (context) => {
  let asked = 0;
  const uses: Ledger['uses'] = async (caller, windows) => {
    asked += 1;
    assert.deepEqual([caller, windows.length], ['app', 1]);
    return windows.map(({ name }) => ({ name, spent: 3, held: 1 }));
  };
  const { call, io } = await served(context, { rpm: 60, images: { count: 100, per: 'day' } }, uses);
  const { headers } = await call();
  assert.equal(headers['ratelimit-policy'], '"requests";q=60;w=60, "images";q=100;w=86400');
  assert.equal(headers.ratelimit, '"requests";r=59;t=60, "images";r=96;t=43200');
  await Promise.all([call(), call('GET'), call('GET')]);
  assert.equal(asked, 1);
  await io.drive(new Promise<void>((resolve) => void io.timer(NOON + 1_000, resolve)));
  await call('GET');
  assert.equal(asked, 2);
});

test('a total has no window to end, and a store that is away holds no answer up', async (context) => {
  const total = await served(context, { images: { count: 2, per: 'total' } }, async ([...name]) => {
    return [{ name: name.join(''), spent: 5, held: 0 }];
  });
  const { headers } = await total.call();
  assert.deepEqual([headers['ratelimit-policy'], headers.ratelimit], ['"images";q=2', '"images";r=0']);
  const away = await served(context, { images: { count: 2, per: 'total' } }, async () => assert.fail('away'));
  const answer = await away.call();
  assert.deepEqual([answer.status, answer.headers.ratelimit], [200, undefined]);
});

test('who has no limit is told of none', async (context) => {
  const { call } = await served(context, {}, unasked);
  const { headers } = await call();
  assert.deepEqual([headers.ratelimit, headers['ratelimit-policy']], [undefined, undefined]);
});
