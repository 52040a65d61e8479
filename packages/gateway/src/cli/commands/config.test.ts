import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { cli, temporaryDirectory } from '../testing/cli.ts';

const CANARY = 'cAnArY7kEyOfAll';
const ENV = {
  OPENAI_API_KEY: `sk-proj-${CANARY}`,
  ONETAKE_API_KEYS: `app:${CANARY}-app`,
  ONETAKE_ADMIN_KEY: `${CANARY}-of-the-administrator`,
  ONETAKE_DATABASE_URL: `postgres://me:${CANARY}@db.example/onetake`,
  ONETAKE_ASSETS: '/tmp/pictures',
  HOOK_SECRET: 'whsec_Y0FuQXJZN2tFeU9mQWxsY0FuQXJZN2tFeU9m',
};
const YAML = `
routes:
  best: { targets: [openai/gpt-image-2], max_paid_attempts: 2 }
limits:
  openai/*: { images: 5/60s }
webhooks:
  keys:
    app: { url: "https://hooks.example/services/${CANARY}", secret_env: HOOK_SECRET }
`;

test('check says ok, or every fault, and ends with 0 or 2', async (t) => {
  const cwd = temporaryDirectory(t);
  assert.deepEqual(await cli(t, ['config', 'check'], { cwd }), { exitCode: 0, stdout: 'ok\n', stderr: '' });
  writeFileSync(join(cwd, 'onetake.yaml'), 'retentoin: {}\nsandbox: perhaps\n');
  const { exitCode, stdout } = await cli(t, ['config'], { cwd });
  assert.equal(exitCode, 2);
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(':', 1)[0])
      .toSorted(),
    ['retentoin', 'sandbox'],
  );
  const asJson = await cli(t, ['config', 'check', '--json'], { cwd });
  assert.equal(asJson.exitCode, 2);
  assert.equal(JSON.parse(asJson.stdout).faults.length, 2);
});

test('show tells what is in force, keys by where they come from, and no secret', async (t) => {
  const cwd = temporaryDirectory(t);
  writeFileSync(join(cwd, 'onetake.yaml'), YAML);
  const { exitCode, stdout } = await cli(t, ['config', 'show', '--json'], { cwd, env: ENV });
  assert.equal(exitCode, 0);
  for (const secret of [CANARY, 'whsec_']) assert.ok(!stdout.includes(secret), stdout);
  const view = JSON.parse(stdout);
  assert.deepEqual(view.providers.openai, {
    kind: 'openai',
    base_url: 'https://api.openai.com/v1',
    key: 'OPENAI_API_KEY',
  });
  assert.deepEqual(view.routes.best, { targets: ['openai/gpt-image-2'], max_paid_attempts: 2 });
  assert.deepEqual(view.callers, [{ name: 'app', key: 'ONETAKE_API_KEYS' }]);
  assert.deepEqual(view.limits['openai/*'], { images: [{ count: 5, window_ms: 60_000 }] });
  assert.deepEqual(view.webhooks.keys.app, { url: 'https://hooks.example/…', secret: 'configured' });
  assert.equal(view.database, 'postgres://db.example:5432/onetake');
  assert.equal(view.default_model, 'openai/gpt-image-2.5-sunburst');
  assert.equal(view.admin_key, 'ONETAKE_ADMIN_KEY');
  const asYaml = await cli(t, ['config', 'show'], { cwd, env: ENV });
  assert.deepEqual(parse(asYaml.stdout), view);
});

test('schema prints JSON Schema that names every section', async (t) => {
  const { exitCode, stdout } = await cli(t, ['config', 'schema']);
  const { title, properties } = JSON.parse(stdout);
  assert.deepEqual([exitCode, title], [0, 'onetake.yaml']);
  for (const section of ['providers', 'routes', 'webhooks', 'limits']) assert.ok(section in properties);
});
