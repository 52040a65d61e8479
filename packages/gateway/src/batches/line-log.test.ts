import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type LineRecord, openLineLog, readLineLog } from './line-log.ts';

const RECORDS: readonly LineRecord[] = [
  { index: 0, task: 'gen_0' },
  { index: 1, refused: { status: 400, body: { error: { message: 'a\nb 🦊' } } } },
  { index: 2, left: true },
  { index: 3, task: 'gen_3' },
];

function place(context: { after(clean: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'onetake-log-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'lines.jsonl');
}

test('what was appended is read back, from any record on, and a log goes on where it was', async (context) => {
  const path = place(context);
  assert.deepEqual(await Array.fromAsync(readLineLog(path)), []);
  const first = await openLineLog(path);
  await first.append(RECORDS.slice(0, 3));
  await first.append([]);
  await first.close();
  const second = await openLineLog(path);
  assert.equal(second.length(), 3);
  await second.append(RECORDS.slice(3));
  await second.close();
  assert.deepEqual(await Array.fromAsync(readLineLog(path)), RECORDS);
  assert.deepEqual(await Array.fromAsync(readLineLog(path, 2)), RECORDS.slice(2));
});

test('cut off at any byte, it holds a beginning of what it held, and goes on from there', async (context) => {
  const path = place(context);
  const whole = await openLineLog(path);
  await whole.append(RECORDS);
  await whole.close();
  const bytes = readFileSync(path);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    writeFileSync(path, bytes.subarray(0, cut));
    const log = await openLineLog(path);
    const known = log.length();
    await log.append(RECORDS.slice(known));
    await log.close();
    assert.deepEqual(await Array.fromAsync(readLineLog(path)), RECORDS, `cut at ${cut}`);
  }
});

test('of two writers who each add what follows, the first counts', async (context) => {
  const path = place(context);
  const [late, next] = [await openLineLog(path), await openLineLog(path)];
  await next.append(RECORDS.slice(0, 2));
  await late.append([{ index: 0, task: 'gen_late' }]);
  await next.append(RECORDS.slice(2));
  appendFileSync(path, 'null\n[]\n');
  await Promise.all([late.close(), next.close()]);
  assert.deepEqual(await Array.fromAsync(readLineLog(path)), RECORDS);
});
