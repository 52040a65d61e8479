import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { systemIo } from './system-io.ts';
import { answerOk, get, loopback, post, recorder, sendOptions } from './testing/loopback.ts';

test('a timer never fires early', async () => {
  const io = systemIo();
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const at = io.now() + (index % 20);
      await new Promise<void>((resolve) => io.timer(at, resolve));
      assert.ok(io.now() >= at);
    }),
  );
});

test('a timer of the past fires once, a canceled one never', async () => {
  const io = systemIo();
  let fired = 0;
  const cancel = io.timer(io.now() + 1, () => assert.fail('canceled'));
  cancel();
  await new Promise<void>((resolve) => {
    io.timer(0, () => {
      fired += 1;
    });
    io.timer(io.now() + 5, resolve);
  });
  assert.equal(fired, 1);
});

test('a timer beyond what setTimeout can hold is armed again', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const io = systemIo();
  const days60 = 60 * 24 * 60 * 60 * 1000;
  let fired = false;
  io.timer(io.now() + days60, () => {
    fired = true;
  });
  context.mock.timers.tick(days60 - 1);
  assert.equal(fired, false);
  context.mock.timers.tick(1);
  assert.equal(fired, true);
});

test('a POST does not trust a connection that rested longer than a second, a GET does', async (context) => {
  const server = await loopback(context, answerOk);
  const io = systemIo();
  await io.send(get(server.url), recorder(), sendOptions());
  const realNow = Date.now;
  let aheadMs = 1_500;
  context.mock.method(Date, 'now', () => realNow() + aheadMs);
  await io.send(get(server.url), recorder(), sendOptions());
  assert.equal(server.accepted(), 1);
  aheadMs += 1_500;
  await io.send(post(server.url, 'a'), recorder(), sendOptions());
  assert.equal(server.accepted(), 2);
  await io.close();
  await server.emptied();
});

test('a closed Io refuses new exchanges and lets those under way end', async (context) => {
  const server = await loopback(context, answerOk);
  const io = systemIo();
  const receiver = recorder({
    onStarted: () => void io.close(),
  });
  await io.send(get(server.url), receiver, sendOptions());
  assert.equal(receiver.text(), 'ok');
  await assert.rejects(io.send(get(server.url), recorder(), sendOptions()), { phase: 'unsent', code: 'CLOSED' });
  await server.emptied();
});

test('a resting connection does not keep the process alive', async (context) => {
  const server = await loopback(context, answerOk);
  const script = `
    const { systemIo } = await import(${JSON.stringify(new URL('./system-io.ts', import.meta.url).href)});
    const receiver = { onStarted() {}, onHeaders() {}, onData() {} };
    const options = { signal: new AbortController().signal, connectTimeoutMs: 60_000, reach: 'configured' };
    await systemIo().send({ method: 'GET', url: '${server.url}', headers: {} }, receiver, options);
  `;
  const startedAt = performance.now();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
  const [code] = await once(worker, 'exit');
  assert.equal(code, 0);
  assert.ok(performance.now() - startedAt < 3_000);
});
