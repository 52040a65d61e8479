import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Plan } from '@onetake/core';
import { createVirtualClock, type VirtualClock } from '@onetake/core/testing';
import fc from 'fast-check';
import Fastify from 'fastify';
import type { Snapshot } from '../tasks/following.ts';
import { startHeartbeat } from '../testing/heartbeat.ts';
import {
  completedSnapshot,
  createFakeTasks,
  endEvents,
  type FakeTasks,
  failedSnapshot,
  progressEvent,
  sampleSnapshot,
  startedEvent,
} from '../testing/task-samples.ts';
import { KEEP_ALIVE_MS } from './event-stream.ts';
import { createOpenAnswers } from './open-answers.ts';
import { problemBody, RequestProblem } from './problem.ts';
import { nextTaskEvent, readLastEventId } from './task-events.ts';
import { type TaskRequest, taskRoutes } from './tasks.ts';

const WORKING = sampleSnapshot({ status: 'processing', journals: [[startedEvent()]] });

/** The journal grows event by event, in this order. */
const COURSE: readonly Partial<Snapshot<Plan>>[] = [
  { status: 'processing', journals: [[]] },
  { journals: [[startedEvent()]] },
  { journals: [[startedEvent(), progressEvent(30)]] },
  { journals: [[startedEvent(), progressEvent(30), progressEvent(30)]] },
  { journals: [[startedEvent(), progressEvent(30), progressEvent(30), progressEvent(60)]] },
  {
    status: 'completed',
    journals: [
      [startedEvent(), progressEvent(30), progressEvent(30), progressEvent(60), ...endEvents({ ok: true, images: [] })],
    ],
  },
];

test('ids count what is durable, and the end counts once more', () => {
  assert.equal(nextTaskEvent(sampleSnapshot(), 0), undefined);
  assert.equal(nextTaskEvent(sampleSnapshot({ status: 'processing' }), 0), undefined);
  assert.deepEqual(nextTaskEvent(WORKING, 0), { id: 1, type: 'task.processing' });
  assert.equal(nextTaskEvent(WORKING, 1), undefined);
  const further = { ...WORKING, journals: [[startedEvent(), progressEvent(5)], [startedEvent()]] };
  assert.deepEqual(nextTaskEvent(further, 1), { id: 3, type: 'task.progress' });
  const over = completedSnapshot();
  for (const seen of [0, 1, 2, 3]) assert.deepEqual(nextTaskEvent(over, seen), { id: 4, type: 'task.completed' });
  assert.equal(nextTaskEvent(over, 4), undefined);
  assert.equal(
    nextTaskEvent(failedSnapshot({ kind: 'canceled', certainty: 'not_sent', message: '' }, 'canceled'), 0)?.type,
    'task.canceled',
  );
  assert.equal(nextTaskEvent(sampleSnapshot({ status: 'canceled' }), 0)?.id, 1);
});

test('whoever reconnects at any point, anywhere, misses no end and is told nothing twice', () => {
  const snapshots = COURSE.map((change) => sampleSnapshot(change));
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: COURSE.length, maxLength: COURSE.length }), (isConnected) => {
      let seen = 0;
      const ids: number[] = [];
      const types: string[] = [];
      for (const [index, snapshot] of snapshots.entries()) {
        if (!isConnected[index] && index < snapshots.length - 1) continue;
        const event = nextTaskEvent(snapshot, seen);
        if (event === undefined) continue;
        seen = event.id;
        ids.push(event.id);
        types.push(event.type);
      }
      assert.deepEqual(
        ids,
        [...new Set(ids)].toSorted((a, b) => a - b),
      );
      assert.equal(types.at(-1), 'task.completed');
      assert.ok(types.indexOf('task.processing') <= 0 && types.lastIndexOf('task.processing') <= 0);
    }),
  );
});

test('Last-Event-ID is a number of ours, or none', () => {
  assert.equal(readLastEventId(undefined, undefined), 0);
  assert.equal(readLastEventId('', undefined), 0);
  assert.equal(readLastEventId('7', '3'), 7);
  assert.equal(readLastEventId(undefined, '3'), 3);
  for (const [header, query] of [
    ['x', undefined],
    [undefined, '-1'],
    [undefined, ['1', '2']],
    ['1e3', undefined],
  ] as const) {
    assert.throws(() => readLastEventId(header, query), { code: 'invalid_value' });
  }
});

async function serve(context: TestContext, first: Snapshot, maxOpen = 10) {
  const clock = createVirtualClock(2_000);
  const tasks = createFakeTasks(first);
  const openAnswers = createOpenAnswers(maxOpen);
  const app = Fastify({ forceCloseConnections: true });
  app.decorateRequest('caller', 'local');
  app.setErrorHandler((error, _request, reply) => {
    assert.ok(error instanceof RequestProblem, String(error));
    return reply.code(error.status).headers(error.headers).send(problemBody(error, 'r'));
  });
  const store = { list: async () => [] };
  const routes = taskRoutes({ tasks, store, io: clock, openAnswers, assetsUrl: () => 'http://x/v1/assets' });
  app.get<TaskRequest>('/v1/tasks/:id/events', routes.events);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  context.after(() => app.close());
  return { clock, tasks, openAnswers, url: `${url}/v1/tasks/gen_1/events` };
}

