import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSandbox } from '../server.ts';
import {
  endOf,
  hookFor,
  ledgerOf,
  lookUp,
  sandboxFor,
  submit,
  taskOf,
  temporaryDirectory,
} from '../testing/sandbox.ts';

test('a charge is taken back once, also where a kill came between the cancellation and the bill', async (t) => {
  const dataDir = temporaryDirectory(t);
  const first = await startSandbox({ dataDir });
  const { id } = await taskOf(submit(first, { model: 'queued:60' }));
  await first.close();
  appendFileSync(
    join(dataDir, 'tasks.jsonl'),
    `${JSON.stringify({ id, canceled: { at: Date.now(), billed: false } })}\n`,
  );
  for (let starts = 0; starts < 2; starts++) {
    const sandbox = await startSandbox({ dataDir });
    assert.deepEqual((await ledgerOf(sandbox)).total, { requests: 1, images: 0, charged: 0, charged_usd: 0 });
    assert.equal((await taskOf(lookUp(sandbox, id))).status, 'canceled');
    await sandbox.close();
  }
});

test('a compacted bill still knows which charge was taken back', async (t) => {
  const dataDir = temporaryDirectory(t);
  const first = await startSandbox({ dataDir });
  const { id } = await taskOf(submit(first, { model: 'queued:60' }));
  await fetch(`${first.url}/tasks/${id}/cancel`, { method: 'POST' });
  await first.close();
  const path = join(dataDir, 'ledger.jsonl');
  const line = JSON.stringify({ at: 1, operation: 'generate', model: '500', played: '500', images: 0, charged: 0 });
  const count = Math.ceil((10 * 1024 * 1024) / line.length) + 1;
  writeFileSync(path, `${readFileSync(path, 'utf8')}${`${line}\n`.repeat(count)}`);
  for (let starts = 0; starts < 2; starts++) {
    const sandbox = await startSandbox({ dataDir });
    assert.deepEqual(
      [(await ledgerOf(sandbox)).total.requests, (await ledgerOf(sandbox)).total.charged],
      [count + 1, 0],
    );
    await sandbox.close();
  }
});

test('a job that ended while no process was there is done at the next start, and its webhook comes then, once', async (t) => {
  const [dataDir, hook] = [temporaryDirectory(t), await hookFor(t)];
  const first = await startSandbox({ dataDir });
  const { id } = await taskOf(submit(first, { model: 'slow:0.05', seed: 5, webhook_url: hook.url }));
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(hook.received, []);
  const second = await startSandbox({ dataDir });
  await hook.come(1);
  const done = await taskOf(lookUp(second, id));
  assert.deepEqual(hook.received, [done]);
  assert.equal(done.status, 'succeeded');
  await second.close();
  const third = await sandboxFor(t, { dataDir });
  const again = await endOf(third, id);
  assert.equal(new URL(again.output?.[0]?.url ?? '').pathname, new URL(done.output?.[0]?.url ?? '').pathname);
  assert.equal(hook.received.length, 1);
});
