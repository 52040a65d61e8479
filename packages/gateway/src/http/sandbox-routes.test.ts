import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { problemBody, requestProblemOf } from './problem.ts';
import { addSandboxRoutes, type SandboxRouteDeps } from './sandbox-routes.ts';

async function served(context: TestContext, answer?: RequestListener, bounds: Partial<SandboxRouteDeps> = {}) {
  let url: string | undefined;
  if (answer) {
    const sandbox = createServer(answer).listen(0, '127.0.0.1');
    await once(sandbox, 'listening');
    context.after(() => {
      sandbox.closeAllConnections();
      sandbox.close();
    });
    url = `http://127.0.0.1:${(sandbox.address() as AddressInfo).port}`;
  }
  const app = Fastify();
  context.after(() => app.close());
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).send(problemBody(problem, 'r'));
  });
  addSandboxRoutes(app, { sandboxUrl: () => url, ...bounds });
  return async (path: string, method: 'GET' | 'DELETE' = 'GET') => {
    const { statusCode, ...rest } = await app.inject({ method, url: `/v1/sandbox/${path}` });
    return [statusCode, rest.json()] as const;
  };
}

test('what the sandbox answers is passed on, for its faults and its bill alone', async (context) => {
  const ask = await served(context, ({ method, url }, response) => response.end(JSON.stringify({ method, url })));
  assert.deepEqual(await ask('faults'), [200, { method: 'GET', url: '/faults' }]);
  assert.deepEqual(await ask('ledger'), [200, { method: 'GET', url: '/ledger' }]);
  assert.deepEqual(await ask('ledger?detail=1&x=2'), [200, { method: 'GET', url: '/ledger?detail=1' }]);
  assert.deepEqual(await ask('ledger', 'DELETE'), [200, { method: 'DELETE', url: '/ledger' }]);
  assert.equal((await ask('requests'))[0], 404);
});

test('without a sandbox there is nothing, and one that is silent, strange or endless is said to be', async (context) => {
  const without = await (await served(context))('faults');
  assert.deepEqual([without[0], without[1].error.code], [404, 'no_sandbox']);
  const wrong: [RequestListener, Partial<SandboxRouteDeps>][] = [
    [() => {}, { timeoutMs: 50 }],
    [(_, response) => response.end('[]'), {}],
    [(_, response) => response.writeHead(500).end('{}'), {}],
    [(_, response) => response.end(`{"x":"${'y'.repeat(200)}"}`), { maxBytes: 100 }],
    [(_, response) => response.destroy(), {}],
  ];
  for (const [answer, bounds] of wrong) {
    const [status, body] = await (await served(context, answer, bounds))('ledger');
    assert.deepEqual([status, body.error.code], [503, 'sandbox_silent']);
  }
});
