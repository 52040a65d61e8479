import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TINY_PNG_BASE64 } from '@onetake/core/testing';
import { delivered, fakeGateway, type Reply } from '../testing/fake-gateway.ts';
import { createStockClient, replayedClient } from './stock-client.ts';
import { tell } from './stories.ts';

const refusal = (status: number, headers: Record<string, string> = {}): Reply => ({
  status,
  headers,
  body: { error: { message: 'no', code: 'some_code' } },
});

const CASES: readonly (readonly [name: string, reply: Reply, posts: number])[] = [
  ['a reset', 'reset', 3],
  ['a 500', refusal(500), 3],
  ['a 429', refusal(429), 3],
  ['a 424', refusal(424), 1],
  ['a 500 that says not to', refusal(500, { 'x-should-retry': 'false' }), 1],
  ['a 400 that says to', refusal(400, { 'x-should-retry': 'true' }), 3],
  ['silence', 'silence', 3],
  ['a picture', delivered(), 1],
];
for (const [name, reply, posts] of CASES) {
  test(`the replayed client meets ${name} with ${posts} POSTs`, async (t) => {
    const { url, received } = await fakeGateway(t, () => reply);
    const pauses: number[] = [];
    const client = replayedClient(async (ms) => void pauses.push(ms));
    // Silence alone is waited out; everything else answers, however busy the machine is.
    const timeoutMs = reply === 'silence' ? 50 : 10_000;
    const result = await client.generate({ baseUrl: `${url}/v1`, model: 'm', prompt: 'p', timeoutMs });
    assert.equal(result.ok, name === 'a picture');
    assert.deepEqual(
      received.map(({ headers }) => headers['x-stainless-retry-count']),
      ['0', '1', '2'].slice(0, posts),
    );
    const most = [500, 1000].slice(0, posts - 1);
    assert(
      pauses.length === most.length &&
        pauses.every((ms, index) => ms <= (most[index] ?? 0) && ms >= (most[index] ?? 0) * 0.75),
    );
  });
}

test("a story is told by the difference of the provider's bill", async (t) => {
  let charged = 5;
  const { url } = await fakeGateway(t, ({ method }) => {
    if (method === 'GET') return { body: { total: { requests: charged, charged } } };
    charged += 1;
    return charged < 7 ? 'reset' : delivered();
  });
  const client = replayedClient(async () => {});
  const story = { title: 'a story', model: 'slow:3', timeoutMs: 1_000 };
  const telling = await tell(story, client, `${url}/v1`, url);
  assert.deepEqual(telling, { posts: 2, charged: 2, result: { ok: true, base64: TINY_PNG_BASE64 } });
});

test('the official client, where it is installed, reads pictures and codes', async (t) => {
  const client = await createStockClient();
  assert.match(client.name, /^the openai package as installed/);
  const { url } = await fakeGateway(t, ({ body }) => (body.includes('fox') ? delivered() : refusal(424)));
  const request = { baseUrl: `${url}/v1`, model: 'm', timeoutMs: 5_000 };
  assert.deepEqual(await client.generate({ ...request, prompt: 'fox' }), { ok: true, base64: TINY_PNG_BASE64 });
  const refused = await client.generate({ ...request, prompt: 'owl' });
  assert.deepEqual(refused, { ok: false, message: '424 no', status: 424, code: 'some_code' });
});
