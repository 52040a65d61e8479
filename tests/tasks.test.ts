/** Submit, leave, come back: tasks over HTTP, as a caller meets them. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createIntake, createMemoryAssets } from '@onetake/core';
import OpenAI from 'openai';
import { type Answer, type CallOptions, call } from './rig/call.ts';
import { readEvents } from './rig/events.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';
import { until } from './rig/poll.ts';

const ANN = { authorization: 'Bearer key-of-ann' };
const BOB = { authorization: 'Bearer key-of-bob' };
const ASYNC = { ...ANN, prefer: 'respond-async' };
const OPTIONS = {
  env: { ONETAKE_API_KEYS: 'ann:key-of-ann,bob:key-of-bob' },
  yaml: ['limits:', '  "sandbox/slow:4": { concurrency: 1 }', '  "sandbox/slow:0.4": { images: 1/1500ms }', ''].join(
    '\n',
  ),
};

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway(OPTIONS);
});
after(() => gateway.close());

/** Asks for a small picture as a task. */
function submit(model: string, prompt: string, headers: Record<string, string> = {}): Promise<Answer> {
  const body = { model, prompt, size: '64x48' };
  return call(`${gateway.url}/v1/tasks`, { headers: { ...ANN, ...headers }, body });
}

function idOf({ body }: Answer): string {
  assert.ok(typeof body.id === 'string', JSON.stringify(body));
  return body.id;
}

function read(id: string, query = '', options: CallOptions = {}): Promise<Answer> {
  return call(`${gateway.url}/v1/tasks/${id}${query}`, { headers: ANN, ...options });
}

function finished(id: string): Promise<Answer> {
  return until(`task ${id} is finished`, async () => {
    const answer = await read(id, '?wait=5');
    return ['completed', 'failed', 'canceled'].includes(String(answer.body.status)) && answer;
  });
}

/** What a link leads to, and whether it opens. */
async function sizeBehind(url: string | undefined): Promise<string> {
  const answer = await fetch(String(url));
  assert.equal(answer.status, 200);
  const intake = createIntake(createMemoryAssets());
  const blob = intake.openBlob();
  await blob.write(new Uint8Array(await answer.arrayBuffer()));
  const settled = await intake.settle(blob.end());
  return settled.ok ? `${settled.asset.width}x${settled.asset.height}` : settled.problem;
}

suite('a task', { concurrency: true }, () => {
  test('is acknowledged in under 100 ms, and polled to a picture that opens', async () => {
    await submit('sandbox/ok', 'the first one warms up');
    const tookMs: number[] = [];
    for (let number = 0; number < 5; number += 1) {
      const startedAt = performance.now();
      assert.equal((await submit('sandbox/ok', `quick ${number}`)).status, 202);
      tookMs.push(performance.now() - startedAt);
    }
    assert.ok(Math.min(...tookMs) < 100, `${tookMs.map(Math.round)} ms`);

    const body = { model: 'sandbox/slow:1', prompt: 'a fox to come back for', size: '64x48' };
    const asked = await call(`${gateway.url}/v1/images/generations`, { headers: ASYNC, body });
    const id = idOf(asked);
    assert.deepEqual(
      [asked.status, asked.headers.location, asked.headers['preference-applied'], asked.body.object],
      [202, `/v1/tasks/${id}`, 'respond-async', 'image.generation.task'],
    );
    assert.match(String(asked.headers['retry-after']), /^\d+$/);
    assert.ok(['pending', 'processing'].includes(String(asked.body.status)));
    const done = await finished(id);
    assert.deepEqual([done.status, done.body.status, done.body.progress], [200, 'completed', 100]);
    assert.equal(await sizeBehind(done.body.data?.[0]?.url), '64x48');
    assert.deepEqual(
      [done.body.onetake?.generation, done.body.onetake?.provider, done.body.onetake?.billed],
      [id, 'sandbox', 'yes'],
    );
    const { body: timeline } = await call(`${gateway.url}/v1/generations/${id}`, { headers: ANN });
    assert.deepEqual([timeline.status, timeline.task], ['completed', true]);
  });

  test('a long poll answers when it is over, and no later', async () => {
    const id = idOf(await submit('sandbox/slow:1.5', 'a fox worth waiting for'));
    const startedAt = performance.now();
    const { body } = await read(id, '?wait=30');
    const tookMs = performance.now() - startedAt;
    assert.equal(body.status, 'completed');
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    const cut = performance.now();
    const other = idOf(await submit('sandbox/slow:8', 'a slower fox'));
    const unfinished = await read(other, '?wait=1');
    assert.ok(['pending', 'processing'].includes(String(unfinished.body.status)));
    assert.ok(performance.now() - cut >= 1_000);
    assert.ok(unfinished.headers['retry-after']);
  });
});

