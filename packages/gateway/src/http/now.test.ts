import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createHealthBook } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import { createRecent } from '../now/recent.ts';
import { NOTHING_STORED } from '../now/testing/nothing-stored.ts';
import { startHeartbeat } from '../testing/heartbeat.ts';
import { addNowRoutes } from './now.ts';
import { createOpenAnswers } from './open-answers.ts';
import { RequestProblem } from './problem.ts';

async function server(t: TestContext, maxOpen = 10) {
  const clock = createVirtualClock(1_000_000);
  const io = { ...clock, send: () => assert.fail('nothing is sent') };
  const state = { spent: 0, isRevoked: false };
  const stored = { ...NOTHING_STORED, today: async () => ({ microUsd: state.spent, unpriced: 0 }) };
  const openAnswers = createOpenAnswers(maxOpen);
  const app = Fastify({ forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof RequestProblem ? error.status : 500).send(),
  );
  const admins: string[] = [];
  app.addHook('onRoute', ({ url, config }) => void (config?.admin && admins.push(url)));
  addNowRoutes(app, {
    ...{ recent: createRecent(0), stored, openAnswers, io, etaMs: () => undefined, alertRows: async () => [] },
    ...{ worker: { running: { all: () => [] } }, log: { error: (fault: unknown) => assert.fail(String(fault)) } },
    identify: () => {
      if (state.isRevoked) throw new RequestProblem(401, 'invalid_api_key', 'revoked');
      return { caller: 'local', isAdmin: true };
    },
    ...{ health: createHealthBook(), catalogue: { connections: [], routes: {}, defaultModel: undefined } },
    pacer: { report: () => [], take: async () => [], adopt: () => assert.fail(), expect: () => undefined },
    targetOperations: {
      ...{ reset: async () => {}, drain: async () => {}, resume: async () => {} },
      ...{ drained: () => [], isKnown: () => false },
    },
  });
  const stop = startHeartbeat(clock);
  t.after(async () => {
    stop();
    openAnswers.close();
    await app.close();
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, clock, state, openAnswers, admins };
}

/** Resolves with the data of so many events; the connection stays open. */
async function events(reader: ReadableStreamDefaultReader<Uint8Array>, count: number) {
  let text = '';
  for (;;) {
    const found = [...text.matchAll(/^event: now\ndata: (.*)\n\n/gm)].map(([, data = '']) => JSON.parse(data));
    if (found.length >= count) return found;
    const { value, done } = await reader.read();
    assert.ok(!done, 'the stream ended');
    text += new TextDecoder().decode(value);
  }
}

test('the same is told once and as it changes', { timeout: 10_000 }, async (t) => {
  const { url, clock, state, admins } = await server(t);
  assert.deepEqual([...new Set(admins)], ['/v1/now', '/v1/now/events']);
  const { object, spend_today_usd } = (await (await fetch(`${url}/v1/now`)).json()) as Record<string, unknown>;
  assert.deepEqual([object, spend_today_usd], ['now', 0]);
  const answer = await fetch(`${url}/v1/now/events`);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  const reader = answer.body?.getReader();
  assert.ok(reader);
  const [first] = await events(reader, 1);
  assert.equal(first.spend_today_usd, 0);
  state.spent = 2_000_000;
  const [next] = await clock.drive(events(reader, 1));
  assert.equal(next.spend_today_usd, 2);
  await reader.cancel();
});

test('a stream ends when who opened it may not read it any more', { timeout: 10_000 }, async (t) => {
  const { url, clock, state } = await server(t);
  const reader = (await fetch(`${url}/v1/now/events`)).body?.getReader();
  assert.ok(reader);
  await events(reader, 1);
  Object.assign(state, { isRevoked: true, spent: 7_000_000 });
  let rest = '';
  const all = async () => {
    for (let part = await reader.read(); !part.done && !rest.includes('data:'); part = await reader.read())
      rest += new TextDecoder().decode(part.value);
  };
  await clock.drive(all());
  assert.doesNotMatch(rest, /data:/);
});

test('there are as many streams as may be, and they end when the gateway stops', { timeout: 10_000 }, async (t) => {
  const { url, openAnswers } = await server(t, 1);
  const first = await fetch(`${url}/v1/now/events`);
  const second = await fetch(`${url}/v1/now/events`);
  assert.equal(second.status, 429);
  openAnswers.close();
  assert.match(await first.text(), /^retry: 1000\n\n/);
});
