import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readCues } from '../faults/script.ts';
import { temporaryDirectory } from '../testing/sandbox.ts';
import { readCall } from '../wire/call.ts';
import { TASK_WORDS } from './behaviours.ts';
import { openTaskBook, TASK_BOOK_LIMITS, type TaskBook, type TaskBookLimits } from './book.ts';
import type { Task } from './task.ts';

function task(id: string, model = 'ok', at = 0): Task {
  const [cue] = readCues(TASK_WORDS, model, undefined);
  assert.ok(cue && cue.fault.act.kind === 'pictures');
  const call = readCall('generate', { values: { prompt: 'a fox', seed: 7 }, files: [] });
  return { id, at, model, cue, act: cue.fault.act, call, charged: 1 };
}

function bookIn(t: TestContext, directory: string, limits: TaskBookLimits = TASK_BOOK_LIMITS): TaskBook {
  const book = openTaskBook(directory, limits);
  t.after(() => book.close());
  return book;
}

function idsOf(book: TaskBook): string[] {
  return [...book.all()].map(({ id }) => id);
}

test('jobs, cancellations and sent webhooks come back from the file', (t) => {
  const directory = temporaryDirectory(t);
  const book = bookIn(t, directory);
  for (const id of ['one', 'two', 'three']) book.add(task(id));
  book.cancel('two', { at: 5, billed: false });
  book.tell('three');
  const again = bookIn(t, directory);
  assert.deepEqual([...again.all()], [...book.all()]);
  assert.deepEqual(again.get('two')?.canceled, { at: 5, billed: false });
  assert.equal(again.get('three')?.told, true);
  assert.equal(again.lastRefund()?.id, 'two');
});

test('a cancellation that stays billed is no refund', (t) => {
  const book = bookIn(t, temporaryDirectory(t));
  book.add(task('one'));
  book.cancel('one', { at: 5, billed: true });
  assert.equal(book.lastRefund(), undefined);
});

test('a line that a kill cut short is left out and does not spoil the next one', (t) => {
  const directory = temporaryDirectory(t);
  bookIn(t, directory).add(task('one'));
  const path = join(directory, 'tasks.jsonl');
  appendFileSync(path, readFileSync(path, 'utf8').slice(0, 40));
  bookIn(t, directory).add(task('two'));
  assert.deepEqual(idsOf(bookIn(t, directory)), ['one', 'two']);
});

test('too many lines become one a job, and the oldest ended jobs are forgotten until half is free', (t) => {
  const directory = temporaryDirectory(t);
  const book = bookIn(t, directory, { ...TASK_BOOK_LIMITS, lines: 10 });
  book.add(task('open', 'stuck'));
  for (let n = 1; n < 9; n++) book.add(task(`ended-${n}`));
  book.cancel('ended-8', { at: 5, billed: true });
  assert.equal(idsOf(book).length, 9);
  assert.ok(book.makeRoom(1000));
  assert.deepEqual(idsOf(book), ['open', 'ended-6', 'ended-7', 'ended-8']);
  assert.equal(readFileSync(join(directory, 'tasks.jsonl'), 'utf8').split('\n').length, 5);
  assert.deepEqual(idsOf(bookIn(t, directory)), idsOf(book));
  assert.deepEqual(bookIn(t, directory).get('ended-8')?.canceled, { at: 5, billed: true });
});

test('too many bytes are too many as well', (t) => {
  const book = bookIn(t, temporaryDirectory(t), { ...TASK_BOOK_LIMITS, bytes: 3000 });
  for (let n = 0; n < 20; n++) book.add(task(`ended-${n}`));
  assert.ok(book.makeRoom(1000));
  assert.ok(idsOf(book).length > 0 && idsOf(book).length < 8);
});

test('open jobs are never forgotten: when they alone are too many there is no room', (t) => {
  const book = bookIn(t, temporaryDirectory(t), { ...TASK_BOOK_LIMITS, lines: 10 });
  for (let n = 0; n < 10; n++) book.add(task(`open-${n}`, 'stuck'));
  assert.equal(book.makeRoom(1000), false);
  assert.equal(idsOf(book).length, 10);
});

test('looks are counted for each job', (t) => {
  const book = bookIn(t, temporaryDirectory(t));
  book.add(task('one'));
  book.add(task('two'));
  assert.deepEqual([book.countLook('one'), book.countLook('one'), book.countLook('two')], [1, 2, 1]);
});

test('what is forgotten does not come back', (t) => {
  const directory = temporaryDirectory(t);
  const book = bookIn(t, directory);
  book.add(task('one'));
  book.cancel('one', { at: 5, billed: false });
  book.forget();
  assert.deepEqual([idsOf(book), book.lastRefund()], [[], undefined]);
  assert.deepEqual(idsOf(bookIn(t, directory)), []);
});
