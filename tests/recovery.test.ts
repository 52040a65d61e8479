/** What a restarted gateway makes of what it finds: nothing is sent again that may be paid, nothing waits in vain. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, call, generate } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';
import { until } from './rig/poll.ts';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

/** What the newest generation's journal holds, if it is the one with this prompt. */
async function eventsOf(prompt: string): Promise<readonly string[]> {
  const { body: list } = await call(`${gateway.url}/v1/generations?limit=1`);
  const { body } = await call(`${gateway.url}/v1/generations/${list.data?.[0]?.id}`);
  const timeline = body.prompt === prompt ? (body.timeline as readonly { readonly type: string }[]) : [];
  return timeline.map(({ type }) => type);
}

/** Asks, ends the gateway the given way once the journal holds so many such events, and starts it again. */
async function endOnce(ask: () => Promise<Answer>, prompt: string, event: string, count: number, way: 'kill' | 'end') {
  const answer = ask().catch(() => undefined);
  await until(`${count} × ${event}`, async () => {
    return (await eventsOf(prompt)).filter((type) => type === event).length >= count;
  });
  await gateway[way]();
  const told = await answer;
  gateway = await startGateway({ home: gateway.home });
  return told;
}

test('killed in flight, asked again with its Idempotency-Key: outcome_unknown, and no second payment', async () => {
  const headers = { 'idempotency-key': 'in-flight' };
  const ask = () => generate(gateway.url, { model: 'sandbox/slow:30', prompt: 'a fox in flight' }, { headers });
  assert.equal(await endOnce(ask, 'a fox in flight', 'attempt-started', 1, 'kill'), undefined);
  const [first, second] = [await ask(), await ask()];
  assert.deepEqual([first.status, first.body.error?.code], [424, 'outcome_unknown']);
  assert.deepEqual([second.status, second.text], [424, first.text]);
  const { requests, charged } = await countOf(gateway.sandboxUrl, 'slow:30');
  assert.ok(requests <= 1 && charged <= 1);
});

test('killed while an edit waits for its turn: it goes on with its upload, and the next identical request gets it', async () => {
  const { body } = await generate(gateway.url, { model: 'sandbox/ok', prompt: 'a fox to edit' });
  const image = { image_url: `data:image/png;base64,${body.data?.[0]?.b64_json}` };
  const edit = { model: 'sandbox/429:1,ok', prompt: 'a hat', images: [image] };
  const ask = () => call(`${gateway.url}/v1/images/edits`, { body: edit });
  await endOnce(ask, 'a hat', 'waiting', 1, 'kill');
  const { status, headers } = await ask();
  assert.equal(status, 200);
  assert.ok(headers['x-onetake-attached']);
  assert.deepEqual(await countOf(gateway.sandboxUrl, '429:1,ok'), { requests: 2, charged: 1 });
});

test('ended while a request waits: it is told to come back, and coming back finds its own run', async () => {
  const ask = () => generate(gateway.url, { model: 'sandbox/429:1.5,ok', prompt: 'a parked fox' });
  const told = await endOnce(ask, 'a parked fox', 'waiting', 1, 'end');
  assert.deepEqual([told?.status, told?.body.error?.code], [503, 'model_unavailable']);
  const askedAt = performance.now();
  const { status, headers } = await ask();
  assert.ok(performance.now() - askedAt < 6_000, 'it waited longer than the provider asked for');
  assert.equal(status, 200);
  assert.ok(headers['x-onetake-attached']);
  assert.deepEqual(await countOf(gateway.sandboxUrl, '429:1.5,ok'), { requests: 2, charged: 1 });
});

test('killed while one of three pictures is made: the two are delivered, the third is unknown', async () => {
  const model = 'ok,slow:30,ok';
  const ask = () => generate(gateway.url, { model: `sandbox/${model}`, prompt: 'three foxes', n: 3 });
  await endOnce(ask, 'three foxes', 'finished', 2, 'kill');
  const { status, headers, body } = await ask();
  assert.deepEqual([status, body.data?.length], [200, 2]);
  assert.ok(headers['x-onetake-attached']);
  assert.deepEqual(
    body.onetake?.missing?.map(({ code }) => code),
    ['outcome_unknown'],
  );
  assert.deepEqual(await countOf(gateway.sandboxUrl, model), { requests: 3, charged: 3 });
});

test('a stream that was hung up on is replayed to the next identical request', async () => {
  const asked = { model: 'sandbox/slow:0.5', prompt: 'a streamed fox', stream: true, partial_images: 1 };
  await assert.rejects(generate(gateway.url, asked, { timeoutMs: 100 }), { name: 'AbortError' });
  const { status, headers, text } = await generate(gateway.url, asked);
  assert.equal(status, 200);
  assert.ok(headers['x-onetake-attached']);
  assert.match(text, /event: image_generation\.completed/);
  assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.5'), { requests: 1, charged: 1 });
});
