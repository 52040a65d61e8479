import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Batch, isOver, WINDOW_MS } from './batch.ts';
import {
  createBatch,
  createNode,
  createWorld,
  type Node,
  PICTURE,
  requestLine,
  requestLines,
  until,
  type World,
} from './testing/world.ts';

interface Written {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: { readonly error?: { readonly code: string } } };
  readonly error: { readonly code: string } | null;
}

async function linesOf({ files }: Node, id: string | undefined): Promise<readonly Written[]> {
  const file = await files.find('local', id ?? '');
  const text = file ? await readFile(files.pathOf('local', file.id), 'utf8') : '';
  assert.equal(Buffer.byteLength(text), file?.bytes ?? 0);
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

function ended(node: Node, id: string, world?: World): Promise<Batch> {
  return until(async () => {
    for (const { id: task } of world?.tasks.open() ?? []) world?.tasks.end(task, PICTURE);
    const batch = await node.batches.find('local', id);
    return batch && isOver(batch) && batch;
  });
}

function namesOf(lines: readonly Written[]): readonly string[] {
  return lines.map(({ custom_id }) => custom_id);
}

const NAMES = (count: number) => requestLines(count).map(({ custom_id }) => custom_id);

test('only so many lines are tasks at once, as batch work, each under a key of its own', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world, { lookahead: 3 });
  const { id } = await createBatch(node, requestLines(10));
  let most = 0;
  const batch = await until(async () => {
    most = Math.max(most, world.tasks.open().length);
    const [first] = world.tasks.open();
    if (first) world.tasks.end(first.id, PICTURE);
    const found = await node.batches.find('local', id);
    return found && isOver(found) && found;
  });
  assert.deepEqual([most, batch.status, batch.counts], [3, 'completed', { total: 10, completed: 10, failed: 0 }]);
  assert.deepEqual(namesOf(await linesOf(node, batch.files?.output)), NAMES(10));
  assert.deepEqual(batch.written, ['output']);
  const { submitted } = world.tasks;
  assert.deepEqual(
    submitted.map(({ idempotencyKey }) => idempotencyKey),
    NAMES(10).map((_, index) => `${id}:${index}`),
  );
  assert.ok(submitted.every(({ priority, asTask }) => priority === 'batch' && asTask));
  assert.deepEqual(new Set(submitted.map(({ settings }) => settings.totalTimeoutMs)), new Set([WINDOW_MS]));
});

test('what the images endpoint would refuse is an answer of its own, and sends nothing', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  const requests = [
    requestLine('too many', { n: 99 }),
    requestLine('stream', { stream: true }),
    requestLine('nobody', { model: 'nowhere' }),
    requestLine('control', { onetake: { paymnt: 'strict' } }),
    requestLine('good'),
  ];
  const batch = await ended(node, (await createBatch(node, requests)).id, world);
  assert.deepEqual(batch.counts, { total: 5, completed: 1, failed: 4 });
  assert.deepEqual(
    (await linesOf(node, batch.files?.error)).map((line) => [
      line.custom_id,
      line.response.status_code,
      line.response.body.error?.code,
    ]),
    [
      ['too many', 400, 'invalid_value'],
      ['stream', 400, 'invalid_value'],
      ['nobody', 404, 'model_not_found'],
      ['control', 400, 'unknown_parameter'],
    ],
  );
});

test('killed anywhere, what takes over sends no line that was sent, and writes every line once', async (context) => {
  for (let step = 0; step < 12; step += 1) {
    const world = createWorld(context);
    let node = await createNode(world);
    const { id } = await createBatch(node, requestLines(11));
    for (let turn = 0; turn < step * 7; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      const [first] = world.tasks.open();
      if (first && turn % 3 === 0) world.tasks.end(first.id, PICTURE);
    }
    node.die();
    node = await createNode(world);
    const batch = await ended(node, id, world);
    assert.deepEqual([batch.status, batch.counts], ['completed', { total: 11, completed: 11, failed: 0 }]);
    assert.equal(world.tasks.all().length, 11);
    assert.deepEqual(namesOf(await linesOf(node, batch.files?.output)), NAMES(11));
    assert.deepEqual(node.errors, []);
    await node.batches.stop();
  }
});

test('killed right after any submission, only what is not in the log is submitted again, under the same key', async (context) => {
  const lookahead = 4;
  for (let count = 1; count <= 11; count += 1) {
    const world = createWorld(context);
    const first = await createNode(world, { lookahead });
    world.tasks.onSubmitted((submitted) => {
      if (submitted === count) first.die();
    });
    const { id } = await createBatch(first, requestLines(11));
    await until(() => {
      for (const { id: task } of world.tasks.open()) world.tasks.end(task, PICTURE);
      return world.tasks.submitted.length >= count;
    });
    const second = await createNode(world, { lookahead });
    assert.equal((await ended(second, id, world)).counts.completed, 11);
    assert.equal(world.tasks.all().length, 11);
    assert.ok(world.tasks.submitted.length <= 11 + lookahead, `${world.tasks.submitted.length} submissions`);
  }
});