suite('a task that is watched', { concurrency: true }, () => {
  test('tells its events, which are resumed where they were cut, none of them twice', async () => {
    const id = idOf(await submit('sandbox-task/slow:3', 'a fox to watch'));
    const url = `${gateway.url}/v1/tasks/${id}/events`;
    const first = await readEvents(url, { headers: ANN, isEnough: (events) => events.length >= 2 });
    const last = first.events.at(-1)?.id;
    const rest = await readEvents(url, { headers: { ...ANN, 'last-event-id': String(last) } });
    const events = [...first.events, ...rest.events];
    const ids = events.map((event) => Number(event.id));
    assert.deepEqual(
      ids,
      [...new Set(ids)].toSorted((a, b) => a - b),
    );
    assert.deepEqual([events[0]?.type, events.at(-1)?.type], ['task.processing', 'task.completed']);
    const progress = events.map(({ data }) => JSON.parse(data).progress as number);
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
    assert.equal(progress.at(-1), 100);
    assert.equal(await sizeBehind(JSON.parse(events.at(-1)?.data ?? '{}').data[0].url), '64x48');
    const again = await readEvents(url, { headers: ANN });
    assert.deepEqual(again.events, [events.at(-1)]);
    const over = await readEvents(url, { headers: { ...ANN, 'last-event-id': String(events.at(-1)?.id) } });
    assert.equal(over.status, 204);
  });

  test('waits its turn in sight, and costs nothing when it is canceled there', async () => {
    const first = idOf(await submit('sandbox/slow:4', 'first in line'));
    await until('the first is at work', async () => (await read(first)).body.status === 'processing');
    const second = idOf(await submit('sandbox/slow:4', 'second in line'));
    const third = idOf(await submit('sandbox/slow:4', 'third in line'));
    const waiting = await read(third);
    assert.equal(waiting.body.status, 'pending');
    assert.equal((waiting.body.queue as { position: number }).position, 2);
    assert.ok(waiting.headers['retry-after']);
    const canceled = await read(second, '', { method: 'DELETE' });
    assert.deepEqual([canceled.status, canceled.body.status], [200, 'canceled']);
    assert.deepEqual([canceled.body.onetake?.cancel, canceled.body.onetake?.billed], ['confirmed', 'no']);
    assert.deepEqual((await read(second)).body, canceled.body);
    assert.equal((await finished(third)).body.status, 'completed');
    assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:4'), { requests: 2, charged: 2 });
  });
});

suite('a task that is not wanted or does not work', { concurrency: true }, () => {
  test('is canceled at the provider, which confirms it', async () => {
    const id = idOf(await submit('sandbox-task/slow:20', 'a fox nobody wants any more'));
    await until('it is at work', async () => {
      const { onetake, status } = (await read(id)).body;
      return status === 'processing' && onetake?.stage !== undefined;
    });
    const canceled = await call(`${gateway.url}/v1/tasks/${id}`, {
      method: 'DELETE',
      headers: { ...ANN, 'content-type': 'application/json' },
    });
    assert.deepEqual(
      [canceled.status, canceled.body.status, canceled.body.onetake?.cancel],
      [200, 'canceled', 'confirmed'],
      canceled.text,
    );
    const again = await read(id, '', { method: 'DELETE' });
    assert.deepEqual([again.status, again.body.error?.code], [409, 'task_finished']);
    assert.equal((again.body.task as { status: string }).status, 'canceled');
  });

  test('which the provider cannot give up says that its end is unconfirmed, with the possible charge', async () => {
    const id = idOf(await submit('sandbox/slow:20', 'a fox that cannot be stopped'));
    await until('it was sent', async () => (await countOf(gateway.sandboxUrl, 'slow:20')).requests === 1);
    const canceled = await read(id, '', { method: 'DELETE' });
    assert.deepEqual([canceled.status, canceled.body.status], [200, 'canceled'], canceled.text);
    assert.deepEqual([canceled.body.onetake?.cancel, canceled.body.onetake?.billed], ['unconfirmed', 'maybe']);
  });

  test('cannot be canceled when it is finished', async () => {
    const id = idOf(await submit('sandbox/ok', 'too late'));
    await finished(id);
    const { status, body } = await read(id, '', { method: 'DELETE' });
    assert.deepEqual([status, body.error?.code], [409, 'task_finished']);
  });

  test('tells a failure with its code, its bill and advice', async () => {
    const done = await finished(idOf(await submit('sandbox/policy', 'a fox that is refused')));
    assert.deepEqual([done.body.status, done.body.error?.code], ['failed', 'content_policy_violation']);
    assert.match(String(done.body.onetake?.advice), /change the prompt/);
  });
});

