import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../testing/cli.ts';
import { pictureName, pictureSaver } from './pictures.ts';
import type { Answered, TaskCalls, TaskView } from './task-calls.ts';

const TASK: TaskView = {
  id: 't',
  status: 'completed',
  missing: 0,
  billed: 'yes',
  charge: { price_usd: null, possible_usd: 0 },
  pictures: [
    { url: 'a', sha256: 'x', type: 'jpeg' },
    { url: 'b', sha256: 'y', type: 'png' },
  ],
};
const DAMAGED: Answered<Buffer> = { kind: 'refused', status: 200, code: 'picture_damaged', message: 'm' };
const work = {
  clock: { now: () => 0, sleep: async () => {} },
  gate: { notBefore: 0 },
  halt: new AbortController().signal,
};

function answering(answers: readonly Answered<Buffer>[]): { readonly tasks: TaskCalls; readonly asked: () => number } {
  let asked = 0;
  const unused = () => Promise.reject(new Error('unused'));
  const picture = async () => answers[Math.min(asked++, answers.length - 1)] ?? DAMAGED;
  return { tasks: { submit: unused, read: unused, picture }, asked: () => asked };
}

test('names sort as lines do, however many there are', () => {
  assert.equal(pictureName(7, 0, 'png', 500), '0007.png');
  assert.equal(pictureName(7, 1, 'jpeg', 500), '0007-2.jpg');
  assert.equal(pictureName(7, 0, 'webp', 100_000), '000007.webp');
  assert.equal(pictureName(7, 0, '../x', 1), '0007.bin');
});

test('every picture is a whole file; one that arrives damaged is asked for again', async (t) => {
  const directory = temporaryDirectory(t);
  const { tasks } = answering([DAMAGED, { kind: 'told', value: Buffer.from('abc') }]);
  const files = await pictureSaver(directory, 9, tasks)(3, TASK, work);
  assert.deepEqual(files, [
    { file: '0003.jpg', sha256: 'x', bytes: 3 },
    { file: '0003-2.png', sha256: 'y', bytes: 3 },
  ]);
  assert.deepEqual(readdirSync(directory), ['0003-2.png', '0003.jpg']);
  assert.equal(readFileSync(join(directory, '0003.jpg'), 'utf8'), 'abc');
});

test('one that is gone, or stays damaged, is a fault; no file is written for it', async (t) => {
  const directory = temporaryDirectory(t);
  const gone = answering([{ kind: 'gone' }]);
  const damaged = answering([DAMAGED]);
  const fault = await pictureSaver(directory, 9, gone.tasks)(3, TASK, work);
  assert(fault && 'code' in fault && fault.code === 'picture_gone');
  assert.equal(gone.asked(), 1);
  const other = await pictureSaver(directory, 9, damaged.tasks)(3, TASK, work);
  assert(other && 'code' in other && other.code === 'picture_damaged');
  assert.deepEqual([damaged.asked(), readdirSync(directory)], [3, []]);
});
