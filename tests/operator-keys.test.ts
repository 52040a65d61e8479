/** Whose key the operator's commands show on the gateway's own machine: the administrator's, so that nothing is left out. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeKey } from '../packages/gateway/src/keys/admin-key.ts';
import { generate } from './rig/call.ts';
import { ONETAKE, startGateway } from './rig/gateway.ts';
import { runFile } from './rig/processes.ts';

async function onetake(cwd: string, env: Readonly<Record<string, string>>, args: readonly string[]) {
  const running = runFile(ONETAKE, args, { cwd, env });
  return { exitCode: await running.ended(), text: running.stdout() + running.stderr() };
}

test('what the second caller did is not left out of costs, and its generation is found', async (t) => {
  const keys = { ONETAKE_API_KEYS: 'ann:key-of-ann-1,bob:key-of-bob-1' };
  const gateway = await startGateway({ env: keys });
  t.after(() => gateway.close());
  const headers = { authorization: 'Bearer key-of-bob-1' };
  const made = await generate(gateway.url, { model: 'sandbox/ok', prompt: 'of bob' }, { headers });
  assert.equal(made.status, 200, made.text);
  const env = { ...keys, ONETAKE_PORT: new URL(gateway.url).port, ONETAKE_DATA: gateway.dataDir };
  for (const args of [
    ['costs', '--by', 'key'],
    ['trace', String(made.headers['x-onetake-generation'])],
  ]) {
    const { exitCode, text } = await onetake(gateway.home, env, args);
    assert.equal(exitCode, 0, text);
    assert.match(text, args[0] === 'costs' ? /^bob +1 /m : /of bob/, text);
  }
  const asAnn = await onetake(gateway.home, { ...env, ONETAKE_API_KEY: 'key-of-ann-1' }, ['costs', '--by', 'key']);
  assert.doesNotMatch(asAnn.text, /^bob/m);
});

test('an admin key of another gateway stands in nobody’s way', async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());
  const other = join(gateway.home, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'admin.key'), `${makeKey()}\n`, { mode: 0o600 });
  const env = { ONETAKE_URL: gateway.url, ONETAKE_DATA: other };
  const { exitCode, text } = await onetake(gateway.home, env, ['costs']);
  assert.equal(exitCode, 0, text);
});
