import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DriverDeps, drive } from './driver.ts';
import type { LineEvent } from './events.ts';
import { foldBatch, newLine } from './manifest.ts';
import type { Answered, TaskCalls, TaskView } from './task-calls.ts';

const TASK: TaskView = {
  id: 't',
  status: 'completed',
  pictures: [],
  missing: 0,
  billed: 'yes',
  charge: { price_usd: 0.04, possible_usd: 0 },
};
const told = (status: TaskView['status']): Answered<TaskView> => ({ kind: 'told', value: { ...TASK, status } });
const LOST: Answered<TaskView> = { kind: 'unreachable', message: 'ECONNRESET' };
const refused = (status: number): Answered<TaskView> => ({ kind: 'refused', status, code: 'c', message: 'm' });
const FILE = { file: '0001.png', sha256: 'x', bytes: 1 };
const SENT: LineEvent = { type: 'intended', line: 1, at: 0, key: 'batch-id-1', reserved_usd: 0.04 };

interface Scripted {
  readonly lines?: number;
  readonly journal?: readonly LineEvent[];
  readonly submit?: readonly Answered<TaskView>[];
  readonly read?: readonly Answered<TaskView>[];
  readonly deps?: Partial<DriverDeps>;
  readonly onAsk?: (name: string, asked: number) => void;
}

/** Drives lines against answers in their order, the last one for ever; returns what was written and asked. */
async function scripted({ lines = 1, journal = [], submit = [], read = [], deps = {}, onAsk }: Scripted) {
  const written: LineEvent[] = [];
  const asked: string[] = [];
  let now = 0;
  const answer = async (name: string, script: readonly Answered<TaskView>[]) => {
    const times = asked.push(name);
    onAsk?.(name, times);
    const nth = asked.filter((one) => one.startsWith(name.split(' ')[0] ?? '')).length;
    return script[Math.min(nth, script.length) - 1] ?? LOST;
  };
  const tasks: TaskCalls = {
    submit: (_body, { key }) => answer(`submit ${key}`, submit),
    read: (task, seconds) => answer(`read ${task} ${seconds}`, read),
    picture: () => Promise.reject(new Error('unused')),
  };
  const states = Array.from({ length: lines }, (_, index) => newLine(index + 1));
  const result = await drive({
    batch: 'id',
    manifest: foldBatch(states, journal),
    selection: { pending: true, only: new Set(), unknown: false },
    capMicros: undefined,
    concurrency: 4,
    request: () => ({ body: {}, priceMicros: 40_000 }),
    tasks,
    append: async (event) => void written.push(event),
    savePictures: async () => [FILE],
    clock: {
      now: () => now,
      sleep: async (ms, signal) => {
        if (!signal.aborted) now += ms;
      },
    },
    signal: new AbortController().signal,
    ...deps,
  });
  return {
    result,
    written,
    asked,
    ends: written.map((event) => ('code' in event ? `${event.type} ${event.code}` : event.type)),
  };
}

test('a request that was lost on the way is sent again under its key', async () => {
  const { asked, ends } = await scripted({ submit: [LOST, LOST, told('pending')], read: [told('completed')] });
  assert.deepEqual(asked, ['submit batch-id-1', 'submit batch-id-1', 'submit batch-id-1', 'read t 30']);
  assert.deepEqual(ends, ['intended', 'accepted', 'done']);
});

test('a refusal is free only where nothing can have been taken before, or the request itself is wrong', async () => {
  assert.deepEqual((await scripted({ submit: [refused(402)] })).ends, ['intended', 'failed c']);
  assert.deepEqual((await scripted({ submit: [LOST, refused(402)] })).ends, ['intended', 'unknown c']);
  assert.deepEqual((await scripted({ submit: [LOST, refused(400)] })).ends, ['intended', 'failed c']);
  assert.deepEqual((await scripted({ journal: [SENT], submit: [refused(404)] })).ends, ['unknown c']);
});

test('interrupted while the gateway is away, a line that may have arrived stays open', async () => {
  const stop = new AbortController();
  const deps = { signal: stop.signal };
  const lost = await scripted({ submit: [LOST], deps, onAsk: () => stop.abort() });
  assert.deepEqual(lost.ends, ['intended']);
  const again = new AbortController();
  const full: Answered<TaskView> = { kind: 'wait', ms: 60_000, message: 'full' };
  const waiting = await scripted({ submit: [full], deps: { signal: again.signal }, onAsk: () => again.abort() });
  assert.deepEqual(waiting.ends, ['intended', 'withdrawn']);
});

test('interrupted, a task that runs is waited for, one that waits is left', async () => {
  const run = async (status: TaskView['status']) => {
    const stop = new AbortController();
    const read = [told(status), told(status), told(status), told('completed')];
    const onAsk = (_: string, asked: number) => asked === 2 && stop.abort();
    return scripted({ submit: [told('pending')], read, deps: { signal: stop.signal }, onAsk });
  };
  const running = await run('processing');
  assert.deepEqual(running.ends, ['intended', 'accepted', 'done']);
  assert.deepEqual(running.asked.slice(1), ['read t 30', 'read t 30', 'read t 30', 'read t 30']);
  const waiting = await run('pending');
  assert.deepEqual(waiting.ends, ['intended', 'accepted']);
  assert.deepEqual(waiting.asked.slice(1), ['read t 30', 'read t 0'], 'asked once more, without waiting');
});

test('a task the gateway forgot is unknown, with its reserve as what may have been paid', async () => {
  const { written, ends } = await scripted({ journal: [SENT], submit: [told('pending')], read: [{ kind: 'gone' }] });
  assert.deepEqual(ends, ['accepted', 'unknown task_not_found']);
  const last = written.at(-1);
  assert.deepEqual(last?.type === 'unknown' && last.charge, { price_usd: 0, possible_usd: 0.04 });
});

test('pictures that are gone fail the line, and what it cost is kept', async () => {
  const savePictures = async () => ({ code: 'picture_gone', message: 'm' });
  const { written } = await scripted({ submit: [told('pending')], read: [told('completed')], deps: { savePictures } });
  const last = written.at(-1);
  assert(last?.type === 'failed');
  assert.deepEqual([last.code, last.billed, last.charge.price_usd], ['picture_gone', 'yes', 0.04]);
});

test('what stops one line stops the batch: nothing more is begun or written', async () => {
  const savePictures = async () => {
    throw new Error('the disk is full');
  };
  const { result, written } = await scripted({
    lines: 50,
    submit: [told('pending')],
    read: [told('completed')],
    deps: { savePictures },
  });
  assert.match(String(result.stopped), /the disk is full/);
  assert(written.filter(({ type }) => type === 'intended').length <= 8, 'those that were begun, and no more');
  assert(!written.some(({ type }) => type === 'done'));
});

test('a key that is too old to be repeated is unknown without being sent', async () => {
  const clock = { now: () => 86_400_000, sleep: async () => {} };
  const { ends, asked } = await scripted({ journal: [SENT], deps: { clock } });
  assert.deepEqual([ends, asked], [['unknown key_expired'], []]);
});

test('a line the gateway would refuse fails without being sent', async () => {
  const problem = { code: 'model_not_found', message: 'm' };
  const request = () => ({ body: {}, priceMicros: undefined, problem });
  const { ends, asked } = await scripted({ deps: { request } });
  assert.deepEqual([ends, asked], [['failed model_not_found'], []]);
  const sent = await scripted({
    journal: [SENT],
    submit: [told('completed')],
    read: [told('completed')],
    deps: { request },
  });
  assert.deepEqual(sent.ends, ['accepted', 'done'], 'but what was sent before is asked for');
});
