import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { createLog } from '../log.ts';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import { logRequests } from './request-log.ts';

const SECRET = 'canary-in-the-query';

function served(level: string, routes: (app: FastifyInstance, signals: ReturnType<typeof createSignals>) => void) {
  const lines: string[] = [];
  const log = createLog(level, { write: (line) => void lines.push(line) });
  const signals = createSignals(log);
  const app = Fastify({ genReqId: () => 'req_1' });
  app.decorateRequest('caller', '');
  logRequests(app, { log, signals });
  app.addHook('onRequest', async (request) => {
    request.caller = 'shop';
  });
  routes(app, signals);
  return { app, lines, entries: () => lines.map((line) => JSON.parse(line)) };
}

suite('a line for every request', () => {
  test('names its route and its caller, not its path, its query or its body', async () => {
    const { app, lines, entries } = served('info', (one) => {
      one.post('/v1/things/:id', async (_request, reply) => reply.header('x-onetake-generation', 'gen_1').send('x'));
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const body = JSON.stringify({ prompt: SECRET });
    const headers = { 'content-type': 'application/json', connection: 'close' };
    await (await fetch(`${url}/v1/things/${SECRET}?key=${SECRET}`, { method: 'POST', body, headers })).text();
    await app.close();
    const [{ request_id: id, key, method, route, status, generation, ms, cut, msg }, ...more] = entries();
    assert.deepEqual(
      [id, key, method, route, status, generation, cut, msg],
      ['req_1', 'shop', 'POST', '/v1/things/:id', 200, 'gen_1', undefined, 'request'],
    );
    assert.ok(Number.isInteger(ms) && more.length === 0);
    assert.ok(!lines.join('').includes(SECRET));
  });

  test('of a path that nobody serves says no more than that', async () => {
    const { app, lines, entries } = served('info', () => {});
    await app.inject(`/${SECRET}?a=1`);
    const [{ route, status }] = entries();
    assert.deepEqual([route, status], ['none', 404]);
    assert.ok(!lines.join('').includes(SECRET));
  });

  test('of an answer that is written by itself names the generation that began for it', async () => {
    const { live } = finishedLive();
    const { app, entries } = served('info', (one, signals) => {
      one.get('/stream', (_request, reply) => {
        signals.watch({ ...live, requestId: 'req_1' });
        signals.watch({ ...live, requestId: 'req_1', id: 'gen_of_milder_words' });
        reply.hijack();
        reply.raw.writeHead(200, { 'x-onetake-generation': live.id });
        reply.raw.end('data: x\n\n');
      });
    });
    await app.inject('/stream');
    const [{ generation, status }] = entries();
    assert.deepEqual([generation, status], [live.id, 200]);
  });

  test('is not written, nor made, where the level is above it', async () => {
    const { app, lines } = served('warn', (one) => {
      one.get('/', async () => 'x');
    });
    await app.inject('/');
    assert.deepEqual(lines, []);
  });
});
