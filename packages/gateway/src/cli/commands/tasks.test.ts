import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const WAITING = {
  ...{ id: 'gen_1', object: 'image.generation.task', status: 'pending', progress: 0, created: 1_000, model: 'fox' },
  queue: { position: 3, eta_ms: 90_000 },
};
const FAILED = {
  ...{ id: 'gen_2', object: 'image.generation.task', status: 'failed', progress: 0, created: 2_000, model: 'fox' },
  error: { code: 'outcome_unknown', message: 'nobody knows' },
  onetake: { advice: 'look it up' },
};

async function tasks(t: TestContext, args: readonly string[], reply: (request: Received) => Reply) {
  const { url, received } = await fakeGateway(t, reply);
  const run = await cli(t, ['tasks', ...args], { env: { ONETAKE_URL: url } });
  return { ...run, asked: received.map(({ method, url: path }) => `${method} ${path}`) };
}

test('list shows how far each is, and asks for those of one status', async (t) => {
  const { stdout, asked } = await tasks(t, ['list', '--status', 'failed', '--limit', '5'], () => ({
    body: { object: 'list', data: [WAITING, FAILED] },
  }));
  assert.deepEqual(asked, ['GET /v1/tasks?limit=5&status=failed']);
  assert.match(stdout, /gen_1\s+1970-01-01 00:16:40\s+fox\s+pending\s+0 %/);
  assert.match(stdout, /gen_2\s.*failed: outcome_unknown/);
  assert.equal((await tasks(t, ['--status', 'lost'], () => ({ body: {} }))).exitCode, 2);
});

test('show tells its place in the queue, or how it failed and what to do', async (t) => {
  const waiting = await tasks(t, ['show', 'gen_1', '--wait', '30'], () => ({ body: WAITING }));
  assert.deepEqual(waiting.asked, ['GET /v1/tasks/gen_1?wait=30']);
  assert.match(waiting.stdout, /status\s+pending \(place 3, about 2 min left\)/);
  const failed = await tasks(t, ['show', 'gen_2'], () => ({ body: FAILED }));
  assert.match(failed.stdout, /error\s+outcome_unknown: nobody knows\nadvice\s+look it up/);
});

test('cancel says whether it is over, or only asked for', async (t) => {
  const over = await tasks(t, ['cancel', 'gen_1'], () => ({ body: { ...WAITING, status: 'canceled' } }));
  assert.deepEqual([over.asked, over.stdout], [['DELETE /v1/tasks/gen_1'], 'gen_1 is canceled\n']);
  const asked = await tasks(t, ['cancel', 'gen_1'], () => ({
    status: 202,
    body: { ...WAITING, status: 'processing' },
  }));
  assert.match(asked.stdout, /was asked to end/);
});
