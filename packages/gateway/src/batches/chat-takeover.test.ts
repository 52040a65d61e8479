import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type LineAnswer, openAnswerLog } from './answer-log.ts';
import { WINDOW_MS } from './batch.ts';
import { keep } from './run-chat-lines.ts';
import { begin, ended, linesOf, NAMES, namesOf, settled } from './testing/chat-batch.ts';
import { answerTo, chatLines } from './testing/chat-world.ts';
import { createNode, createWorld, until } from './testing/world.ts';

test('killed anywhere, what takes over asks no line that was answered, and writes every line once', async (context) => {
  for (let step = 0; step < 12; step += 1) {
    const world = createWorld(context);
    let node = await createNode(world);
    const { id } = await begin(node, chatLines(11));
    for (let turn = 0; turn < step * 7; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      const line = world.chats.open().at(-1);
      if (turn % 3 === 0) line?.answer(answerTo(line.said));
    }
    if (step % 2 === 0) await settled(world, node, id, world.chats.asked.length - world.chats.open().length);
    const answered = new Set(world.chats.asked.filter((line) => !line.isOpen()).map(({ said }) => said));
    const open = world.chats.open().length;
    const before = world.chats.asked.length;
    node.die();
    for (const line of world.chats.open()) line.answer(answerTo(line.said));
    node = await createNode(world);
    const batch = await ended(node, id, world);
    assert.deepEqual([batch.status, batch.counts], ['completed', { total: 11, completed: 11, failed: 0 }]);
    assert.deepEqual(namesOf(await linesOf(node, batch.files?.output)), NAMES(11));
    assert.equal(batch.usage?.total_tokens, 11 * 15);
    const again = world.chats.asked.slice(before).map(({ said }) => said);
    if (step % 2 === 0)
      assert.deepEqual([again.filter((said) => answered.has(said)), again.length], [[], 11 - before + open]);
    assert.deepEqual(node.errors, []);
    await node.batches.stop();
  }
});

test('of two answers to one line, by a node that had lost the batch, the first counts', async (context) => {
  const world = createWorld(context);
  const first = await createNode(world, { lookahead: 2 });
  const { id } = await begin(first, chatLines(3));
  const [line] = await until(() => world.chats.open().length === 2 && world.chats.open());
  line?.answer(answerTo('the first'));
  await settled(world, first, id, 1);
  first.die();
  const late = await openAnswerLog(join(world.directory, 'batches', id, 'answers.log'));
  await late.append({ index: 0, file: 'error', usage: { total_tokens: 1_000 }, line: '{}' });
  await late.close();
  const second = await createNode(world);
  const batch = await ended(second, id, world);
  assert.deepEqual([batch.counts, batch.usage?.total_tokens], [{ total: 3, completed: 3, failed: 0 }, 45]);
  const [kept] = await linesOf(second, batch.files?.output);
  assert.deepEqual(kept?.response?.body, JSON.parse(answerTo('the first')));
});

test('a node that stops waits a moment for what is in flight, and another asks the rest', {
  timeout: 20_000,
}, async (context) => {
  const world = createWorld(context, 'shared');
  const first = await createNode(world, { lookahead: 2 });
  const { id } = await begin(first, chatLines(5));
  const [quick] = await until(() => world.chats.open().length === 2 && world.chats.open());
  const stopped = first.batches.stop();
  world.clock.advance(9_000);
  quick?.answer(answerTo(quick.said));
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(world.chats.open().length, 1);
  world.clock.advance(1_000);
  await stopped;
  assert.deepEqual([world.chats.asked.length, world.chats.open().length], [2, 0]);
  const second = await createNode(world);
  const batch = await ended(second, id, world);
  assert.deepEqual(batch.counts, { total: 5, completed: 5, failed: 0 });
  assert.deepEqual(
    world.chats.asked.map(({ said }) => said),
    ['line 0', 'line 1', 'line 1', 'line 2', 'line 3', 'line 4'],
  );
});

test('an answer that came while its batch was let go, and is of no use, is told and not paid for again', async (context) => {
  const world = createWorld(context, 'shared');
  const first = await createNode(world, { lookahead: 1 });
  const { id } = await begin(first, chatLines(1));
  const [line] = await until(() => world.chats.open().length === 1 && world.chats.open());
  const stopped = first.batches.stop();
  world.clock.advance(9_000);
  line?.answer('<html>');
  world.clock.advance(1_000);
  await stopped;
  const second = await createNode(world);
  const batch = await ended(second, id, world);
  assert.deepEqual([batch.counts, world.chats.asked.length], [{ total: 1, completed: 0, failed: 1 }, 1]);
});

test('canceled on another node: what is in flight is broken off, the rest never asked', async (context) => {
  const world = createWorld(context, 'shared');
  const first = await createNode(world, { lookahead: 2 });
  const second = await createNode(world);
  const { id } = await begin(first, chatLines(6));
  const [line] = await until(() => world.chats.open().length === 2 && world.chats.open());
  line?.answer(answerTo(line.said));
  await until(() => world.chats.asked.length === 3);
  assert.equal((await second.batches.cancel('local', id))?.status, 'cancelling');
  const batch = await ended(second, id);
  assert.deepEqual([batch.status, batch.counts], ['cancelled', { total: 6, completed: 1, failed: 5 }]);
  assert.deepEqual([world.chats.asked.length, world.chats.open().length], [3, 0]);
  const errors = await linesOf(second, batch.files?.error);
  assert.deepEqual(
    errors.map(({ response, error }) => response?.body.error?.code ?? error?.code),
    ['canceled', 'canceled', 'batch_cancelled', 'batch_cancelled', 'batch_cancelled'],
  );
});

test('at the end of its window what is in flight is broken off, and what is left is listed as expired', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world, { lookahead: 2 });
  const { id } = await begin(node, chatLines(4));
  await until(() => world.chats.open().length === 2);
  world.clock.advance(WINDOW_MS);
  const batch = await ended(node, id);
  assert.deepEqual([batch.status, batch.counts], ['expired', { total: 4, completed: 0, failed: 4 }]);
  const last = (await linesOf(node, batch.files?.error)).at(-1);
  assert.deepEqual([last?.custom_id, last?.error?.code], ['line 3', 'batch_expired']);
});

test('an answer that cannot be written is held until it can be, or until the batch is let go', async (context) => {
  const { clock: io } = createWorld(context);
  const answer: LineAnswer = { index: 0, file: 'output', line: '{}' };
  const errors: unknown[] = [];
  const log = { error: (...told: unknown[]) => void errors.push(told) };
  const leaving = new AbortController();
  let failures = 3;
  let tries = 0;
  const disk = {
    async append() {
      tries += 1;
      failures -= 1;
      if (failures >= 0) throw new Error('ENOSPC');
    },
    close: async () => {},
  };
  const written = until(() => {
    io.advance(1_000);
    return tries === 4;
  });
  assert.equal(await keep(answer, disk, leaving.signal, { io, log }), true);
  await written;
  assert.equal(errors.length, 1);
  failures = Number.POSITIVE_INFINITY;
  const kept = keep(answer, disk, leaving.signal, { io, log });
  await until(() => tries === 5);
  leaving.abort();
  assert.equal(await kept, false);
});
