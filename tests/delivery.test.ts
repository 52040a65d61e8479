/** Who paid gets the picture: callers that hang up, keys that repeat, and a gateway that is killed in between. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import OpenAI from 'openai';
import { type Answer, call, generate } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';
import { until } from './rig/poll.ts';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

/** Asks, and hangs up after `timeoutMs`. */
async function askAndLeave(fields: object, timeoutMs: number): Promise<void> {
  await assert.rejects(generate(gateway.url, fields, { timeoutMs }), { name: 'AbortError' });
}

/** Lets the whole answer lie in the socket of a connection that is not kept alive, and resets it. */
async function askAndReadNothing(fields: { readonly prompt: string }): Promise<void> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  const body = JSON.stringify(fields);
  socket.write(
    `POST /v1/images/generations HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  await until('the picture is made', async () => {
    const { body: list } = await call(`${gateway.url}/v1/generations?limit=1000`);
    return list.data?.find(({ prompt, status }) => prompt === fields.prompt && status === 'completed');
  });
  // What is written last is the answer; the reset must come after it.
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.resetAndDestroy();
  await once(socket, 'close');
  await new Promise((resolve) => setTimeout(resolve, 100));
}

suite('a gateway that lives on', { concurrency: true }, () => {
  test('curl gives up after 1 s on slow:4; the same curl 6 s later gets that picture, charged once', async () => {
    const asked = { model: 'sandbox/slow:4', prompt: 'a patient fox' };
    const startedAt = performance.now();
    await askAndLeave(asked, 1_000);
    await until('the picture is made', async () => {
      const { body } = await call(`${gateway.url}/v1/generations`);
      return body.data?.find(({ prompt, status }) => prompt === asked.prompt && status === 'completed');
    });
    const madeAt = performance.now();
    const { status, headers, body } = await generate(gateway.url, asked);
    assert.ok(madeAt - startedAt >= 4_000);
    assert.ok(performance.now() - madeAt < 1_000);
    assert.deepEqual([status, body.data?.length], [200, 1]);
    assert.equal(headers['x-onetake-attached'], headers['x-onetake-generation']);
    assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:4'), { requests: 1, charged: 1 });
  });

  test('a result is handed over once: the next identical request is a new one', async () => {
    const asked = { model: 'sandbox/slow:0.5,ok', prompt: 'a fox that is wanted twice' };
    await askAndLeave(asked, 200);
    const attached = await generate(gateway.url, asked);
    assert.ok(attached.headers['x-onetake-attached']);
    const fresh = await generate(gateway.url, asked);
    assert.equal(fresh.headers['x-onetake-attached'], undefined);
    assert.notEqual(fresh.text, attached.text);
    assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.5,ok'), { requests: 2, charged: 2 });
  });

  test('attach: off makes a new picture', async () => {
    const asked = { model: 'sandbox/slow:0.5,slow:0', prompt: 'a fox of its own' };
    await askAndLeave(asked, 200);
    const { headers } = await generate(gateway.url, asked, { headers: { 'x-onetake-attach': 'off' } });
    assert.equal(headers['x-onetake-attached'], undefined);
    assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.5,slow:0'), { requests: 2, charged: 2 });
  });

  test('an SDK whose own timeout fires gets the picture on its retry', async () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', timeout: 1_500, logLevel: 'off' });
    const { data } = await client.images.generate({ model: 'sandbox/slow:2', prompt: 'a fox after a retry' });
    assert.equal(data?.length, 1);
    assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:2'), { requests: 1, charged: 1 });
  });

  test('an answer that lay unread when its connection was reset was not delivered', async () => {
    const asked = { model: 'sandbox/slow:0.2', prompt: 'a fox nobody looked at', size: '64x48' };
    await askAndReadNothing(asked);
    const { status, headers } = await generate(gateway.url, asked);
    assert.equal(status, 200);
    assert.ok(headers['x-onetake-attached']);
    assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.2'), { requests: 1, charged: 1 });
  });

  test('two callers who are both connected are two requests', async () => {
    const asked = { model: 'sandbox/slow:0.3', prompt: 'two foxes for two' };
    const [one, other] = await Promise.all([generate(gateway.url, asked), generate(gateway.url, asked)]);
    assert.notEqual(one.headers['x-onetake-generation'], other.headers['x-onetake-generation']);
    assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.3'), { requests: 2, charged: 2 });
  });

  test('an Idempotency-Key replays what cost something, and runs again what cost nothing', async () => {
    const ask = (model: string, prompt: string) =>
      generate(gateway.url, { model, prompt }, { headers: { 'idempotency-key': prompt } });
    const unknown = await ask('sandbox/504,ok', 'no verdict');
    const replayed = await ask('sandbox/504,ok', 'no verdict');
    assert.deepEqual([unknown.status, replayed.status, replayed.text], [424, 424, unknown.text]);
    assert.equal((await ask('sandbox/400,ok', 'nothing spent')).status, 400);
    assert.equal((await ask('sandbox/400,ok', 'nothing spent')).status, 200);
  });
});

test('callers that hang up leave no connection behind: then one good call works', async () => {
  const leave = (number: number) => askAndLeave({ model: 'sandbox/slow:1', prompt: `hang-up ${number}` }, 300);
  await Promise.all(Array.from({ length: 150 }, (_, number) => leave(number)));
  const { status } = await generate(gateway.url, { model: 'sandbox/slow:0', prompt: 'still here' });
  assert.equal(status, 200);
});

test('one Idempotency-Key, 20 times at once and again after kill -9: one charge, identical bodies', async () => {
  const asked = { model: 'sandbox/slow:0.4', prompt: 'the one fox' };
  const headers = { 'idempotency-key': 'one-fox' };
  const ask = () => generate(gateway.url, asked, { headers });
  const answers: Answer[] = await Promise.all(Array.from({ length: 20 }, ask));
  await gateway.kill();
  gateway = await startGateway({ home: gateway.home });
  answers.push(...(await Promise.all(Array.from({ length: 20 }, ask))));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  assert.equal(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true').length, 39);
  assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.4'), { requests: 1, charged: 1 });

  const other = await generate(gateway.url, { ...asked, prompt: 'another fox' }, { headers });
  assert.deepEqual([other.status, other.body.error?.code], [422, 'idempotency_mismatch']);
});

test('an undelivered picture survives kill -9 and waits for its caller', async () => {
  const asked = { model: 'sandbox/slow:0.6', prompt: 'a fox over the gap' };
  await askAndLeave(asked, 200);
  await until('the picture is made', async () => {
    const { body } = await call(`${gateway.url}/v1/generations`);
    return body.data?.find(({ prompt, status }) => prompt === asked.prompt && status === 'completed');
  });
  await gateway.kill();
  gateway = await startGateway({ home: gateway.home });
  const { status, headers } = await generate(gateway.url, asked);
  assert.equal(status, 200);
  assert.ok(headers['x-onetake-attached']);
  assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.6'), { requests: 1, charged: 1 });
});
