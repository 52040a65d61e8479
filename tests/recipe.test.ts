/** CONTRIBUTING's recipe for a provider: an adapter, its data, fixtures, and one line in the list make pictures. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { providerFixtures, testProvider } from '../packages/core/src/testing/test-provider.ts';
import { TINY_PNG_BASE64 } from '../packages/core/src/testing/tiny-png.ts';
import { brushworks } from './fixtures/recipe/brushworks.ts';
import fixtures from './fixtures/recipe/fixtures/brushworks.json' with { type: 'json' };
import { call, generate } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';

testProvider(brushworks, providerFixtures(fixtures));

const REGISTER = fileURLToPath(new URL('fixtures/recipe/register.ts', import.meta.url));
const REFUSED = { problem: { reason: 'improper', text: 'We do not paint that.' } };

interface Seen {
  readonly path: string | undefined;
  readonly key: unknown;
  readonly body: Readonly<Record<string, unknown>>;
}

suite('in the list, through a gateway', () => {
  const seen: Seen[] = [];
  let server: Server;
  let gateway: RunningGateway;

  async function paint(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    seen.push({ path: request.url, key: request.headers['brush-key'], body });
    const isRefused = body.prompt === 'something improper';
    response.writeHead(isRefused ? 422 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isRefused ? REFUSED : { painting: TINY_PNG_BASE64, seed: 7 }));
  }

  before(async () => {
    server = createServer((request, response) => void paint(request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const baseUrl = `http://127.0.0.1:${address.port}/v1`;
    // Its usual variable alone makes it a provider; where it is in this test is not where it usually is.
    const env = { BRUSHWORKS_API_KEY: 'wet-paint', ONETAKE_BRUSHWORKS_BASE_URL: baseUrl };
    gateway = await startGateway({ env, nodeArgs: ['--import', REGISTER] });
  });
  after(async () => {
    await gateway?.close();
    server.closeAllConnections();
    server.close();
  });

  test('it makes a picture, with the size mapped to what its data says, and its price', async () => {
    const fields = { model: 'brushworks/oil-1', prompt: 'a red fox', size: '1536x1024', seed: 7 };
    const { status, headers, body, text } = await generate(gateway.url, fields);
    assert.deepEqual([status, body.data?.[0]?.b64_json], [200, TINY_PNG_BASE64], text);
    assert.equal(headers['x-onetake-provider'], 'brushworks');
    const sent = { canvas: 'oil-1', prompt: 'a red fox', ratio: '3:2', seed: 7 };
    assert.deepEqual(seen.at(-1), { path: '/v1/paintings', key: 'wet-paint', body: sent });
    const { body: made } = await call(`${gateway.url}/v1/generations/${headers['x-onetake-generation']}`);
    assert.equal(made.price_usd, 0.02);
  });

  test('its own words for a refusal are a refusal', async () => {
    const fields = { model: 'brushworks/oil-1', prompt: 'something improper' };
    const { status, body } = await generate(gateway.url, fields);
    assert.deepEqual([status, body.error?.code, body.onetake?.billed], [400, 'content_policy_violation', 'no']);
  });

  test('its models are listed, and a typo is a 404 that names them', async () => {
    const { body } = await call(`${gateway.url}/v1/models`);
    const ids = body.data?.filter(({ owned_by }) => owned_by === 'brushworks').map(({ id }) => id);
    // A bare name reaches it, as no other provider has it.
    assert.deepEqual(ids, ['oil-1', 'oil-1-small']);
    const before = seen.length;
    const { status, body: refused } = await generate(gateway.url, { model: 'brushworks/oil-2', prompt: 'a red fox' });
    assert.deepEqual([status, refused.error?.code, seen.length], [404, 'model_not_found', before]);
    assert.match(refused.error?.message ?? '', /oil-1/);
  });
});