test('of two nodes one drives a batch; the other takes over when its lease ends, and the first lets go', async (context) => {
  const world = createWorld(context, 'shared');
  const first = await createNode(world, { lookahead: 2 });
  const second = await createNode(world, { lookahead: 2 });
  const { id } = await createBatch(first, requestLines(6));
  await until(() => world.tasks.open().length === 2);
  world.clock.advance(6_000);
  await until(async () => ((await second.batches.find('local', id))?.lease?.until ?? 0) > world.clock.now() + 14_000);
  const holder = (await second.batches.find('local', id))?.lease?.worker;
  first.die();
  world.clock.advance(10_000);
  assert.equal((await second.batches.find('local', id))?.lease?.worker, holder);
  world.clock.advance(16_000);
  await until(async () => (await second.batches.find('local', id))?.lease?.worker !== holder);
  const batch = await ended(second, id, world);
  assert.deepEqual([batch.counts.completed, world.tasks.all().length], [6, 6]);
});

test('a node that stops lets go at once, and another goes on', async (context) => {
  const world = createWorld(context, 'shared');
  const first = await createNode(world, { lookahead: 2 });
  const { id } = await createBatch(first, requestLines(5));
  await until(() => world.tasks.open().length === 2);
  await first.batches.stop();
  assert.equal((await first.batches.find('local', id))?.lease, undefined);
  const second = await createNode(world);
  assert.equal((await ended(second, id, world)).counts.completed, 5);
  assert.equal(world.tasks.all().length, 5);
});

test('canceled on another node: what is open is canceled, the rest never begun', async (context) => {
  const world = createWorld(context, 'shared');
  const first = await createNode(world, { lookahead: 2 });
  const second = await createNode(world);
  const { id } = await createBatch(first, requestLines(6));
  await until(() => world.tasks.open().length === 2);
  world.tasks.end('gen_0', PICTURE);
  await until(() => world.tasks.all().length === 3);
  assert.equal((await second.batches.cancel('local', id))?.status, 'cancelling');
  const batch = await ended(second, id);
  assert.deepEqual([batch.status, batch.counts], ['cancelled', { total: 6, completed: 1, failed: 5 }]);
  assert.equal(world.tasks.all().length, 3);
  const errors = await linesOf(second, batch.files?.error);
  assert.deepEqual(
    errors.map(({ response, error }) => response?.body.error?.code ?? error?.code),
    ['canceled', 'canceled', 'batch_cancelled', 'batch_cancelled', 'batch_cancelled'],
  );
});

test('canceled after a crash, tasks that never came into the log are found by their keys and canceled too', async (context) => {
  const world = createWorld(context);
  const first = await createNode(world, { lookahead: 4 });
  world.tasks.setFull(true);
  const { id } = await createBatch(first, requestLines(6));
  await until(() => world.tasks.submitted.length === 4);
  world.tasks.setFull(false);
  const [, second] = world.tasks.submitted;
  if (second) await world.tasks.submit(second);
  first.die();
  const node = await createNode(world);
  await node.batches.cancel('local', id);
  const batch = await ended(node, id);
  assert.equal(batch.status, 'cancelled');
  assert.deepEqual(world.tasks.open(), []);
});

test('at the end of its window what is left is listed as expired', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world, { lookahead: 2 });
  const { id } = await createBatch(node, requestLines(4));
  await until(() => world.tasks.open().length === 2);
  world.tasks.end('gen_0', PICTURE);
  await until(() => world.tasks.all().length === 3);
  world.clock.advance(WINDOW_MS);
  const batch = await ended(node, id);
  assert.deepEqual([batch.status, batch.counts], ['expired', { total: 4, completed: 1, failed: 3 }]);
  const last = (await linesOf(node, batch.files?.error)).at(-1);
  assert.deepEqual([last?.custom_id, last?.error?.code], ['line 3', 'batch_expired']);
});

test('full queues are waited for', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  world.tasks.setFull(true);
  const { id } = await createBatch(node, requestLines(3));
  await until(() => world.tasks.submitted.length === 3);
  world.tasks.setFull(false);
  await until(() => {
    world.clock.advance(1_000);
    return world.tasks.all().length === 3;
  });
  assert.equal((await ended(node, id, world)).counts.completed, 3);
});

test('a generation that retention removed is told as such', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  const { id } = await createBatch(node, requestLines(2));
  await until(() => world.tasks.open().length === 2);
  world.tasks.forget('gen_0');
  world.clock.advance(5_000);
  const batch = await ended(node, id, world);
  const [line] = await linesOf(node, batch.files?.error);
  assert.deepEqual([line?.custom_id, line?.response, line?.error?.code], ['line 0', null, 'not_found']);
});

test('a caller’s batches do not keep another’s from being begun', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  for (let count = 0; count < 6; count += 1) await createBatch(node, requestLines(1));
  await createBatch(node, requestLines(1), 'ann');
  await until(() => world.tasks.open().some(({ caller }) => caller === 'ann'));
  assert.equal(world.tasks.open().filter(({ caller }) => caller === 'local').length, 4);
  for (const { id } of await node.batches.list('local')) await ended(node, id, world);
  assert.equal(world.tasks.all().length, 7);
});

test('a batch whose input is gone is tried again until long after its window, and then ends', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world, { lookahead: 1 });
  const { id } = await createBatch(node, requestLines(2));
  await until(() => world.tasks.open().length === 1);
  rmSync(join(world.directory, 'batches', id), { recursive: true });
  world.clock.advance(WINDOW_MS);
  await until(() => node.errors.length > 0);
  assert.equal((await node.batches.find('local', id))?.status, 'in_progress');
  world.clock.advance(2 * 3_600_000);
  const batch = await ended(node, id);
  assert.deepEqual([batch.status, batch.faults?.map(({ code }) => code)], ['failed', ['internal_error']]);
});
