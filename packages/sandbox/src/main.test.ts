import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from './server.ts';
import { cancel, endOf, generate, ledgerOf, lookUp, submit, taskOf, temporaryDirectory } from './testing/sandbox.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

async function start(
  t: TestContext,
  ...args: string[]
): Promise<{ child: ChildProcess; sandbox: Sandbox; line: string }> {
  const child = fork(MAIN, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], execArgv: [] });
  t.after(() => child.kill('SIGKILL'));
  const [[ready], [line]] = await Promise.all([once(child, 'message'), once(child.stdout ?? child, 'data')]);
  return { child, sandbox: ready as Sandbox, line: String(line) };
}

test('it says once where it is, on stdout and to its parent, and ends with 0 on SIGTERM', async (t) => {
  const { child, sandbox, line } = await start(
    t,
    '--data',
    temporaryDirectory(t),
    '--limit',
    'images=1/60s',
    '--silent',
  );
  assert.deepEqual(JSON.parse(line), sandbox);
  assert.deepEqual(Object.keys(sandbox), ['ready', 'url', 'refusePort', 'resetPort']);
  assert.equal((await generate(sandbox, {})).status, 200);
  const refused = await generate(sandbox, {});
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, null]);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('it ends when its parent is gone', async (t) => {
  const { child } = await start(t, '--data', temporaryDirectory(t));
  const exited = once(child, 'exit');
  child.disconnect();
  assert.deepEqual(await exited, [0, null]);
});

test('a kill in the middle of the work loses neither the charge nor the place in the script', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await start(t, '--data', directory);
  const asked = generate(first.sandbox, { model: 'slow:60,409' });
  while ((await ledgerOf(first.sandbox)).total.charged === 0);
  first.child.kill('SIGKILL');
  await assert.rejects(asked);
  const second = await start(t, '--data', directory);
  assert.equal((await ledgerOf(second.sandbox)).models['slow:60,409']?.charged, 1);
  assert.equal((await generate(second.sandbox, { model: 'slow:60,409' })).status, 409);
});

test('a kill leaves jobs as they were: they go on, end at the same instant, and are charged once', async (t) => {
  const args = ['--data', temporaryDirectory(t), '--limit', 'concurrency=4'];
  const first = await start(t, ...args);
  const ids: string[] = [];
  for (const model of ['slow:1.5', 'stuck', 'queued:60', 'cold:60'])
    ids.push((await taskOf(submit(first.sandbox, { model, seed: 3 }))).id);
  const [slow = '', stuck = '', queued = '', cold = ''] = ids;
  await cancel(first.sandbox, cold);
  const before = await taskOf(lookUp(first.sandbox, slow));
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');

  const { sandbox } = await start(t, ...args);
  const after = await taskOf(lookUp(sandbox, slow));
  assert.equal(after.created_at, before.created_at);
  assert.ok(after.progress >= before.progress);
  assert.equal((await taskOf(lookUp(sandbox, cold))).status, 'canceled');
  assert.equal((await ledgerOf(sandbox)).total.charged, 3);
  assert.equal((await submit(sandbox, { model: 'stuck' })).status, 202);
  assert.equal((await submit(sandbox, { model: 'ok' })).status, 429);
  const done = await endOf(sandbox, slow);
  const tookMs = Date.now() - Date.parse(done.created_at);
  assert.equal(done.status, 'succeeded');
  assert.ok(tookMs >= 1500, `it was done after ${tookMs} ms`);
  assert.equal((await fetch(done.output?.[0]?.url ?? '')).status, 200);
  assert.equal((await taskOf(lookUp(sandbox, stuck))).progress, 50);
  assert.deepEqual(await taskOf(cancel(sandbox, queued)), { id: queued, status: 'canceled', billed: false });
  assert.equal((await ledgerOf(sandbox)).total.charged, 3);
});

test('a submit that nobody heard of is charged before a kill can come', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await start(t, '--data', directory);
  await assert.rejects(submit(first.sandbox, { model: 'submit-lost' }));
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = await start(t, '--data', directory);
  assert.equal((await ledgerOf(second.sandbox)).models['sandbox-task/submit-lost']?.charged, 1);
});

test('wrong arguments are named, with the way to write them', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /--data is missing/u],
    [['--data', 'x', '--port', '70000'], /--port "70000" must be/u],
    [['--data', 'x', '--limit', 'images=5'], /limit "images=5"/u],
    [['--data', 'x', '--sillent'], /--sillent/u],
  ];
  for (const [args, expected] of wrong) {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.match(said, expected);
    assert.match(said, /usage: --data DIR/u);
  }
});
