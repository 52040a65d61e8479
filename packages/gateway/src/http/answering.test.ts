import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Event, type Failure, foldGeneration } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import { startHeartbeat } from '../testing/heartbeat.ts';
import { endEvents, sampleImage, sampleSnapshot, startedEvent } from '../testing/task-samples.ts';
import { type Answering, answerStream, type ImageStream, openImageStream } from './answering.ts';
import { KEEP_ALIVE_MS } from './event-stream.ts';

const BROKEN: Failure = { kind: 'corrupt', certainty: 'completed', message: 'it does not open' };
const { plan } = sampleSnapshot();
const assets = {
  async *read() {
    yield Buffer.from('abc');
  },
};

interface Course {
  readonly endAfterMs: number;
  readonly failure?: Failure;
  readonly partialsAtMs?: readonly number[];
}

/** A streamed answer that ends after so long; comments come in virtual time. */
async function streamed(context: TestContext, { endAfterMs, failure, partialsAtMs = [] }: Course) {
  const clock = createVirtualClock(2_000);
  const outcome = failure ? ({ ok: false, failure } as const) : ({ ok: true, images: [sampleImage()] } as const);
  const generation = foldGeneration([[startedEvent(), ...endEvents(outcome)]]);
  const app = Fastify({ forceCloseConnections: true });
  context.after(() => app.close());
  app.get('/', async (_request, reply) => {
    const answering: Answering = {
      ...{ reply, assets, io: clock, delivery: { form: 'b64_json' }, onResult: () => {} },
      headers: { 'x-onetake-generation': 'gen_1' },
    };
    const stream = openImageStream(answering, plan);
    const startedAt = clock.now();
    for (const at of partialsAtMs) clock.timer(startedAt + at, () => sendPartial(stream));
    await new Promise<void>((resolve) => clock.timer(startedAt + endAfterMs, resolve));
    await answerStream({ id: 'gen_1', requestId: 'r', plan, generation, overdue: undefined }, answering, stream);
    return reply;
  });
  const stopHeartbeat = startHeartbeat(clock);
  const answer = await clock.drive(app.inject('/')).finally(stopHeartbeat);
  return { status: answer.statusCode, headers: answer.headers, text: answer.body };
}

function sendPartial(stream: ImageStream): void {
  const event: Event = { type: 'partial-sent', at: 0, attempt: 1, index: 0, asset: sampleImage().asset, event: {} };
  stream.sendPartial(event);
}

const comments = (text: string) => text.match(/^: keep-alive$/gm)?.length ?? 0;
const events = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);

test('a stream that is silent for long is kept alive by comments and ends with its picture', async (context) => {
  const { status, headers, text } = await streamed(context, { endAfterMs: 3 * KEEP_ALIVE_MS + 1_000 });
  assert.equal(status, 200);
  assert.match(String(headers['content-type']), /^text\/event-stream/);
  assert.equal(headers['x-onetake-generation'], 'gen_1');
  assert.equal(comments(text), 3);
  assert.ok(text.startsWith(': keep-alive\n\n'));
  assert.deepEqual(events(text), ['image_generation.completed']);
});

test('a quick stream has no comment, and an early failure its own status', async (context) => {
  const quick = await streamed(context, { endAfterMs: KEEP_ALIVE_MS - 1_000 });
  assert.deepEqual([quick.status, comments(quick.text)], [200, 0]);
  const failed = await streamed(context, { endAfterMs: KEEP_ALIVE_MS - 1_000, failure: BROKEN });
  assert.equal(failed.status, 424);
  assert.equal(JSON.parse(failed.text).error.code, 'corrupt_image');
});

test('a failure after the first comment is one error event', async (context) => {
  const { status, text } = await streamed(context, { endAfterMs: KEEP_ALIVE_MS + 1_000, failure: BROKEN });
  assert.equal(status, 200);
  assert.deepEqual([comments(text), events(text)], [1, ['error']]);
  assert.match(text, /"code":"corrupt_image"/);
});

test('a preview breaks the silence, which is counted from it', async (context) => {
  const endAfterMs = 2 * KEEP_ALIVE_MS;
  const partialsAtMs = [KEEP_ALIVE_MS / 2, KEEP_ALIVE_MS];
  const { text } = await streamed(context, { endAfterMs: endAfterMs - 1_000, partialsAtMs });
  assert.deepEqual(
    [comments(text), events(text)],
    [0, ['image_generation.partial_image', 'image_generation.partial_image', 'image_generation.completed']],
  );
  const longer = await streamed(context, { endAfterMs: endAfterMs + 1_000, partialsAtMs });
  assert.equal(comments(longer.text), 1);
});
