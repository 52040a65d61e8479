import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFlow } from './flow.ts';

const CHUNK = new Uint8Array(40 * 1024).fill(7);

test('bytes come out as they went in, the last ones too', async () => {
  const flow = createFlow(() => {});
  assert.equal(flow.write(Buffer.from('one ')), undefined);
  assert.equal(flow.write(Buffer.from('two ')), undefined);
  flow.end(Buffer.from('three'));
  assert.equal(flow.write(Buffer.from('late')), undefined);
  assert.equal(await new Response(flow.body).text(), 'one two three');
});

test('who writes waits while nobody reads', async () => {
  const flow = createFlow(() => {});
  assert.equal(flow.write(CHUNK), undefined);
  let isWaiting = true;
  const waited = Promise.resolve(flow.write(CHUNK)).then(() => {
    isWaiting = false;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(isWaiting);
  const reader = flow.body.getReader();
  await reader.read();
  await waited;
  assert.ok(!isWaiting);
  flow.end();
});

test('who leaves is noticed, and lets a writer who waits go on', async () => {
  let left = 0;
  const flow = createFlow(() => {
    left += 1;
  });
  flow.write(CHUNK);
  const waited = flow.write(CHUNK);
  await flow.body.cancel();
  await waited;
  assert.equal(left, 1);
  flow.write(CHUNK);
  flow.end();
  flow.fail(new Error('late'));
  assert.equal(left, 1);
});

test('a body that broke off rejects the next read with its reason', async () => {
  const flow = createFlow(() => {});
  const reason = new Error('gone');
  flow.fail(reason);
  flow.end();
  await assert.rejects(new Response(flow.body).text(), reason);
});