/** The journal grows by one step every 100 ms from when the first caller follows. */
function runCourse(clock: VirtualClock, tasks: FakeTasks): void {
  let step = 0;
  const later = () => clock.timer(clock.now() + 100, advance);
  function advance(): void {
    const change = tasks.following() > 0 ? COURSE[step] : undefined;
    if (change) tasks.change(change);
    if (change) step += 1;
    if (step < COURSE.length) later();
  }
  later();
}

interface Read {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Reads the stream to its end, or until `isEnough`, while virtual time runs. */
async function read(
  url: string,
  clock: VirtualClock,
  options: { headers?: Record<string, string>; isEnough?: (text: string) => boolean } = {},
): Promise<Read> {
  const { headers = {}, isEnough = () => false } = options;
  const stopHeartbeat = startHeartbeat(clock);
  const readAll = async () => {
    const leaving = new AbortController();
    const answer = await fetch(url, { headers, signal: leaving.signal });
    let text = '';
    try {
      for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        if (isEnough(text)) leaving.abort();
      }
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
    }
    return { status: answer.status, headers: answer.headers, text };
  };
  return clock.drive(readAll()).finally(stopHeartbeat);
}

/** Id, type and progress of every event. */
function eventsIn(text: string): readonly (readonly [string, string, number])[] {
  const field = (block: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  const blocks = text.split('\n\n').filter((block) => block.includes('data: '));
  return blocks.map((block) => {
    const { progress, status } = JSON.parse(field(block, 'data'));
    assert.ok(['processing', field(block, 'event').replace('task.', '')].includes(status));
    return [field(block, 'id'), field(block, 'event'), progress] as const;
  });
}

const WHOLE_COURSE = [
  ['1', 'task.processing', 0],
  ['2', 'task.progress', 30],
  ['4', 'task.progress', 60],
  ['7', 'task.completed', 100],
] as const;

test('a stream tells the beginning, every visible step and the end, and closes', async (context) => {
  const { clock, tasks, url } = await serve(context, sampleSnapshot());
  runCourse(clock, tasks);
  const { status, headers, text } = await read(url, clock);
  assert.equal(status, 200);
  assert.match(headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.match(text, /^retry: \d+\n\n/);
  assert.deepEqual(eventsIn(text), WHOLE_COURSE);
  assert.equal(tasks.following(), 0);
});

test('a stream that was cut goes on after its last event, and repeats none', async (context) => {
  const { clock, tasks, url } = await serve(context, sampleSnapshot());
  runCourse(clock, tasks);
  const first = await read(url, clock, { isEnough: (text) => text.includes('id: 2\n') });
  const told = eventsIn(first.text);
  const rest = await read(url, clock, { headers: { 'last-event-id': String(told.at(-1)?.[0]) } });
  const ids = [...told, ...eventsIn(rest.text)].map(([id]) => Number(id));
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((a, b) => a - b),
  );
  assert.deepEqual(eventsIn(rest.text).at(-1), WHOLE_COURSE[3]);
  const byQuery = await read(`${url}?last_event_id=4`, clock);
  assert.deepEqual(eventsIn(byQuery.text), [WHOLE_COURSE[3]]);
});

test('of what is over the end is told at once, and to who has seen it nothing more ever', async (context) => {
  const { clock, url } = await serve(context, completedSnapshot());
  assert.deepEqual(eventsIn((await read(url, clock)).text), [['4', 'task.completed', 100]]);
  const seen = await read(url, clock, { headers: { 'last-event-id': '4' } });
  assert.deepEqual([seen.status, seen.text], [204, '']);
});

test('silence is broken by a comment every 15 s', async (context) => {
  const { clock, tasks, url } = await serve(context, WORKING);
  const startedAt = clock.now();
  clock.timer(startedAt + 4 * KEEP_ALIVE_MS - 1, () => tasks.change(completedSnapshot()));
  const { text } = await read(url, clock);
  const comments = text.match(/^: keep-alive$/gm) ?? [];
  // What the sockets took of the virtual time before the stream began is not silence of the stream.
  assert.ok(comments.length >= 2 && comments.length <= 3, `${comments.length} comments`);
  assert.deepEqual(eventsIn(text).at(-1)?.[1], 'task.completed');
});

test('a caller who leaves is followed no more', async (context) => {
  const { clock, tasks, url } = await serve(context, WORKING);
  const { text } = await read(url, clock, { isEnough: (sent) => sent.includes('task.processing') });
  assert.equal(eventsIn(text).length, 1);
  while (tasks.following() > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('there are as many streams as may be, and a stopping gateway ends them for others to take up', async (context) => {
  const { clock, tasks, openAnswers, url } = await serve(context, WORKING, 1);
  const first = read(url, clock);
  while (tasks.following() === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = await fetch(url);
  const { error } = (await second.json()) as { error: { code: string } };
  assert.deepEqual([second.status, error.code, second.headers.get('retry-after')], [429, 'rate_limit_exceeded', '5']);
  openAnswers.close();
  assert.deepEqual(eventsIn((await first).text), [['1', 'task.processing', 0]]);
  assert.equal(tasks.following(), 0);
});

test('an unknown task has no stream', async (context) => {
  const { url } = await serve(context, WORKING);
  assert.equal((await fetch(url.replace('gen_1', 'gen_2'))).status, 404);
});
