import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';

/** No gateway is looked for, and no port is used. */
const ENV = { ONETAKE_PORT: '0' };
const WITH_KEY = { ...ENV, OPENAI_API_KEY: `sk-proj-${'q7Zp2LmX9vT4bN8k'.repeat(4)}` };

/** A gateway that tells nobody anything but that it runs, and what it was asked. */
async function gateway(t: TestContext) {
  const asked: string[] = [];
  const server = createServer(({ method, url = '' }, response) => {
    asked.push(`${method} ${url}`);
    const status = url === '/health/live' ? 'live' : 'ready';
    const isOpen = url.startsWith('/health/');
    response.writeHead(isOpen ? 200 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isOpen ? { status } : { error: {} }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test('without a terminal nobody can agree to a price, so nothing is spent', async (t) => {
  const { url, asked } = await gateway(t);
  const run = await cli(t, ['doctor', '--spend'], { env: { ...WITH_KEY, ONETAKE_URL: url } });
  assert.equal(run.exitCode, 2);
  assert.match(run.stderr, /openai\/\S+ .*: \$0\.\d+/);
  assert.match(run.stderr, /--yes agrees beforehand/);
  assert.ok(asked.length > 0 && asked.every((one) => one.startsWith('GET ')), asked.join());
});

test('--offline stands beside nothing that leaves the machine', async (t) => {
  for (const args of [['--spend'], ['--through', 'https://images.example']]) {
    const { exitCode, stderr } = await cli(t, ['doctor', '--offline', ...args], { env: ENV });
    assert.equal(exitCode, 2);
    assert.match(stderr, /--offline: expected neither/);
  }
});

test('a provider that is not configured is a fault of usage, one that is narrows what is told', async (t) => {
  const unknown = await cli(t, ['doctor', '--offline', '--provider', 'opnai'], { env: WITH_KEY });
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /--provider: expected one of openai, .*got "opnai"/);
  const env = { ...WITH_KEY, REPLICATE_API_TOKEN: 'r8_short' };
  const openai = await cli(t, ['doctor', '--offline', '--provider', 'openai', '--json'], { env });
  assert.equal(openai.exitCode, 0, openai.stdout);
  const all = await cli(t, ['doctor', '--offline', '--json'], { env });
  assert.equal(all.exitCode, 2);
});

test('a gateway that tells administrators alone is asked politely, and that is said', async (t) => {
  const { url, asked } = await gateway(t);
  const { stdout } = await cli(t, ['doctor', '--offline', '--json'], { env: { ...ENV, ONETAKE_URL: url } });
  const ids = JSON.parse(stdout).findings.map(({ id }: { id: string }) => id);
  assert.ok(ids.includes('gateway.ready') && ids.includes('gateway.not-told'), ids.join());
  assert.ok(
    asked.every((one) => one.startsWith('GET ')),
    asked.join(),
  );
});
