import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Entry, openLedger } from '../ledger.ts';
import type { Sandbox } from '../server.ts';
import { ask, lastEntry, openStream, stream } from '../testing/chat.ts';
import { at, generate, imitate, jsonOf, ledgerOf, sandboxFor, temporaryDirectory } from '../testing/sandbox.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

const PATIENCE_MS = 3000;

/** The latest entry that ended so, once there is one. */
async function entryWhen(sandbox: Sandbox, ended: string, model: string): Promise<Record<string, unknown>> {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; ) {
    const { entries } = await jsonOf(fetch(`${sandbox.url}/ledger?detail=1`));
    const entry = entries.findLast((one) => one.model === model && one.played === model);
    if (entry?.ended === ended) return entry;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no entry of ${model} has ended as ${ended} within ${PATIENCE_MS} ms`);
}

test('tokens are billed at their price, beside pictures at theirs', async (t) => {
  const sandbox = await sandboxFor(t);
  await ask(sandbox, 'gpt-4o');
  await ask(sandbox, '500');
  await generate(sandbox, { model: 'ok' });
  assert.deepEqual(await ledgerOf(sandbox), {
    total: { requests: 3, images: 1, charged: 2, charged_usd: 0.040163, tokens: 43 },
    models: {
      'gpt-4o': { requests: 1, images: 0, charged: 1, charged_usd: 0.000163, tokens: 43 },
      '500': { requests: 1, images: 0, charged: 0, charged_usd: 0 },
      ok: { requests: 1, images: 1, charged: 1, charged_usd: 0.04 },
    },
  });
});

test('cached tokens cost a tenth', async (t) => {
  const sandbox = await sandboxFor(t);
  const messages = [{ role: 'user', content: 'x'.repeat(4096) }];
  await ask(sandbox, 'tokens:0', { messages });
  assert.equal((await ledgerOf(sandbox)).total.charged_usd, 0.001024);
  await ask(sandbox, 'tokens:0', { messages });
  assert.equal((await lastEntry(sandbox)).cached_tokens, 1024);
  assert.equal((await ledgerOf(sandbox)).total.charged_usd, 0.0011264);
});

test('an entry says what was asked, played and made', async (t) => {
  const sandbox = await sandboxFor(t);
  await stream(sandbox, 'sandbox/tokens:5', {}, 'responses');
  const { at: _at, id: _id, took_ms, ...entry } = await lastEntry(sandbox);
  assert.ok(typeof took_ms === 'number');
  assert.deepEqual(entry, {
    ...{ operation: 'chat', endpoint: 'responses', model: 'tokens:5', prompt: 'a red fox', stream: true },
    ...{ played: 'tokens:5', images: 0, charged: 1 },
    ...{ input_tokens: 3, cached_tokens: 0, output_tokens: 5, ended: 'complete' },
  });
  await ask(sandbox, 'gpt-4o', { messages: [] });
  const refused = await lastEntry(sandbox);
  assert.deepEqual([refused.operation, refused.played, refused.charged], ['chat', 'refused: empty_array', 0]);
});

test('a caller who goes away stops the tokens at once, and the bill says how many there were', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const streamed of [true, false]) {
    const leaving = new AbortController();
    const asked = openStream(sandbox, 'pace:100+tokens:1000', { stream: streamed }, 'chat/completions', leaving.signal);
    const sinceMs = performance.now();
    asked.then((response) => response.text()).catch(() => undefined);
    setTimeout(() => leaving.abort(), 300);
    const { output_tokens, aborted_ms, charged } = await entryWhen(sandbox, 'aborted', 'pace:100+tokens:1000');
    assert.ok(performance.now() - sinceMs < 1300, 'it was heard of within a second');
    assert.ok(Number(aborted_ms) >= 200 && Number(aborted_ms) < 1300, `${aborted_ms} ms`);
    assert.ok(Number(output_tokens) >= 5 && Number(output_tokens) <= 130, `${output_tokens} tokens`);
    assert.equal(charged, 1);
    const before = await ledgerOf(sandbox);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(await ledgerOf(sandbox), before);
  }
});

test('a stream is in the concurrency until it ends, and its tokens are limited', async (t) => {
  const busy = await sandboxFor(t, { limit: { concurrency: 1 } });
  const leaving = new AbortController();
  await openStream(busy, 'pace:1', {}, 'chat/completions', leaving.signal);
  assert.equal((await ask(busy, 'ok')).status, 429);
  leaving.abort();
  await entryWhen(busy, 'aborted', 'pace:1');
  assert.equal((await ask(busy, 'ok')).status, 200);

  const limited = await sandboxFor(t, { limit: { tokens: { count: 100, windowMs: 60_000 } } });
  const [first, second, third] = [await ask(limited, 'ok'), await ask(limited, 'ok'), await ask(limited, 'ok')];
  assert.deepEqual([first.status, second.status, third.status], [200, 200, 429]);
  assert.equal(second.headers.get('x-ratelimit-remaining-tokens'), String(100 - 2 * 43));
  assert.match(String(at(third.body, 'error.message')), /on tokens per 1m0s: Limit 100, Used 86, Requested 43/u);
  assert.ok(Number(third.headers.get('retry-after-ms')) > 50_000);
});

async function start(t: TestContext, dataDir: string) {
  const child = fork(MAIN, ['--data', dataDir], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  t.after(() => child.kill('SIGKILL'));
  const [ready] = await once(child, 'message');
  return { child, sandbox: ready as Sandbox };
}

test('a kill in the middle of a stream forgets neither that it was begun nor its place in the script', async (t) => {
  const dataDir = temporaryDirectory(t);
  const { child, sandbox } = await start(t, dataDir);
  const response = await openStream(sandbox, 'pace:20+tokens:1000,409');
  const reader = response.body?.getReader();
  await reader?.read();
  child.kill('SIGKILL');
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  });
  const second = await start(t, dataDir);
  const entry = await lastEntry(second.sandbox);
  assert.deepEqual([entry.charged, entry.input_tokens, entry.output_tokens, entry.ended], [1, 3, 0, undefined]);
  assert.deepEqual((await ledgerOf(second.sandbox)).total, {
    ...{ requests: 1, images: 0, charged: 1, charged_usd: 0.000003, tokens: 3 },
  });
  assert.equal((await ask(second.sandbox, 'pace:20+tokens:1000,409')).status, 409);
});

test('endings come back from the file, and a bill of before tokens is read as it was', (t) => {
  const dataDir = temporaryDirectory(t);
  const entry: Entry = {
    ...{ at: 1, operation: 'chat', endpoint: 'responses', model: 'm', played: 'ok', images: 0, charged: 1 },
    ...{ id: 'chat_1', stream: true, input_tokens: 1000, cached_tokens: 500, output_tokens: 0 },
  };
  const before = openLedger(dataDir);
  before.append(entry);
  before.end({ id: 'chat_1', ended: 'complete', output_tokens: 100, took_ms: 7 });
  before.end({ id: 'chat_1', ended: 'aborted', output_tokens: 900, took_ms: 9 });
  before.end({ id: 'chat_2', ended: 'complete', output_tokens: 900, took_ms: 9 });
  before.close();
  before.end({ id: 'chat_1', ended: 'aborted', output_tokens: 1, took_ms: 1 });
  const after = openLedger(dataDir);
  t.after(() => after.close());
  assert.deepEqual(after.bill().total, { requests: 1, images: 0, charged: 1, charged_usd: 0.00095, tokens: 1100 });
  assert.deepEqual(after.details(), [{ ...entry, ended: 'complete', output_tokens: 100, took_ms: 7 }]);
});

test('the bill is read through GET /ledger while streams are open', async (t) => {
  const sandbox = await sandboxFor(t);
  const leaving = new AbortController();
  await openStream(sandbox, 'pace:1', {}, 'chat/completions', leaving.signal);
  const { ended, output_tokens } = await lastEntry(sandbox);
  assert.deepEqual([ended, output_tokens], [undefined, 0]);
  leaving.abort();
  assert.equal((await imitate(sandbox, '/ledger')).status, 200);
});
