import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../testing/cli.ts';
import type { BatchEvent } from './events.ts';
import { type BatchFile, createBatch, openBatch } from './folder.ts';
import { readEvents } from './journal.ts';
import { takeLock } from './lock.ts';

const BATCH: BatchFile = {
  version: 1,
  id: 'id',
  created: '2026-11-21T07:30:00.000Z',
  gateway: 'http://x',
  input: { name: 'p.jsonl', format: 'jsonl', lines: 1 },
  fields: { model: 'm' },
  max_cost_usd: null,
};
const LINES = [{ line: 1, input: { prompt: 'x' } }];
const event = (at: number): BatchEvent => ({ type: 'accepted', line: 1, at, task: 't' });

test('what was appended is read again in its order; a torn end is cut off and written over', async (t) => {
  const directory = join(temporaryDirectory(t), 'out');
  const first = await createBatch(directory, BATCH, LINES);
  await Promise.all([1, 2, 3].map((at) => first.journal.append(event(at))));
  await first.close();
  const path = join(directory, 'progress.jsonl');
  const whole = readFileSync(path).length;
  for (let cut = 1; cut < 20; cut++) {
    truncateSync(path, whole);
    appendFileSync(path, JSON.stringify(event(4)).slice(0, cut));
    const again = await openBatch(directory);
    assert.deepEqual(again.events, [event(1), event(2), event(3)]);
    assert.deepEqual([again.batch, again.lines], [BATCH, LINES]);
    await again.close();
    assert.equal(readFileSync(path).length, whole);
  }
});

test('damage in the middle of a journal is told, with its line', () => {
  const text = `${JSON.stringify(event(1))}\n{"type":"accep\n${JSON.stringify(event(2))}\n`;
  assert.throws(() => readEvents(Buffer.from(text), 'p'), /p, line 2: it is damaged/);
  assert.throws(() => readEvents(Buffer.from('{"type":"other","at":1}\n'), 'p'), /p, line 1/);
});

test('half-written pictures of a killed process are removed, and nothing else', async (t) => {
  const directory = join(temporaryDirectory(t), 'out');
  await (await createBatch(directory, BATCH, LINES)).close();
  for (const name of ['.0001.png.abc.part', '.keep', '0001.png']) writeFileSync(join(directory, name), '');
  await (await openBatch(directory)).close();
  assert.deepEqual(readdirSync(directory), ['.keep', '0001.png', 'batch.json', 'lines.jsonl', 'progress.jsonl']);
});

test('a process that died before its batch was written leaves a directory that can be used', async (t) => {
  const directory = join(temporaryDirectory(t), 'out');
  await (await createBatch(directory, BATCH, LINES)).close();
  const fresh = join(temporaryDirectory(t), 'out');
  await (await createBatch(fresh, BATCH, LINES)).close();
  const { rmSync } = await import('node:fs');
  rmSync(join(fresh, 'batch.json'));
  await assert.rejects(openBatch(fresh), /holds no batch/);
  await (await createBatch(fresh, BATCH, LINES)).close();
  await assert.rejects(createBatch(directory, BATCH, LINES), /holds a batch/);
});

test('one process at a time; a dead one is followed at once, also when its number lives again', async (t) => {
  const path = join(temporaryDirectory(t), 'batch.lock');
  const unlock = await takeLock(path);
  await assert.rejects(takeLock(path), /process \d+ works on this batch; end it or wait for it/);
  await unlock();
  assert.equal(existsSync(path), false);
  const dead = [
    { pid: 2 ** 22 + 1, host: hostname(), started: null },
    ...(process.platform === 'linux' ? [{ pid: process.pid, host: hostname(), started: '1' }] : []),
  ];
  for (const holder of dead) {
    writeFileSync(path, JSON.stringify(holder));
    await (await takeLock(path))();
  }
});

test('of many who find a dead one at the same moment one gets it, every time', async (t) => {
  const path = join(temporaryDirectory(t), 'batch.lock');
  for (let round = 0; round < 30; round += 1) {
    writeFileSync(path, 'half a fi');
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => takeLock(path)));
    const held = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(held.length, 1);
    await assert.rejects(takeLock(path), /works on this batch/);
    await held[0]?.();
    assert.deepEqual(readdirSync(dirname(path)), []);
  }
});
