import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { call } from '../../rig/call.ts';
import { temporaryDirectory } from '../../rig/directories.ts';
import { type RunningGateway, startGateway } from '../../rig/gateway.ts';
import { fillStore } from '../../rig/ten-thousand.ts';

export const ADMIN_KEY = 'the-key-of-the-administrator';

const YAML = `
routes:
  image-best: { targets: [sandbox/500, sandbox/fast] }
  image-slow: { targets: [sandbox/slow:4] }
limits:
  sandbox/fast: { images: 60/60s, concurrency: 8 }
`;
const PROMPTS = [
  'a red fox in the snow',
  'an owl at night, oil on canvas',
  'a lighthouse in a storm',
  'a bowl of lemons',
];
const KEYS = [
  { name: 'shop', budget: { usd: 5, per: 'day' }, rpm: 60 },
  { name: 'newsroom', images: { count: 100, per: 'day' } },
  { name: 'nightly', budget: { usd: 0.1, per: 'day' } },
];

/** A gateway with something on each of its pages: a past of some hundred generations, keys, a batch, failures, candidates. */
export async function startLively(): Promise<RunningGateway> {
  const home = temporaryDirectory();
  mkdirSync(join(home, 'data'));
  await fillStore(join(home, 'data'), { generations: 600, pictures: 48 });
  const gateway = await startGateway({ home, yaml: YAML, env: { ONETAKE_ADMIN_KEY: ADMIN_KEY } });
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const post = (path: string, body: object) => call(`${gateway.url}${path}`, { body, headers });
  for (const key of KEYS) assert.equal((await post('/v1/keys', key)).status, 201);
  const image = (body: object) => post('/v1/images/generations', { response_format: 'url', ...body });
  for (const [index, prompt] of PROMPTS.entries()) {
    await image({ prompt, model: 'image-best', size: index % 2 === 0 ? '1024x1024' : '1536x1024' });
    await image({ prompt, model: index % 2 === 0 ? 'sandbox/policy' : 'sandbox/500' });
  }
  await image({ prompt: 'a hare in a meadow', model: 'sandbox/fast', candidates: 3 });
  await startBatch(gateway.url, headers);
  return gateway;
}

async function startBatch(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const lines = PROMPTS.map((prompt, index) =>
    JSON.stringify({
      ...{ custom_id: `line-${index}`, method: 'POST', url: '/v1/images/generations' },
      body: { prompt, model: 'sandbox/fast' },
    }),
  );
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new Blob([lines.join('\n')]), 'pictures.jsonl');
  const uploaded = await fetch(`${url}/v1/files`, { method: 'POST', body: form, headers });
  const { id } = (await uploaded.json()) as { readonly id: string };
  const body = { input_file_id: id, endpoint: '/v1/images/generations', completion_window: '24h' };
  const started = await call(`${url}/v1/batches`, { body, headers });
  assert.equal(started.status, 200, started.text);
}

/** Signs the profile of a page in, as the form does, and shows the page that was asked for. */
export async function signIn(page: Page): Promise<void> {
  const body = JSON.stringify({ key: ADMIN_KEY });
  const status = await page.evaluate(`fetch('/v1/session', {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-onetake-page': '1' }, body: ${JSON.stringify(body)},
  }).then((answer) => answer.status)`);
  assert.equal(status, 200);
  await page.reload({ waitUntil: 'domcontentloaded' });
}
