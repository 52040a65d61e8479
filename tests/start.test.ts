/** What `onetake start` says to the person who starts it, how it ends, and what it must never say or write. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { call, generate } from './rig/call.ts';
import { removeDirectory, temporaryDirectory } from './rig/directories.ts';
import { type GatewayOptions, ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';
import { until } from './rig/poll.ts';
import { type Running, runFile } from './rig/processes.ts';
import { startSandbox } from './rig/sandbox.ts';

async function start(t: TestContext, options: GatewayOptions = {}): Promise<RunningGateway> {
  const gateway = await startGateway(options);
  t.after(() => gateway.close());
  return gateway;
}

/** A start that is expected to fail: its exit code and what it said. */
async function failToStart(t: TestContext, env: Record<string, string>, home = temporaryDirectory()): Promise<Running> {
  t.after(() => removeDirectory(home));
  const running = runFile(ONETAKE, ['start'], {
    cwd: home,
    env: { ONETAKE_PORT: '0', ONETAKE_DATA: join(home, 'data'), ...env },
  });
  await running.ended();
  return running;
}

suite('what it says', { concurrency: 2 }, () => {
  test('without a key it says where it is, that the sandbox plays, and three lines to copy', async (t) => {
    const { url, sandboxUrl, dataDir, process: running } = await start(t);
    const screen = running.stdout();
    for (const said of [url, sandboxUrl, dataDir, 'OPENAI_API_KEY', 'every model is played by the sandbox']) {
      assert.ok(screen.includes(said), `${said} is not in:\n${screen}`);
    }
    for (const line of [/^\s+curl\s+curl -s http/m, /^\s+node\s+.*new OpenAI/m, /^\s+python\s+OpenAI\(/m]) {
      assert.match(screen, line);
    }
    assert.equal(running.stderr(), '');
    assert.equal((await call(`${url}/health/ready`)).status, 200);
  });

  test('with a key it names the variable and the models it opens, never the key', async (t) => {
    const { process: running } = await start(t, { env: { OPENAI_API_KEY: 'sk-not-to-be-seen' } });
    assert.match(running.stdout(), /OPENAI_API_KEY\s+.*gpt-image-2/);
    assert.doesNotMatch(running.stdout() + running.stderr(), /not-to-be-seen/);
  });

  test('OPENAI_BASE_URL in its own environment is noted and not used', async (t) => {
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_API_KEY: 'sk-x' };
    const { process: running } = await start(t, { env });
    assert.match(running.stdout(), /OPENAI_BASE_URL is set.*ONETAKE_OPENAI_BASE_URL/);
  });
});

suite('how it ends', { concurrency: 2 }, () => {
  test('Ctrl-C ends it with 0, and its sandbox with it', async (t) => {
    const gateway = await start(t);
    assert.equal(await gateway.end(), 0);
    await assert.rejects(call(`${gateway.sandboxUrl}/ledger`), { code: 'ECONNREFUSED' });
  });

  test('a launcher that is gone ends it too', async (t) => {
    const gateway = await start(t);
    gateway.process.child.disconnect();
    assert.equal(await gateway.process.ended(), 0);
  });

  test('Ctrl-C lets a picture in flight arrive', async (t) => {
    const gateway = await start(t);
    const asked = generate(gateway.url, { model: 'sandbox/slow:0.5', prompt: 'the last fox' });
    await until('the provider is asked', async () => {
      return (await countOf(gateway.sandboxUrl, 'slow:0.5')).requests === 1;
    });
    const ended = gateway.end();
    assert.equal((await asked).status, 200);
    assert.equal(await ended, 0);
  });
});

