import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemIo } from '@onetake/core';
import { Webhook as Verifier } from 'standardwebhooks';
import { createWebhookDeliverer } from './deliverer.ts';
import { createFakeOutbox } from './testing/fake-outbox.ts';
import { receiver } from './testing/receiver.ts';
import { SECRET } from './testing/scene.ts';

function deliverTo(t: TestContext, url: string, allowPrivate: boolean) {
  const io = systemIo();
  const outbox = createFakeOutbox();
  outbox.register('gen_1', { url, events: ['task.completed'] });
  const deliverer = createWebhookDeliverer({
    ...{ store: outbox, io, allowPrivate, secretOf: async () => SECRET },
    payload: async (id) => ({ id, object: 'image.generation.task', prompt: 'ein Füchslein 🦊   ' }),
    log: { warn: () => {}, error: (fields: object) => assert.fail(JSON.stringify(fields)) } as never,
    random: () => 0,
  });
  t.after(async () => {
    await deliverer.stop();
    await io.close();
  });
  return outbox;
}

test('a receiver that checks with the Standard Webhooks library accepts every try and knows the repeat', async (t) => {
  const { url, received } = await receiver(t, [500]);
  const outbox = deliverTo(t, url, true);
  const at = Date.now();
  await outbox.notify('gen_1', { id: 'evt_1', type: 'task.completed', at });
  const [row] = await outbox.until(([one]) => one?.state === 'delivered');
  assert.equal(row?.tries, 2);
  const verifier = new Verifier(SECRET);
  for (const { headers, body } of received) {
    assert.equal(headers['content-type'], 'application/json');
    assert.deepEqual(verifier.verify(body, headers as Record<string, string>), {
      type: 'task.completed',
      timestamp: new Date(at).toISOString(),
      data: { id: 'gen_1', object: 'image.generation.task', prompt: 'ein Füchslein 🦊   ' },
    });
    assert.throws(() => verifier.verify(body.replace('gen_1', 'gen_2'), headers as Record<string, string>));
  }
  assert.deepEqual(
    received.map(({ headers }) => headers['webhook-id']),
    ['evt_1', 'evt_1'],
  );
});

test('the same receiver is not connected to while private addresses are not allowed', async (t) => {
  const { url, received } = await receiver(t, []);
  const outbox = deliverTo(t, url.replace('127.0.0.1', 'localhost'), false);
  await outbox.notify('gen_1', { id: 'evt_1', type: 'task.completed', at: Date.now() });
  const [row] = await outbox.until(([one]) => one?.state !== 'waiting');
  assert.deepEqual([row?.state, row?.reason], ['given-up', 'the host is not on the public internet']);
  assert.equal(received.length, 0);
});
