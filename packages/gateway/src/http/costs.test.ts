import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import type { CostFilter, CostRow, FailureFilter, FailureGroup } from '../store/ledger.ts';
import { readCosts } from './costs.ts';
import { listFailures } from './failures.ts';
import { problemBody, requestProblemOf } from './problem.ts';

const NOW = Date.UTC(2026, 10, 21, 22);
const ZERO = {
  ...{ requests: 0, attempts: 0, images: 0, spentMicroUsd: 0, retriedMicroUsd: 0, fallbackMicroUsd: 0, refused: 0 },
  ...{ refusedMicroUsd: 0, cached: 0, savedMicroUsd: 0, unknown: 0, possibleMicroUsd: 0, unpriced: 0 },
};
const FAILURE: FailureGroup = {
  ...{ fingerprint: 'f', target: 'lab/m', kind: 'server', code: 'generation_failed', message: 'it broke' },
  ...{ count: 3, first: 1, last: 2, callers: ['app', 'web'], generation: 'gen_1' },
};

async function routes(t: TestContext, rows: readonly CostRow[] = [], failure = FAILURE) {
  const [asked, failuresAsked]: [CostFilter[], FailureFilter[]] = [[], []];
  const app = Fastify();
  t.after(() => app.close());
  app.decorateRequest('caller', '');
  app.decorateRequest('isAdmin', false);
  app.addHook('onRequest', async (request) => {
    request.caller = String(request.headers.caller ?? 'app');
    request.isAdmin = request.caller === 'admin';
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = requestProblemOf(error, 1024) ?? assert.fail(String(error));
    reply.code(problem.status).send(problemBody(problem, request.id));
  });
  const store = {
    async costs(filter: CostFilter) {
      asked.push(filter);
      return filter.by.length > 0 ? rows : [{ ...ZERO, group: {}, requests: 9, spentMicroUsd: 123_456 }];
    },
    async failures(filter: FailureFilter) {
      failuresAsked.push(filter);
      return [failure];
    },
  };
  const io = { now: () => NOW };
  app.get('/v1/costs', readCosts({ store, io }));
  app.get('/v1/failures', listFailures({ store, io }));
  const get = (path: string, caller = 'admin') => app.inject({ url: `/v1/${path}`, headers: { caller } });
  return { get, asked, failuresAsked };
}

test('sums by group in the order of time and then of money, with a total of all', async (t) => {
  const { get, asked } = await routes(t, [
    { ...ZERO, group: { model: 'b', day: '2026-11-21' }, spentMicroUsd: 10_000 },
    { ...ZERO, group: { model: 'c', day: '2026-11-21' }, spentMicroUsd: 40_000, unknown: 1, possibleMicroUsd: 1 },
    { ...ZERO, group: { day: '2026-11-20' }, cached: 2, savedMicroUsd: 80_000 },
  ]);
  const body = (await get('costs?by=model,day&since=1d')).json();
  assert.deepEqual([body.since, body.until, body.by], [NOW - 86_400_000, NOW + 1, ['model', 'day']]);
  assert.deepEqual(
    body.data.map((row: Record<string, unknown>) => [
      row.day,
      row.model,
      row.spent_usd,
      row.possible_usd,
      row.saved_usd,
    ]),
    [
      ['2026-11-20', null, 0, 0, 0.08],
      ['2026-11-21', 'c', 0.04, 0.000001, 0],
      ['2026-11-21', 'b', 0.01, 0, 0],
    ],
  );
  assert.deepEqual([body.total.requests, body.total.spent_usd, body.truncated], [9, 0.123456, undefined]);
  assert.deepEqual(
    asked.map(({ by, limit }) => [by.join(), limit]),
    [
      ['model,day', 10_000],
      ['', 1],
    ],
  );
});

test('a plain key sees its own, an administrator everybody’s or one’s', async (t) => {
  const { get, asked, failuresAsked } = await routes(t);
  for (const [path, caller] of [
    ['costs', 'app'],
    ['costs?caller=app', 'app'],
    ['costs', 'admin'],
    ['costs?caller=app', 'admin'],
  ] as const)
    assert.equal((await get(path, caller)).statusCode, 200);
  assert.deepEqual(
    asked.map(({ caller }) => caller),
    ['app', 'app', undefined, 'app'],
  );
  for (const path of ['costs?caller=web', 'failures?caller=web']) {
    const { statusCode, body } = await get(path, 'app');
    assert.deepEqual([path, statusCode, JSON.parse(body).error.code], [path, 403, 'permission_denied']);
  }
  await get('failures', 'app');
  await get('failures?since=2h&limit=7', 'admin');
  assert.deepEqual(
    failuresAsked.map(({ caller, limit }) => [caller, limit]),
    [
      ['app', 50],
      [undefined, 7],
    ],
  );
});

test('a failure is told with its advice', async (t) => {
  const { get } = await routes(t);
  const { data } = (await get('failures')).json();
  const { advice, ...told } = data[0];
  assert.deepEqual(told, {
    ...{ fingerprint: 'f', count: 3, first_at: 1, last_at: 2, target: 'lab/m', kind: 'server' },
    ...{ code: 'generation_failed', message: 'it broke', keys: ['app', 'web'], generation: 'gen_1' },
  });
  assert.match(advice, /tried and failed/);
  const lost = (
    await (await routes(t, [], { ...FAILURE, kind: 'network', code: 'outcome_unknown' })).get('failures')
  ).json();
  assert.match(lost.data[0].advice, /^Nobody here knows/);
});

test('what is not understood is refused by its name', async (t) => {
  const { get } = await routes(t);
  for (const [path, code, param] of [
    ['costs?by=model,colour', 'invalid_value', 'by'],
    ['costs?since=soon', 'invalid_value', 'since'],
    ['costs?until=1', 'invalid_value', 'until'],
    ['costs?group=model', 'unknown_parameter', 'group'],
    ['costs?by=day&by=model', 'invalid_value', 'by'],
    ['failures?limit=0', 'invalid_value', 'limit'],
    ['failures?by=day', 'unknown_parameter', 'by'],
  ] as const) {
    const { statusCode, body } = await get(path);
    const { error } = JSON.parse(body);
    assert.deepEqual([path, statusCode, error.code, error.param], [path, 400, code, param]);
  }
});
