import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const HASH = 'ab'.repeat(32);
const ROW = {
  ...{ hash: HASH, type: 'png', bytes: 49_152, created_at: 1_000, generation: 'gen_1' },
  url: `http://127.0.0.1:8484/v1/assets/${HASH}.png`,
};

async function assets(t: TestContext, args: readonly string[], reply: (request: Received) => Reply) {
  const { url, received } = await fakeGateway(t, reply);
  const run = await cli(t, ['assets', ...args], { env: { ONETAKE_URL: url } });
  return { ...run, asked: received.map(({ method, url: path }) => `${method} ${path}`) };
}

test('list shows pictures with size and generation, and how much they are together', async (t) => {
  const { stdout, asked } = await assets(t, ['--limit', '7'], () => ({ body: { data: [ROW, ROW] } }));
  assert.deepEqual(asked, ['GET /v1/assets?limit=7']);
  assert.match(stdout, /abababababababab\s+png\s+49 KB\s+1970-01-01 00:00:01\s+gen_1/);
  assert.match(stdout, /2 pictures, 98 KB\n$/);
  assert.match((await assets(t, [], () => ({ body: { data: [] } }))).stdout, /no pictures are stored/);
});

test('show prints one with its link, whole', async (t) => {
  const { stdout, asked } = await assets(t, ['show', 'abab'], () => ({ body: { data: [ROW] } }));
  assert.deepEqual(asked, ['GET /v1/assets?hash=abab']);
  assert.ok(stdout.includes(ROW.url) && stdout.includes(HASH));
  assert.equal((await assets(t, ['show', 'ffff'], () => ({ body: { data: [] } }))).exitCode, 1);
});
