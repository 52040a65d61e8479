import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type LineAnswer, openAnswerLog, readAnswerLog } from './answer-log.ts';

const ANSWERS: readonly LineAnswer[] = [
  { index: 2, file: 'output', usage: { total_tokens: 3 }, line: '{"a":"tab\\tand 🦊"}' },
  { index: 0, file: 'error', line: '{}' },
  { index: 1, file: 'output', line: `{"long":"${'x'.repeat(200_000)}"}` },
  { index: 3, file: 'output', line: '{"a":\t1}' },
];

function place(context: { after(clean: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'onetake-answers-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'answers.log');
}

async function write(path: string, answers: readonly LineAnswer[]): Promise<void> {
  const log = await openAnswerLog(path);
  await Promise.all(answers.map((answer) => log.append(answer)));
  await log.close();
}

async function read(path: string): Promise<readonly LineAnswer[]> {
  const found = await Array.fromAsync(readAnswerLog(path));
  const file = found.length === 0 ? Buffer.alloc(0) : readFileSync(path);
  return found.map(({ offset, bytes, ...about }) => ({
    ...about,
    line: file.toString('utf8', offset, offset + bytes),
  }));
}

test('answers are read back in the order in which they came, and a log goes on where it was', {
  timeout: 10_000,
}, async (context) => {
  const path = place(context);
  assert.deepEqual(await read(path), []);
  await write(path, ANSWERS.slice(0, 3));
  await write(path, ANSWERS.slice(3));
  assert.deepEqual(await read(path), ANSWERS);
});

test('cut off at any byte, it holds a beginning of what it held, and goes on from there', {
  timeout: 30_000,
}, async (context) => {
  const path = place(context);
  const short = ANSWERS.filter(({ line }) => line.length < 1_000);
  await write(path, short);
  const bytes = readFileSync(path);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    writeFileSync(path, bytes.subarray(0, cut));
    const known = (await read(path)).length;
    assert.deepEqual(await read(path), short.slice(0, known), `cut at ${cut}`);
    await write(path, short.slice(known));
    assert.deepEqual(firsts(await read(path)), short, `cut at ${cut}`);
  }
});

/** What was whole but for its line break is whole with the next one. */
function firsts(answers: readonly LineAnswer[]): readonly LineAnswer[] {
  return answers.filter(({ index }, at) => answers.findIndex((one) => one.index === index) === at);
}

test('an append resolves once it can be read, however many come at once', { timeout: 10_000 }, async (context) => {
  const path = place(context);
  const log = await openAnswerLog(path);
  const many = Array.from({ length: 500 }, (_, index): LineAnswer => ({ index, file: 'output', line: `[${index}]` }));
  for (const answer of many.slice(0, 3)) {
    await log.append(answer);
    assert.deepEqual((await read(path)).at(-1), answer);
  }
  await Promise.all(many.slice(3).map((answer) => log.append(answer)));
  assert.deepEqual(await read(path), many);
  await log.close();
  await assert.rejects(log.append({ index: 500, file: 'output', line: '[]' }));
});
