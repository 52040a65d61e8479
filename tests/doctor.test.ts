/** The doctor names what was planted, says what to do and ends with the right exit code; a healthy set-up raises no alarm. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ANSWER_FAULTS } from '../packages/gateway/src/doctor/network/testing/answer-faults.ts';
import { THROUGH_FAULTS } from '../packages/gateway/src/doctor/network/testing/through-faults.ts';
import { WAY_FAULTS } from '../packages/gateway/src/doctor/network/testing/way-faults.ts';
import { CONFIG_FAULTS } from '../packages/gateway/src/doctor/testing/config-faults.ts';
import { HEALTHY } from '../packages/gateway/src/doctor/testing/healthy.ts';
import { KEY_FAULTS } from '../packages/gateway/src/doctor/testing/key-faults.ts';
import { MACHINE_FAULTS } from '../packages/gateway/src/doctor/testing/machine-faults.ts';
import { CANARY, testHealthy, testPlanted } from '../packages/gateway/src/doctor/testing/planted.ts';
import { USE_FAULTS } from '../packages/gateway/src/doctor/testing/use-faults.ts';
import { call } from './rig/call.ts';
import { removeDirectory, temporaryDirectory } from './rig/directories.ts';
import { ONETAKE, startGateway } from './rig/gateway.ts';
import { runFile } from './rig/processes.ts';

const LOCAL_FAULTS = [...CONFIG_FAULTS, ...KEY_FAULTS, ...MACHINE_FAULTS, ...USE_FAULTS];
const NETWORK_FAULTS = [...WAY_FAULTS, ...ANSWER_FAULTS, ...THROUGH_FAULTS];
const DOCTOR_TIMEOUT_MS = 60_000;

test('forty faults and more are planted, each once', () => {
  const faults = [...LOCAL_FAULTS, ...NETWORK_FAULTS];
  assert.ok(LOCAL_FAULTS.length >= 26 && NETWORK_FAULTS.length >= 16);
  assert.equal(new Set(faults.map(({ name }) => name)).size, faults.length);
});

testPlanted(LOCAL_FAULTS);
testHealthy(HEALTHY);

/** `onetake doctor` as a process of its own, in a directory of its own, with nothing leaving the machine. */
async function doctor(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>>, yaml = '') {
  const cwd = temporaryDirectory();
  t.after(() => removeDirectory(cwd));
  writeFileSync(join(cwd, 'onetake.yaml'), yaml);
  const running = runFile(ONETAKE, ['doctor', '--offline', ...args], { cwd, env: { ONETAKE_PORT: '0', ...env } });
  const exitCode = await running.ended(DOCTOR_TIMEOUT_MS);
  assert.equal(running.stderr(), '');
  return { exitCode, stdout: running.stdout() };
}

test('onetake doctor ends with the verdict: healthy, warnings, broken', async (t) => {
  const healthy = await doctor(t, [], {});
  assert.equal(healthy.exitCode, 0, healthy.stdout);
  assert.match(healthy.stdout, /^healthy: 0 broken, 0 warnings, \d+ well/m);
  const warned = await doctor(t, ['--fix-hints'], { OPENAI_KEY: `sk-proj-${CANARY}` });
  assert.equal(warned.exitCode, 1, warned.stdout);
  assert.match(warned.stdout, /^ {2}! OPENAI_KEY is set and nothing reads it/m);
  assert.match(warned.stdout, /^ {6}export OPENAI_API_KEY="\$OPENAI_KEY"$/m);
  const broken = await doctor(t, ['--json'], { OPENAI_API_KEY: `sk-${CANARY}` }, 'retentoin: {}\n');
  const { verdict, health, findings } = JSON.parse(broken.stdout);
  assert.deepEqual([broken.exitCode, verdict, health], [2, 2, 'broken']);
  const found = findings.map(({ id }: { id: string }) => id);
  for (const id of ['config.unknown-key', 'keys.truncated']) assert.ok(found.includes(id), found.join());
  for (const { stdout } of [warned, broken]) assert.ok(!stdout.includes(CANARY), stdout);
});

