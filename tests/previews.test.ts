/** Smaller pictures and other formats: links that the gateway signs, kept over a restart, gone with their picture. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { call } from './rig/call.ts';
import { temporaryDirectory } from './rig/directories.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';

const home = temporaryDirectory();
const KEY = { authorization: 'Bearer ann-key-1' };
let gateway: RunningGateway;

const start = () => startGateway({ home, env: { ONETAKE_API_KEYS: 'ann:ann-key-1' } });

before(async () => {
  gateway = await start();
});
after(() => gateway?.close());

interface Shown {
  readonly url: string;
  readonly thumbnail: string;
}

test('a task and its generation link to a thumbnail, which needs no key and outlives a restart', async () => {
  const made = await call(`${gateway.url}/v1/tasks`, {
    body: { prompt: 'a fox', model: 'sandbox/fast' },
    headers: KEY,
  });
  const id = String(made.body.id);
  const task = await call(`${gateway.url}/v1/tasks/${id}?wait=30`, { headers: KEY });
  const [picture] = task.body.data as unknown as readonly Shown[];
  const generation = await call(`${gateway.url}/v1/generations/${id}`, { headers: KEY });
  const [image] = generation.body.images as readonly Shown[];
  const thumbnail = picture?.thumbnail ?? assert.fail();
  assert.equal(image?.thumbnail, thumbnail);
  assert.match(thumbnail, /\/v1\/assets\/[0-9a-f]{64}\.png\?w=256&sig=[\w-]{22}$/);
  const first = await fetch(thumbnail);
  assert.deepEqual([first.status, first.headers.get('content-type')], [200, 'image/webp']);
  const bytes = Buffer.from(await first.arrayBuffer());
  assert.equal(readdirSync(join(gateway.dataDir, 'assets', 'previews')).length, 1);

  const { pathname, search } = new URL(thumbnail);
  await gateway.end();
  gateway = await start();
  const again = await fetch(`${gateway.url}${pathname}${search}`);
  assert.deepEqual(Buffer.from(await again.arrayBuffer()), bytes);
  const unsigned = await fetch(`${gateway.url}${pathname}?w=512`);
  const { error } = (await unsigned.json()) as { error: { code: string; message: string } };
  assert.deepEqual([unsigned.status, error.code], [403, 'invalid_signature']);
  const asked = await fetch(`${gateway.url}${pathname}?w=512&format=jpeg`, { headers: KEY });
  assert.equal(asked.status, 200);
  const link = new URL(asked.headers.get('content-location') ?? '', gateway.url);
  assert.equal((await fetch(link)).status, 200);
});
