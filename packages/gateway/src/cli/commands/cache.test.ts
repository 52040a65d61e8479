import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const STATS = {
  ...{ object: 'cache', entries: 3, bytes: 2_500_000, hits: 12, saved_usd: 0.48, oldest_at: 1 },
  limits: { bytes: 1e9, days: 30 },
  models: [
    { model: 'openai/gpt-image-2', entries: 2, bytes: 2_400_000, hits: 12, saved_usd: 0.48 },
    { model: 'sandbox/fast', entries: 1, bytes: 100_000, hits: 0, saved_usd: 0 },
  ],
};

/** Runs `onetake cache …` against a gateway that answers as told. */
async function cache(t: TestContext, args: readonly string[], reply: (request: Received) => Reply) {
  const { url, received } = await fakeGateway(t, reply);
  const env = { ONETAKE_URL: url, ONETAKE_API_KEY: 'key-of-alice' };
  const run = await cli(t, ['cache', ...args], { env });
  return { ...run, received, asked: received.map(({ method, url: path }) => `${method} ${path}`) };
}

test('stats says how much there is and what it saved, per model', async (t) => {
  const { exitCode, stdout, asked, received } = await cache(t, ['stats'], () => ({ body: STATS }));
  assert.equal(
    stdout,
    `3 results, 2.5 MB of 1.0 GB; 12 hits, $0.48 saved

model                results   bytes    hits   saved
openai/gpt-image-2   2         2.4 MB   12     $0.48
sandbox/fast         1         100 KB   0      $0
`,
  );
  assert.deepEqual([exitCode, asked], [0, ['GET /v1/cache']]);
  assert.equal(received[0]?.headers.authorization, 'Bearer key-of-alice');
});

test('without a word it tells the stats; --model narrows them, --json prints the answer, and nothing is said to be nothing', async (t) => {
  const empty = { ...STATS, entries: 0, models: [] };
  assert.equal((await cache(t, [], () => ({ body: empty }))).stdout, 'nothing is cached\n');
  const { stdout, asked } = await cache(t, ['stats', '--model', 'openai/gpt-image-2', '--json'], () => ({
    body: STATS,
  }));
  assert.deepEqual(JSON.parse(stdout), STATS);
  assert.deepEqual(asked, ['GET /v1/cache?model=openai%2Fgpt-image-2']);
});

test('clear goes on while there is more, and says how much went', async (t) => {
  const rounds = [
    { entries: 10_000, bytes: 4e6, more: true },
    { entries: 5, bytes: 1e6, more: false },
  ];
  const { stdout, asked } = await cache(t, ['clear'], () => ({ body: rounds.shift() ?? {} }));
  assert.equal(stdout, '10005 results cleared, 5.0 MB\n');
  assert.deepEqual(asked, ['DELETE /v1/cache', 'DELETE /v1/cache']);
});

test('clear takes a model and a key', async (t) => {
  const one = () => ({ body: { entries: 1, bytes: 10, more: false } });
  const { stdout, asked } = await cache(t, ['clear', '--model', 'a/b', '--key', 'f'.repeat(64), '--json'], one);
  assert.deepEqual(JSON.parse(stdout), { entries: 1, bytes: 10 });
  assert.deepEqual(asked, [`DELETE /v1/cache?model=a%2Fb&key=${'f'.repeat(64)}`]);
});

test('a refusal is told in its own words', async (t) => {
  const refuse = () => ({ status: 400, body: { error: { message: 'key: "x" is not a key' } } });
  const { exitCode, stderr } = await cache(t, ['clear', '--key', 'x'], refuse);
  assert.deepEqual([exitCode, stderr], [1, 'onetake: key: "x" is not a key\n']);
});