test('a prompt is held against the rules of this configuration', async (t) => {
  const { exitCode, stdout } = await doctor(t, ['--prompt', 'a red fox in the snow'], {});
  assert.equal(exitCode, 0);
  assert.match(stdout, /prompt: the local rules have nothing against it/);
});

test('a running gateway is asked, never started; its page has the same findings', async (t) => {
  const gateway = await startGateway({ env: { ONETAKE_API_KEYS: `app:${CANARY}-of-the-app-1234` } });
  t.after(() => gateway.close());
  const env = { ONETAKE_URL: gateway.url, ONETAKE_DATA: gateway.dataDir };
  const { exitCode, stdout } = await doctor(t, [], env);
  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, new RegExp(`gateway: ready at ${gateway.url}`));

  const app = { authorization: `Bearer ${CANARY}-of-the-app-1234` };
  for (const path of ['/v1/doctor', '/v1/config']) {
    const refused = await call(`${gateway.url}${path}`, { headers: app });
    assert.deepEqual([refused.status, refused.body.error?.code], [403, 'admin_only']);
  }
  const key = readFileSync(join(gateway.dataDir, 'admin.key'), 'utf8').trim();
  const admin = { authorization: `Bearer ${key}` };
  const [page, shown] = await Promise.all(
    ['/v1/doctor', '/v1/config'].map((path) => call(`${gateway.url}${path}`, { headers: admin })),
  );
  assert.deepEqual([page?.body.object, page?.body.verdict], ['diagnosis', 0], String(page?.text));
  assert.match(page?.text ?? '', /"gateway\.ready"/);
  const elsewhere = await call(`${gateway.url}/v1/doctor`, { headers: { 'x-api-key': key } });
  assert.match(elsewhere.text, /"gateway\.ready"/);
  assert.doesNotMatch(elsewhere.text, /"gateway\.not-told"/, 'the key goes along from whichever header it came in');
  assert.deepEqual(shown?.body.callers, [{ name: 'app', key: 'ONETAKE_API_KEYS' }]);
  for (const text of [stdout, page?.text ?? '', shown?.text ?? '']) {
    assert.ok(!text.includes(CANARY), text);
    assert.ok(!text.includes(key), text);
  }
  const unknown = await call(`${gateway.url}/v1/doctor?provider=nobody`, { headers: admin });
  assert.deepEqual([unknown.status, unknown.body.error?.param], [400, 'provider']);
});

test('a model that retires is told with who still uses it', async (t) => {
  const env = { ONETAKE_OPENAI_BASE_URL: 'sandbox', ONETAKE_API_KEYS: `app:${CANARY}-of-the-app-1234` };
  const gateway = await startGateway({ env });
  t.after(() => gateway.close());
  const made = await call(`${gateway.url}/v1/images/generations`, {
    headers: { authorization: `Bearer ${CANARY}-of-the-app-1234` },
    body: { model: 'gpt-image-1.5', prompt: 'a fox', size: '1024x1024' },
  });
  assert.equal(made.status, 200, made.text);
  const told = { ...env, ONETAKE_URL: gateway.url, ONETAKE_DATA: gateway.dataDir };
  const { exitCode, stdout } = await doctor(t, ['--json'], told);
  const { findings } = JSON.parse(stdout) as { findings: readonly { id: string; message: string; advice: string }[] };
  const found = findings.find(({ id }) => id === 'models.retiring' || id === 'models.gone');
  assert.match(found?.message ?? stdout, /^gpt-image-1\.5 .*2026-12-01.*Used 1 time in 7 days by key app\./);
  assert.match(found?.advice ?? '', /openai\/gpt-image-2\.5-sunburst/);
  assert.ok(exitCode === 1 || exitCode === 2);
});
