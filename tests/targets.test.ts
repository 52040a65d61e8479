/** What an operator does to targets by hand: it holds at once, after a restart, and through the command line. */
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { call, generate } from './rig/call.ts';
import { removeDirectory, temporaryDirectory } from './rig/directories.ts';
import { type GatewayOptions, ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';
import { runFile } from './rig/processes.ts';

const YAML = 'routes: { two: [sandbox/ok, sandbox/good] }\n';

async function start(t: TestContext, options: GatewayOptions = {}): Promise<RunningGateway> {
  const gateway = await startGateway({ yaml: YAML, ...options });
  t.after(() => gateway.close());
  return gateway;
}

/** Runs `onetake …` against the gateway, as somebody on its machine would. */
async function onetake({ url, home, dataDir }: RunningGateway, ...args: string[]) {
  const env = { ONETAKE_PORT: new URL(url).port, ONETAKE_DATA: dataDir };
  const running = runFile(ONETAKE, args, { cwd: home, env });
  const exitCode = await running.ended();
  return { exitCode, stdout: running.stdout(), stderr: running.stderr() };
}

suite('targets', { concurrency: 2 }, () => {
  test('a drained target is passed over, also after a restart, until it is resumed', async (t) => {
    const home = temporaryDirectory();
    t.after(() => removeDirectory(home));
    const first = await start(t, { home });
    const drained = await onetake(first, 'targets', 'drain', 'sandbox/ok');
    assert.deepEqual([drained.exitCode, drained.stdout.trim()], [0, 'sandbox/ok takes nothing new']);
    const other = await generate(first.url, { model: 'two', prompt: 'one' });
    assert.deepEqual([other.status, other.headers['x-onetake-model']], [200, 'good']);
    const alone = await generate(first.url, { model: 'sandbox/ok', prompt: 'two' });
    assert.deepEqual([alone.status, alone.body.error?.code], [503, 'model_unavailable']);
    assert.match(alone.body.error?.message ?? '', /taken out by an operator/);
    await first.end();

    const second = await start(t, { home });
    const listed = await onetake(second, 'targets');
    assert.match(listed.stdout, /sandbox\/ok\s.*drained/);
    const still = await generate(second.url, { model: 'two', prompt: 'three' });
    assert.equal(still.headers['x-onetake-model'], 'good');
    assert.equal((await onetake(second, 'targets', 'resume', 'sandbox/ok')).exitCode, 0);
    const back = await generate(second.url, { model: 'two', prompt: 'four' });
    assert.deepEqual([back.status, back.headers['x-onetake-model']], [200, 'ok']);
    assert.equal((await countOf(second.sandboxUrl, 'ok')).requests, 1);
  });

  test('a reset sends the next request to a target whose key was refused', async (t) => {
    const gateway = await start(t);
    const asked = { model: 'sandbox/quota,ok', prompt: 'topped up' };
    assert.equal((await generate(gateway.url, asked)).status, 429);
    assert.equal((await generate(gateway.url, asked)).status, 429, 'the key is closed');
    assert.equal((await countOf(gateway.sandboxUrl, 'quota,ok')).requests, 1);
    const shown = await onetake(gateway, 'targets', 'show', 'sandbox/quota,ok', '--json');
    assert.equal(JSON.parse(shown.stdout).data[0].credential_breaker, 'open');
    assert.equal((await onetake(gateway, 'targets', 'reset', 'sandbox/quota,ok')).exitCode, 0);
    assert.equal((await generate(gateway.url, asked)).status, 200);
  });

  test('what is no target, and nothing that is done to one, is told with a way out', async (t) => {
    const { url } = await start(t);
    const ask = async (path: string) => (await call(`${url}/v1/targets/${path}`, { method: 'POST' })).body.error;
    assert.match((await ask('nobody/model/reset'))?.message ?? '', /no configured provider/);
    assert.match((await ask('sandbox/ok/explode'))?.message ?? '', /reset, drain, resume/);
    assert.equal((await ask('sandbox/ok/explode'))?.code, 'not_found');
  });
});
