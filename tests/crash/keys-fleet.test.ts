/** Two gateways on one PostgreSQL know one set of keys, and count requests together. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { call, generate } from '../rig/call.ts';
import { FLEET_MODELS, type Fleet, startFleet } from '../rig/fleet.ts';
import { until } from '../rig/poll.ts';

let fleet: Fleet;
before(async () => {
  fleet = await startFleet(2);
});
after(() => fleet?.close());

function node(index: number) {
  return fleet.nodes()[index] ?? assert.fail('no such node');
}

/** Each node has an admin key of its own. */
function administer(index: number, method: string, path: string, body?: object) {
  const { url, dataDir } = node(index);
  const authorization = `Bearer ${readFileSync(join(dataDir, 'admin.key'), 'utf8').trim()}`;
  return call(`${url}/v1/keys${path}`, { method, headers: { authorization }, ...(body && { body }) });
}

async function make(name: string, fields: object = {}) {
  const { body } = await administer(0, 'POST', '', { name, ...fields });
  const authorization = `Bearer ${body.key}`;
  await until('the other node knows the key', async () => (await statusAt(1, authorization)) === 200, 2_000);
  return authorization;
}

async function statusAt(index: number, authorization: string): Promise<number> {
  return (await call(`${node(index).url}/v1/generations`, { headers: { authorization } })).status;
}

test('a key that is made or revoked at one node is that at the other within 2 s', async (t) => {
  const authorization = await make('app');
  assert.equal(await statusAt(0, authorization), 200);
  const started = performance.now();
  await administer(1, 'DELETE', '/app');
  await until('the other node refuses it', async () => (await statusAt(0, authorization)) === 401, 2_000);
  t.diagnostic(`revoked everywhere after ${Math.round(performance.now() - started)} ms`);
  assert.equal((await administer(0, 'POST', '', { name: 'app' })).status, 409);
});

test('60 requests a minute over two nodes are 60', async (t) => {
  const authorization = await make('counted', { rpm: 60 });
  const model = `${FLEET_MODELS.call}/ok`;
  const started = performance.now();
  const asks = Array.from({ length: 100 }, (_, index) =>
    generate(node(index % 2).url, { model, prompt: `picture ${index}` }, { headers: { authorization } }),
  );
  const answers = await Promise.all(asks);
  t.diagnostic(`100 requests took ${Math.round(performance.now() - started)} ms`);
  const counted = answers.map(({ status }) => status);
  assert.deepEqual(
    [counted.filter((one) => one === 200).length, counted.filter((one) => one === 429).length],
    [60, 40],
  );
});
