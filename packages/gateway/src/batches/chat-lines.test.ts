import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_LINE_ANSWER_BYTES } from './answer-line.ts';
import { isOver } from './batch.ts';
import { begin, ended, linesOf, NAMES, namesOf, textOf } from './testing/chat-batch.ts';
import { answerTo, CHAT, chatLine, chatLines } from './testing/chat-world.ts';
import { createNode, createWorld, until } from './testing/world.ts';

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
    const { endpoint } = work;
    assert.deepEqual([endpoint, priority, unattended, deadlineAt], [CHAT, 'batch', true, batch.expiresAt]);
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

test('a timeout of a line begins when there is room for it', async (context) => {
  const world = createWorld(context);
  const node = await createNode(world);
  world.chats.setFull(true);
  const { id } = await begin(node, [chatLine('hasty', { onetake: { timeout_ms: 5_000 } })]);
  for (let second = 0; second < 60; second += 1) {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    world.clock.advance(1_000);
  }
  world.chats.setFull(false);
  const [line] = await until(() => {
    world.clock.advance(1_000);
    return world.chats.open().length === 1 && world.chats.open();
  });
  const { createdAt, deadlineAt } = line?.work.plan ?? {};
  assert.equal((deadlineAt ?? 0) - (createdAt ?? 0), 5_000);
  assert.equal((await ended(node, id, world)).counts.completed, 1);
});
