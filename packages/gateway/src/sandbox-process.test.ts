import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { restartDelayMs, startSandboxProcess } from './sandbox-process.ts';

async function directory(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'onetake-sandbox-'));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

async function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('a sandbox that was killed is started again, and one that was stopped is not', {
  timeout: 30_000,
}, async (context) => {
  const sandbox = await startSandboxProcess(await directory(context));
  const { pid } = sandbox;
  assert.ok(await accepts(sandbox.url));
  process.kill(pid, 'SIGKILL');
  while (sandbox.pid === pid) await pause(10);
  assert.ok(await accepts(sandbox.url), 'the address is the new one');
  await sandbox.stop();
  assert.equal(await accepts(sandbox.url), false);
  assert.throws(() => process.kill(sandbox.pid, 0), { code: 'ESRCH' });
});

test('a sandbox stopped while it starts again stays stopped', { timeout: 30_000 }, async (context) => {
  const sandbox = await startSandboxProcess(await directory(context));
  process.kill(sandbox.pid, 'SIGKILL');
  await sandbox.stop();
  assert.equal(await accepts(sandbox.url), false);
});

test('a sandbox that cannot start is an error', async (context) => {
  const file = join(await directory(context), 'file');
  await writeFile(file, '');
  await assert.rejects(startSandboxProcess(file), /ended while it started/);
});

test('five restarts go at once, the sixth waits until the first is a minute old', () => {
  assert.equal(restartDelayMs([], 7), 0);
  assert.equal(restartDelayMs([1, 2, 3, 4], 5), 0);
  assert.equal(restartDelayMs([1, 2, 3, 4, 5], 11), 59_990);
  assert.equal(restartDelayMs([1, 2, 3, 4, 5], 70_000), 0);
});
