import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, mock, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { sampleFence, sampleGeneration, started } from './contract/samples.ts';
import { StoreClosedError, StoreInUseError } from './errors.ts';
import { openSqliteStore } from './sqlite.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-store-crash-'));
after(() => rmSync(directory, { recursive: true }));

function startAppending(path: string, round: number): ChildProcess {
  const script = fileURLToPath(new URL('./testing/appending-process.ts', import.meta.url));
  const args = ['--conditions=onetake-source', script, path, String(round)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Lets a process append until it acknowledged this many, kills it, and returns what it acknowledged by generation. */
async function killAfter(path: string, round: number, acknowledged: number): Promise<Map<string, number>> {
  const child = startAppending(path, round);
  const lengths = new Map<string, number>();
  let lines = 0;
  assert.ok(child.stdout);
  for await (const line of createInterface(child.stdout)) {
    const [name = '', length] = line.split(' ');
    lengths.set(name, Number(length));
    lines += 1;
    if (lines === acknowledged) child.kill('SIGKILL');
  }
  return lengths;
}

test('after kill -9 every acknowledged append is there, and leases of the dead end at once', async () => {
  const path = join(directory, 'killed.db');
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < 5; round += 1) {
    const told = await killAfter(path, round, 1 + Math.floor(Math.random() * 500));
    for (const [name, length] of told) acknowledged.set(name, length);
    const store = await openSqliteStore({ path });
    for (const [name, length] of acknowledged) {
      const journal = (await store.read(name))?.journals[0] ?? [];
      assert.ok(journal.length >= length, `${name}: ${length} acknowledged, ${journal.length} found`);
      assert.deepEqual(
        journal,
        journal.map((_, index) => started(index)),
      );
    }
    const claimed = await store.claim('next', 1, 1_000, 1_000);
    assert.ok(claimed.length >= acknowledged.size);
    await store.close();
  }
});

test('a second process is refused while the first has the store, and welcome after it', async () => {
  const path = join(directory, 'shared.db');
  const store = await openSqliteStore({ path });
  const child = startAppending(path, 0);
  assert.ok(child.stdout);
  const [line] = await once(createInterface(child.stdout), 'line');
  assert.equal(line, 'failed StoreInUseError');
  await assert.rejects(openSqliteStore({ path }), StoreInUseError);
  await store.create(sampleGeneration('g'));
  await store.close();
  await (await openSqliteStore({ path })).close();
});

test('when the thread ends everything under way and to come is rejected', async () => {
  const posted = mock.method(Worker.prototype, 'postMessage');
  const store = await openSqliteStore({ path: ':memory:' });
  await store.create(sampleGeneration('g'));
  posted.mock.restore();
  const underway = store.append(sampleFence('g', 0), [started(0)]);
  const rejected = assert.rejects(underway, StoreClosedError);
  const thread = posted.mock.calls[0]?.this;
  assert.ok(thread instanceof Worker);
  await thread.terminate();
  await rejected;
  await assert.rejects(store.read('g'), StoreClosedError);
  await store.close();
});