suite('why it does not start', { concurrency: 2 }, () => {
  test('a wrong key or value in onetake.yaml: exit 2 with path, expectation and value', async (t) => {
    const wrong = await startGateway({ yaml: 'retention: { days: soon }\nrutes: {}\n' }).catch((error) =>
      String(error),
    );
    assert.match(String(wrong), /retention\.days: expected .*whole number.*soon/);
    assert.match(String(wrong), /rutes: .*routes/);
    const running = await failToStart(t, { ONETAKE_PORT: 'eighty' });
    assert.equal(await running.ended(), 2);
    assert.match(running.stderr(), /ONETAKE_PORT: expected a whole number.*eighty/);
    assert.equal(running.stdout(), '');
  });

  test('another host without caller keys: it refuses to start', async (t) => {
    const running = await failToStart(t, { ONETAKE_HOST: '0.0.0.0' });
    assert.equal(await running.ended(), 2);
    assert.match(running.stderr(), /ONETAKE_HOST.*ONETAKE_API_KEYS/s);
  });

  test('a port in use: exit 1, and the way out', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const running = await failToStart(t, { ONETAKE_PORT: String(port) });
    assert.equal(await running.ended(), 1);
    assert.match(running.stderr(), new RegExp(`port ${port} .*in use.*ONETAKE_PORT`));
  });

  test('a data directory in use: exit 1, and the way out', async (t) => {
    const { home } = await start(t);
    const running = await failToStart(t, {}, home);
    assert.equal(await running.ended(), 1);
    assert.match(running.stderr(), /in use by another gateway.*ONETAKE_DATA/);
  });

  test('it never calls itself', async (t) => {
    const env = { ONETAKE_PORT: '8599', ONETAKE_OPENAI_BASE_URL: 'http://localhost:8599/v1', OPENAI_API_KEY: 'sk-x' };
    const running = await failToStart(t, env);
    assert.equal(await running.ended(), 2);
    assert.match(running.stderr(), /ONETAKE_OPENAI_BASE_URL.*call itself/);
  });
});

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

test('no key and no base64 of a picture in the data directory, on stdout or on stderr', async (t) => {
  const sandbox = await startSandbox();
  t.after(() => sandbox.close());
  const [providerKey, callerKey] = ['sk-marked-provider-4711', 'marked-caller-4711'];
  const gateway = await start(t, {
    env: {
      OPENAI_API_KEY: providerKey,
      ONETAKE_OPENAI_BASE_URL: `${sandbox.url}/v1`,
      ONETAKE_API_KEYS: `tester:${callerKey}`,
    },
  });
  const headers = { authorization: `Bearer ${callerKey}` };
  const made = await generate(gateway.url, { model: 'gpt-image-2', prompt: 'a marked fox' }, { headers });
  assert.equal(made.status, 200);
  const base64 = made.body.data?.[0]?.b64_json ?? '';
  assert.ok(base64.length > 400);
  const edit = { model: 'gpt-image-2', prompt: 'edited', images: [{ image_url: `data:image/png;base64,${base64}` }] };
  assert.equal((await call(`${gateway.url}/v1/images/edits`, { headers, body: edit })).status, 200);
  for (const fault of ['401', '500', 'reset-mid-body', 'truncated']) {
    const body = { model: 'gpt-image-2', fault, prompt: fault };
    assert.notEqual((await generate(gateway.url, body, { headers })).status, 200);
  }
  const stranger = { authorization: 'Bearer marked-stranger-4711' };
  assert.equal((await generate(gateway.url, { prompt: 'x' }, { headers: stranger })).status, 401);
  await gateway.end();

  const places = filesBelow(gateway.dataDir).map((path) => [path, readFileSync(path, 'latin1')] as const);
  assert.ok(places.some(([path]) => path.endsWith('onetake.db')));
  const said = gateway.process.stdout() + gateway.process.stderr();
  for (const [place, text] of [...places, ['what it said', said] as const]) {
    assert.ok(!/marked-\w+-4711/.test(text), `a key is in ${place}`);
    assert.ok(!text.includes(base64.slice(200, 260)), `a picture's base64 is in ${place}`);
    if (!place.includes('assets')) assert.ok(!/[A-Za-z0-9+/]{300}/.test(text), `long base64 is in ${place}`);
  }
});
