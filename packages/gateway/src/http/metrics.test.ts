import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify, { type FastifyRequest } from 'fastify';
import { createMetrics } from '../metrics/metrics.ts';
import { parseExposition } from '../metrics/testing/exposition.ts';
import { NOTHING_STORED } from '../now/testing/nothing-stored.ts';
import { addMetrics } from './metrics.ts';

async function server(t: TestContext, open = false, onRequest = async (_request: FastifyRequest) => {}) {
  const app = Fastify();
  app.addHook('onRequest', onRequest);
  t.after(() => app.close());
  const metrics = createMetrics({ version: '1', targets: [] });
  addMetrics(app, {
    ...{ config: { metrics: { open } }, metrics, stored: NOTHING_STORED },
    health: { report: () => [] },
    targetOperations: { drained: () => [] },
    pacer: { report: () => [] },
    worker: { running: { all: () => [] } },
    io: { now: () => 0 },
  });
  app.get('/v1/things/:id', (_request, reply) => reply.header('x-onetake-cache', 'hit').send('a thing'));
  await app.ready();
  return app;
}

const samplesOf = (text: string, name: string) =>
  parseExposition(text).find((family) => family.name === name)?.samples ?? [];

test('answers are counted by their route and not by what callers make up', async (t) => {
  const app = await server(t);
  for (let id = 0; id < 50; id += 1) await app.inject({ url: `/v1/things/${id}` });
  for (let id = 0; id < 50; id += 1) await app.inject({ url: `/made/up/${id}` });
  const { body, headers } = await app.inject({ url: '/metrics' });
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  const answers = samplesOf(body, 'onetake_http_requests_total').map(({ labels, value }) => [labels.route, value]);
  assert.deepEqual(answers, [
    ['/v1/things/:id', 50],
    ['none', 50],
  ]);
  const before = samplesOf(body, 'onetake_answered_before_total').map(({ labels, value }) => [labels.by, value]);
  assert.deepEqual(before, [
    ['cache', 50],
    ['attached', 0],
    ['idempotency', 0],
  ]);
});

test('it is for administrators unless the configuration opens it', async (t) => {
  const access = async (open: boolean) => {
    const app = await server(t, open, async (request) => {
      if (request.routeOptions.config.admin) throw new Error('for administrators');
    });
    return (await app.inject({ url: '/metrics' })).statusCode;
  };
  assert.deepEqual([await access(false), await access(true)], [500, 200]);
});
