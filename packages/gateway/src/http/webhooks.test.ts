import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { createFakeOutbox } from '../webhooks/testing/fake-outbox.ts';
import { problemBody, requestProblemOf } from './problem.ts';
import { webhookRoutes } from './webhooks.ts';

const NOW = 1_795_249_006_000;
const HOOK = { url: 'https://app.example/hooks', events: ['task.completed'] };

/** The routes on an outbox in memory; the header `caller` says who calls, `page` that a browser does. */
async function routes(t: TestContext) {
  const outbox = createFakeOutbox();
  outbox.register('gen_a', HOOK, 'alice');
  outbox.register('gen_b', HOOK, 'bob');
  const deps = { store: outbox, io: { now: () => NOW }, secretOf: async (caller: string) => `whsec_of_${caller}` };
  const app = Fastify();
  t.after(() => app.close());
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
  const webhooks = webhookRoutes(deps);
  app.get('/v1/webhooks', webhooks.list);
  app.post('/v1/webhooks/redeliver', webhooks.redeliver);
  app.get('/v1/webhooks/secret', webhooks.secret);
  const get = async (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });
  const post = async (body: object | string) =>
    app.inject({ method: 'POST', url: '/v1/webhooks/redeliver', payload: body });
  return { outbox, get, post };
}

function refusal(answer: { readonly statusCode: number; json(): unknown }) {
  const { error } = answer.json() as { error: { message: string; code: string; param: string | null } };
  return `${answer.statusCode} ${error.code} ${error.message}`;
}

test('a caller sees its own deliveries, the newest first, with what became of them', async (t) => {
  const { outbox, get } = await routes(t);
  await outbox.notify('gen_a', { id: 'evt_1', type: 'task.processing', at: NOW - 3 });
  await outbox.notify('gen_b', { id: 'evt_2', type: 'task.completed', at: NOW - 2 });
  await outbox.notify('gen_a', { id: 'evt_3', type: 'task.completed', at: NOW - 1 });
  await outbox.settleWebhook('evt_1', { state: 'delivered', at: NOW, status: 204 });
  await outbox.settleWebhook('evt_3', { state: 'waiting', at: NOW, retryAt: NOW + 9, reason: 'status 500' });
  const shape = { object: 'webhook.delivery', generation: 'gen_a', url: HOOK.url, tries: 1 };
  const waiting = { state: 'waiting', next_try_at: NOW + 9, settled_at: null, status: null, reason: 'status 500' };
  const delivered = { state: 'delivered', next_try_at: null, settled_at: NOW, status: 204, reason: null };
  assert.deepEqual((await get('/v1/webhooks')).json(), {
    object: 'list',
    data: [
      { ...shape, id: 'evt_3', type: 'task.completed', created_at: NOW - 1, ...waiting },
      { ...shape, id: 'evt_1', type: 'task.processing', created_at: NOW - 3, ...delivered },
    ],
  });
  const idsOf = async (query: string) =>
    ((await get(`/v1/webhooks${query}`)).json().data as { id: string }[]).map(({ id }) => id);
  assert.deepEqual(await idsOf('?limit=1'), ['evt_3']);
  assert.deepEqual(await idsOf('?state=delivered'), ['evt_1']);
  assert.deepEqual(await idsOf('?generation=gen_a&id=evt_1'), ['evt_1']);
  assert.deepEqual(await idsOf('?generation=gen_b'), []);
});

test('a query that cannot be meant is refused', async (t) => {
  const { get } = await routes(t);
  assert.match(
    refusal(await get('/v1/webhooks?limit=0')),
    /^400 invalid_value limit: "0" is not a whole number from 1/,
  );
  assert.match(refusal(await get('/v1/webhooks?limit=x')), /limit: "x" is not/);
  assert.match(refusal(await get('/v1/webhooks?state=lost')), /state: "lost" is not waiting, delivered, given-up/);
  assert.match(refusal(await get('/v1/webhooks?id=')), /id: "" is not an id/);
});

test('deliveries are made due again by id, by generation, or all that were given up', async (t) => {
  const { outbox, post } = await routes(t);
  for (const [generation, id] of [
    ['gen_a', 'evt_1'],
    ['gen_a', 'evt_2'],
    ['gen_b', 'evt_3'],
  ] as const) {
    await outbox.notify(generation, { id, type: 'task.completed', at: NOW - 1 });
    await outbox.settleWebhook(id, { state: 'given-up', at: NOW, reason: 'status 500' });
  }
  const states = () => ['evt_1', 'evt_2', 'evt_3'].map((id) => outbox.row(id)?.state);
  assert.deepEqual((await post({ id: 'evt_1' })).json(), { redelivered: 1, more: false });
  assert.deepEqual(states(), ['waiting', 'given-up', 'given-up']);
  assert.deepEqual((await post({ state: 'given-up' })).json(), { redelivered: 1, more: false });
  assert.deepEqual(states(), ['waiting', 'waiting', 'given-up'], "bob's stay as they are");
  assert.deepEqual((await post({ state: 'given-up' })).json(), { redelivered: 0, more: false });
  assert.deepEqual((await post({ generation: 'gen_a' })).json(), { redelivered: 2, more: false });
  assert.match(refusal(await post({ id: 'evt_3' })), /^404 not_found id: "evt_3" has no webhook delivery/);
  assert.match(refusal(await post({ generation: 'gen_b' })), /^404 not_found generation: "gen_b" has no/);
});

test('what to deliver again is said in one way', async (t) => {
  const { post } = await routes(t);
  const way = /send \{"id": "…"\}, \{"generation": "gen_…"\} or \{"state": "given-up"\}/;
  assert.match(refusal(await post({})), /^400 invalid_body body: it names not exactly one/);
  assert.match(refusal(await post({ id: 'a', generation: 'b' })), way);
  assert.match(refusal(await post([])), way);
  assert.match(refusal(await post({ all: true })), /^400 unknown_parameter all: there is no such field/);
  assert.match(refusal(await post({ state: 'delivered' })), /state: "delivered" is not given-up/);
  assert.match(refusal(await post({ id: 7 })), /id: a value of type number is not an id/);
});

test('the secret is for its caller, never kept in a cache, and not for pages', async (t) => {
  const { get } = await routes(t);
  const answer = await get('/v1/webhooks/secret', { caller: 'bob' });
  assert.deepEqual(answer.json(), { object: 'webhook.secret', secret: 'whsec_of_bob' });
  assert.equal(answer.headers['cache-control'], 'no-store');
  const refused = await get('/v1/webhooks/secret', { page: '1' });
  assert.match(refusal(refused), /^403 forbidden_origin webhook secret: a page in a browser may not read it/);
  assert.ok(!refused.body.includes('whsec'));
});