suite('tasks', { concurrency: true }, () => {
  test('belong to their caller alone, and are listed there', async () => {
    const id = idOf(await submit('sandbox/ok', 'of ann alone'));
    await finished(id);
    for (const method of ['GET', 'DELETE']) {
      assert.equal((await read(id, '', { method, headers: BOB })).status, 404);
    }
    assert.equal((await read(id, '/events', { headers: BOB })).status, 404);
    const listOf = async (headers: Record<string, string>, query: string) => {
      const { body } = await call(`${gateway.url}/v1/tasks${query}`, { headers });
      return body.data ?? [];
    };
    const listed = (await listOf(ANN, '?status=completed&limit=1000')).find((task) => task.id === id);
    assert.deepEqual(
      [listed?.object, listed?.status, listed?.progress, listed?.model],
      ['image.generation.task', 'completed', 100, 'sandbox/ok'],
    );
    assert.deepEqual(await listOf(BOB, ''), []);
    const { body: page } = await call(`${gateway.url}/v1/tasks?limit=1`, { headers: ANN });
    const { body: next } = await call(`${gateway.url}/v1/tasks?limit=1&after=${page.next}`, { headers: ANN });
    assert.notEqual(page.data?.[0]?.id, next.data?.[0]?.id);
  });

  test('Prefer: wait hands over the picture when it comes in time, and the task when it does not', async () => {
    const ask = (model: string, prefer: string) => {
      const body = { model, prompt: `${model}, ${prefer}`, size: '64x48' };
      return call(`${gateway.url}/v1/images/generations`, { headers: { ...ANN, prefer }, body });
    };
    const late = await ask('sandbox/slow:3', 'wait=1');
    assert.deepEqual([late.status, late.headers['preference-applied']], [202, 'wait=1']);
    const inTime = await ask('sandbox/ok', 'wait=20');
    assert.deepEqual([inTime.status, inTime.headers['preference-applied']], [200, 'wait=20']);
    assert.ok(inTime.body.data?.[0]?.b64_json);
    const refused = await ask('sandbox/policy', 'wait=20');
    assert.deepEqual([refused.status, refused.body.error?.code], [400, 'content_policy_violation']);
    assert.equal((await finished(idOf(late))).body.status, 'completed');
  });

  test('a stock client that asks for nothing of it waits, and gets its picture', async () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'key-of-ann', maxRetries: 0, logLevel: 'off' });
    const { data } = await client.images.generate({ model: 'sandbox/slow:2', prompt: 'a plain fox' });
    assert.equal(data?.length, 1);
  });

  test('a stream of a model that cannot stream is kept alive and ends with its picture', async () => {
    const body = { model: 'sandbox-task/slow:17', prompt: 'a silent fox', size: '64x48', stream: true };
    const { status, headers, events, comments } = await readEvents(`${gateway.url}/v1/images/generations`, {
      headers: ANN,
      body,
    });
    assert.deepEqual([status, comments, events.length], [200, 1, 1]);
    assert.match(String(headers.get('content-type')), /^text\/event-stream/);
    assert.equal(events[0]?.type, 'image_generation.completed');
    assert.ok(JSON.parse(events[0]?.data ?? '{}').b64_json);
  });
});

test('a key hands over its task again, also after kill -9, and another body is refused', async () => {
  const key = { 'idempotency-key': 'one-task' };
  const first = await submit('sandbox/slow:0.4', 'the one task', key);
  const again = await submit('sandbox/slow:0.4', 'the one task', key);
  assert.deepEqual([again.status, again.headers['idempotent-replayed'], idOf(again)], [202, 'true', idOf(first)]);
  assert.equal((await finished(idOf(first))).body.status, 'completed');
  await gateway.kill();
  gateway = await startGateway({ home: gateway.home, env: OPTIONS.env });
  const replayed = await submit('sandbox/slow:0.4', 'the one task', key);
  assert.deepEqual(
    [replayed.status, replayed.headers['idempotent-replayed'], idOf(replayed), replayed.body.status],
    [202, 'true', idOf(first), 'completed'],
  );
  const other = await submit('sandbox/slow:0.4', 'another task', key);
  assert.deepEqual([other.status, other.body.error?.code], [422, 'idempotency_mismatch']);
  assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.4'), { requests: 1, charged: 1 });
});

test('what waited when everything was killed is made afterwards, each once', async () => {
  const ids: string[] = [];
  for (const name of ['one', 'two', 'three']) ids.push(idOf(await submit('sandbox/slow:0.4', `${name} over the gap`)));
  const earlier = await countOf(gateway.sandboxUrl, 'slow:0.4');
  await gateway.kill();
  gateway = await startGateway({ home: gateway.home, env: OPTIONS.env });
  const ends = await Promise.all(ids.map(finished));
  const codes = ends.map(({ body }) => body.error?.code ?? String(body.status));
  assert.ok(
    codes.every((code) => code === 'completed' || code === 'outcome_unknown'),
    codes.join(),
  );
  assert.ok(codes.filter((code) => code === 'completed').length >= 2, 'at most one was at work');
  const { requests, charged } = await countOf(gateway.sandboxUrl, 'slow:0.4');
  assert.ok(requests <= earlier.requests + ids.length && charged <= requests, JSON.stringify({ requests, charged }));
});
