import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAX_LINE_ANSWER_BYTES } from './answer-line.ts';
import { type LineAnswer, openAnswerLog } from './answer-log.ts';
import { type Batch, isOver, WINDOW_MS } from './batch.ts';
import { keep } from './run-chat-lines.ts';
import { answerTo, CHAT, chatLine, chatLines } from './testing/chat-world.ts';
import { createBatch, createNode, createWorld, type Node, until, type World } from './testing/world.ts';

interface Written {
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly body: { readonly error?: { readonly code: string; readonly param: string | null } };
  } | null;
  readonly error: { readonly code: string } | null;
}

async function textOf({ files }: Node, id: string | undefined): Promise<string> {
  const file = await files.find('local', id ?? '');
  return file ? readFile(files.pathOf('local', file.id), 'utf8') : '';
}

async function linesOf(node: Node, id: string | undefined): Promise<readonly Written[]> {
  const text = await textOf(node, id);
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

function begin(node: Node, requests: readonly object[], endpoint = CHAT): Promise<Batch> {
  return createBatch(node, requests, 'local', endpoint);
}

/** Answers what is asked, and resolves with the batch once it is over. */
function ended(node: Node, id: string, world?: World): Promise<Batch> {
  return until(async () => {
    for (const line of world?.chats.open() ?? []) line.answer(answerTo(line.said));
    const batch = await node.batches.find('local', id);
    return batch && isOver(batch) && batch;
  });
}

async function answeredOf(node: Node, id: string): Promise<number | undefined> {
  return (await node.batches.find('local', id))?.counts.completed;
}

/** Resolves when so many lines are over, as far as the batch says. */
async function settled(world: World, node: Node, id: string, count: number): Promise<void> {
  await until(async () => {
    world.clock.advance(1_000);
    return (await answeredOf(node, id)) === count;
  });
}

const NAMES = (count: number) => chatLines(count).map(({ custom_id }) => custom_id);
const namesOf = (lines: readonly Written[]) => lines.map(({ custom_id }) => custom_id);

test('only so many lines are asked at once, as batch work with the time of the batch, and their usage is summed', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world, { lookahead: 3 });
  const { id } = await begin(node, chatLines(10));
  let most = 0;
  const batch = await until(async () => {
    most = Math.max(most, world.chats.open().length);
    // The last first: answers come in any order.
    const last = world.chats.open().at(-1);
    last?.answer(answerTo(last.said));
    const found = await node.batches.find('local', id);
    return found && isOver(found) && found;
  });
  assert.deepEqual([most, batch.status, batch.counts], [3, 'completed', { total: 10, completed: 10, failed: 0 }]);
  assert.deepEqual(batch.usage, {
    ...{ input_tokens: 100, output_tokens: 50, total_tokens: 150 },
    ...{ input_tokens_details: { cached_tokens: 40 }, output_tokens_details: { reasoning_tokens: 20 } },
  });
  const output = await linesOf(node, batch.files?.output);
  assert.deepEqual(namesOf(output), NAMES(10));
  for (const { custom_id, response } of output) assert.deepEqual(response?.body, JSON.parse(answerTo(custom_id)));
  for (const { work } of world.chats.asked) {
    const { priority, unattended, deadlineAt } = work.plan;
    assert.deepEqual([priority, unattended, deadlineAt], ['batch', true, batch.expiresAt]);
  }
});

test('the request goes out as it was written, and the answer is written as it came', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  const body = '{"model": "lab/any", "seed": 12345678901234567890, "messages":[{"role":"user","content":"\\u00e9"}]}';
  const raw = `{"custom_id":"a","method":"POST","url":"${CHAT}","body":{},"body": ${body} }`;
  const draft = node.files.draft();
  await draft.write(Buffer.from(raw));
  const about = { id: 'file-000000000000000000000000', caller: 'local', purpose: 'batch', filename: 'a' } as const;
  const input = await draft.commit({ ...about, createdAt: 1, expiresAt: Number.MAX_SAFE_INTEGER });
  const own = { caller: 'local', fromBrowser: false, endpoint: CHAT, metadata: null, outputMs: 1_000 };
  const begun = await node.batches.create({ ...own, input });
  await until(() => world.chats.open().length === 1);
  const [line] = world.chats.open();
  assert.equal(Buffer.from(line?.work.body.bytes ?? []).toString(), body);
  line?.answer('\u{feff}{\r\n  "id": 12345678901234567890,\n  "text": "a\\nb 🦊"\n}\n');
  const batch = await ended(node, begun?.id ?? '');
  const text = await textOf(node, batch.files?.output);
  assert.ok(text.includes('"body":{   "id": 12345678901234567890,   "text": "a\\nb 🦊" } },"error":null}\n'), text);
});

test('what the endpoint would refuse is an answer of its own, and asks nothing', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  const requests = [
    chatLine('empty', { messages: [] }),
    chatLine('stream', { stream: true }),
    chatLine('nobody', { model: null }),
    chatLine('control', { onetake: { paymnt: 'strict' } }),
    chatLine('good', { stream: false }),
  ];
  const batch = await ended(node, (await begin(node, requests)).id, world);
  assert.deepEqual(batch.counts, { total: 5, completed: 1, failed: 4 });
  assert.deepEqual(
    (await linesOf(node, batch.files?.error)).map(({ custom_id, response }) => [
      custom_id,
      response?.status_code,
      response?.body.error?.code,
      response?.body.error?.param,
    ]),
    [
      ['empty', 400, 'empty_array', 'messages'],
      ['stream', 400, 'invalid_value', 'stream'],
      ['nobody', 400, 'missing_required_parameter', 'model'],
      ['control', 400, 'unknown_parameter', 'onetake.paymnt'],
    ],
  );
  assert.equal(world.chats.asked.length, 1);
});

test('a failure is told as its caller would be told, and an answer that is none is one', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  const { id } = await begin(node, chatLines(4));
  const [first, second, third, fourth] = await until(() => world.chats.open().length === 4 && world.chats.open());
  const message = 'slow down';
  first?.end({ ok: false, failure: { kind: 'throttled', certainty: 'rejected', message } });
  second?.answer('<html>');
  third?.answer(`"${'x'.repeat(MAX_LINE_ANSWER_BYTES)}"`);
  fourth?.answer(`"${'x'.repeat(MAX_LINE_ANSWER_BYTES - 2)}"`);
  const batch = await ended(node, id);
  assert.deepEqual(
    (await linesOf(node, batch.files?.error)).map(({ custom_id, response }) => [
      custom_id,
      response?.status_code,
      response?.body.error?.code,
    ]),
    [
      ['line 0', 429, 'rate_limit_exceeded'],
      ['line 1', 502, 'truncated_answer'],
      ['line 2', 502, 'answer_too_large'],
    ],
  );
  assert.deepEqual(namesOf(await linesOf(node, batch.files?.output)), ['line 3']);
});

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

test('a gateway that works on as much as it may is asked again', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  world.chats.setFull(true);
  const { id } = await begin(node, chatLines(3));
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  world.chats.setFull(false);
  const lines = await until(() => {
    world.clock.advance(1_000);
    return world.chats.open().length === 3 && world.chats.open();
  });
  const message = 'as many wait as may';
  for (const line of lines) line.end({ ok: false, failure: { kind: 'queue_full', certainty: 'not_sent', message } });
  await until(() => {
    world.clock.advance(1_000);
    return world.chats.asked.length === 6;
  });
  assert.equal((await ended(node, id, world)).counts.completed, 3);
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
