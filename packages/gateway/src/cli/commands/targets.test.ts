import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const BROKEN = {
  ...{ id: 'openai/gpt-image-2', credential: 'openai', breaker: 'open', credential_breaker: 'closed', drained: false },
  ...{ available_at: 4_102_444_800_000, reason: 'the provider failed\u001b[31m five times', in_flight: 1, waiting: 2 },
  ...{
    limits: { images: [{ count: 5, window_ms: 60_000 }], concurrency: 4 },
    limits_source: 'configured',
    last_failure_at: 1_000,
  },
};
const TARGETS = {
  object: 'list',
  data: [
    BROKEN,
    { id: 'openai/gpt-image-1', credential: 'openai', breaker: 'closed', credential_breaker: 'half_open' },
    { id: 'bfl/flux-2-pro', drained: true },
  ],
};

async function targets(t: TestContext, args: readonly string[], reply: (request: Received) => Reply) {
  const { url, received } = await fakeGateway(t, reply);
  const run = await cli(t, ['targets', ...args], { env: { ONETAKE_URL: url } });
  return { ...run, asked: received.map(({ method, url: path }) => `${method} ${path}`) };
}

test('list shows every target with what keeps requests away from it', async (t) => {
  const { exitCode, stdout, asked } = await targets(t, [], () => ({ body: TARGETS }));
  assert.deepEqual([exitCode, asked], [0, ['GET /v1/targets']]);
  assert.match(stdout, /gpt-image-2\s+openai\s+open\s+1\s+2\s+images 5\/1 min, concurrency 4 \(configured\)/);
  assert.match(stdout, /gpt-image-1\s+openai\s+key half-open/);
  assert.match(stdout, /flux-2-pro\s+-\s+drained/);
});

test('show tells one target, or all of a provider, and an unknown one is an error', async (t) => {
  const one = await targets(t, ['show', 'openai/gpt-image-2'], () => ({ body: TARGETS }));
  assert.match(one.stdout, /reason\s+the provider failed \[31m five times/);
  assert.match(one.stdout, /available\s+in .*2100-01-01/);
  const all = await targets(t, ['show', 'openai', '--json'], () => ({ body: TARGETS }));
  assert.equal(JSON.parse(all.stdout).data.length, 2);
  const none = await targets(t, ['show', 'openai/gpt-image'], () => ({ body: TARGETS }));
  assert.equal(none.exitCode, 1);
});

test('reset, drain and resume ask for just that, and say what is so then', async (t) => {
  for (const [action, said] of [
    ['reset', 'is asked again: its breakers are closed'],
    ['drain', 'takes nothing new'],
    ['resume', 'takes requests again'],
  ] as const) {
    const { exitCode, stdout, asked } = await targets(t, [action, 'fal/fal-ai/flux/dev'], () => ({ body: TARGETS }));
    assert.deepEqual([exitCode, asked], [0, [`POST /v1/targets/fal/fal-ai/flux/dev/${action}`]]);
    assert.match(stdout, new RegExp(`fal/fal-ai/flux/dev ${said}`));
  }
});

test('what the gateway refuses is told as it says it', async (t) => {
  const error = { message: 'key "app": this is for administrators', type: 'permission_error', code: 'admin_only' };
  const { exitCode, stderr } = await targets(t, ['reset', 'a/b'], () => ({ status: 403, body: { error } }));
  assert.equal(exitCode, 1);
  assert.match(stderr, /this is for administrators/);
});
