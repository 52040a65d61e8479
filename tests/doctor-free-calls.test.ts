/** The doctor's calls to providers are free: every imitation answers them, and nothing stands on the bill. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Finding } from '../packages/gateway/src/doctor/check.ts';
import { NETWORK_CHECKS } from '../packages/gateway/src/doctor/network/checks.ts';
import { openWorld } from '../packages/gateway/src/doctor/open-world.ts';
import { realIo } from '../packages/gateway/src/doctor/real-io.ts';
import { call } from './rig/call.ts';
import { readLedger } from './rig/ledger.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';

const KEYS = {
  OPENAI_API_KEY: 'sk-canary',
  AZURE_OPENAI_API_KEY: 'canary',
  BFL_API_KEY: 'canary',
  STABILITY_API_KEY: 'sk-canary',
  LEONARDO_API_KEY: 'canary',
  REPLICATE_API_TOKEN: 'r8_canary',
  FAL_KEY: 'canary:canary',
  GEMINI_API_KEY: 'canary',
  FOXAPI_API_KEY: 'canary',
  EVOLINK_API_KEY: 'canary',
  MIDJOURNEY_PROXY_SECRET: 'canary',
};

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(() => sandbox?.close());

async function diagnosed(env: Readonly<Record<string, string>>): Promise<readonly Finding[]> {
  const world = openWorld({ env, cwd: '/', io: realIo({ timeoutMs: 5_000 }), timeoutMs: 15_000 });
  assert.ok(world.config.ok, JSON.stringify(world.config));
  return (await Promise.all(NETWORK_CHECKS.map((check) => check.run(world)))).flat();
}

test('every imitated provider accepts its key, is found well, and bills nothing', async () => {
  const { body } = await call(`${sandbox.url}/protocols`);
  const protocols = body.protocols as readonly { readonly name: string; readonly base_url: string }[];
  const addresses = protocols.map(({ name, base_url: url }) => [`ONETAKE_${name.toUpperCase()}_BASE_URL`, url]);
  const found = await diagnosed({ ...KEYS, ...Object.fromEntries(addresses) });
  assert.deepEqual(
    found.filter(({ level }) => level === 'broken' || level === 'warning'),
    [],
  );
  const accepted = found.filter(({ id }) => id === 'key.accepted').map(({ subject }) => subject);
  assert.deepEqual(accepted.toSorted(), protocols.map(({ name }) => name).toSorted());
  assert.equal((await readLedger(sandbox.url)).total.charged, 0);
  assert.ok(!JSON.stringify(found).includes('canary'));
});

test('a key that is wanted and not there is told from one that is refused', async () => {
  const found = await diagnosed({ ONETAKE_MYLAB_BASE_URL: `${sandbox.url}/openai/v1` });
  assert.ok(found.some(({ id }) => id === 'key.missing'));
});
