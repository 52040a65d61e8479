import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import type { Settlement } from '../store/ledger.ts';
import type { StoredGeneration } from '../store/store.ts';
import { completedSnapshot } from '../testing/task-samples.ts';
import { problemBody, requestProblemOf } from './problem.ts';
import { settleGeneration } from './settle.ts';

const UNKNOWN = { ...completedSnapshot(), id: 'gen_1', billed: 'maybe', possibleUsd: 0.04 } as const;

interface Rig {
  readonly stored?: StoredGeneration;
  readonly answer?: 'settled' | 'not_unknown' | 'not_found';
}

async function rig(t: TestContext, { stored = UNKNOWN, answer = 'settled' }: Rig = {}) {
  const settlements: Settlement[] = [];
  const app = Fastify();
  t.after(() => app.close());
  app.decorateRequest('isAdmin', true);
  app.decorateRequest('fromBrowser', false);
  app.addHook('onRequest', async (request) => {
    request.fromBrowser = request.headers.page !== undefined;
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = requestProblemOf(error, 1024) ?? assert.fail(String(error));
    reply.code(problem.status).send(problemBody(problem, request.id));
  });
  const store = {
    read: async (id: string) => (id === stored.id ? stored : undefined),
    async settle(settlement: Settlement) {
      settlements.push(settlement);
      return answer;
    },
  };
  const handler = settleGeneration({ store, io: { now: () => 7 }, assetsUrl: () => 'http://x/v1/assets' });
  app.post('/v1/generations/:id/settle', handler);
  const post = async (payload: object, { id = 'gen_1', headers = {} } = {}) => {
    const { statusCode, body } = await app.inject({
      ...{ method: 'POST', url: `/v1/generations/${id}/settle`, payload, headers },
    });
    const { error, ...rest } = JSON.parse(body);
    return { statusCode, code: error?.code, param: error?.param, body: rest };
  };
  return { post, settlements };
}

test('an outcome is settled as the provider has it, and shown', async (t) => {
  const { post, settlements } = await rig(t);
  const charged = await post({ verdict: 'charged' });
  assert.deepEqual([charged.statusCode, charged.body.id, charged.body.object], [200, 'gen_1', 'generation']);
  await post({ verdict: 'charged', usd: 0.07 });
  await post({ verdict: 'free' });
  assert.deepEqual(settlements, [
    { generation: 'gen_1', verdict: 'charged', at: 7 },
    { generation: 'gen_1', verdict: 'charged', microUsd: 70_000, at: 7 },
    { generation: 'gen_1', verdict: 'free', at: 7 },
  ]);
});

test('what has no price needs one to have been charged', async (t) => {
  const { possibleUsd: _, ...unpriced } = UNKNOWN;
  const { post, settlements } = await rig(t, { stored: unpriced });
  const { statusCode, param } = await post({ verdict: 'charged' });
  assert.deepEqual([statusCode, param, settlements.length], [400, 'usd', 0]);
  assert.equal((await post({ verdict: 'free' })).statusCode, 200);
});

test('no page in a browser, only what is there, only what nobody knows', async (t) => {
  const { post, settlements } = await rig(t);
  assert.equal((await post({ verdict: 'free' }, { headers: { page: '1' } })).statusCode, 403);
  assert.equal((await post({ verdict: 'free' }, { id: 'gen_2' })).code, 'not_found');
  assert.equal(settlements.length, 0);
  const known = await rig(t, { answer: 'not_unknown' });
  assert.deepEqual(
    [(await known.post({ verdict: 'free' })).statusCode, (await known.post({ verdict: 'free' })).code],
    [409, 'outcome_known'],
  );
  const { finishedAt: _, ...open } = UNKNOWN;
  const running = await rig(t, { stored: open, answer: 'not_unknown' });
  const early = await running.post({ verdict: 'free' });
  assert.deepEqual([early.statusCode, early.code], [409, 'invalid_value']);
});

test('a verdict is one of two, and an amount belongs to a charge', async (t) => {
  const { post, settlements } = await rig(t);
  for (const [body, code, param] of [
    [{}, 'invalid_value', 'verdict'],
    [{ verdict: 'maybe' }, 'invalid_value', 'verdict'],
    [{ verdict: 'free', usd: 1 }, 'invalid_value', 'usd'],
    [{ verdict: 'charged', usd: -1 }, 'invalid_value', 'usd'],
    [{ verdict: 'charged', usd: '1' }, 'invalid_value', 'usd'],
    [{ verdict: 'charged', by: 'me' }, 'unknown_parameter', 'by'],
  ] as const) {
    const told = await post(body);
    assert.deepEqual([told.statusCode, told.code, told.param], [400, code, param]);
  }
  assert.equal(settlements.length, 0);
});
