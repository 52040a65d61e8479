/** A long queue costs little: looking at it, going on with it, and keeping it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { call } from '../rig/call.ts';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { until } from '../rig/poll.ts';
import { readTask, submitTask } from '../rig/tasks.ts';

const PENDING = 10_000;
const WARM_UP = 1_000;
const SUBMITTERS = 32;
const SAMPLES = 40;
const MAX_MS = 50;
const MAX_GROWTH_BYTES = 100e6;
const MODEL = 'sandbox/slow:0.3';

let gateway: RunningGateway;
const ids: string[] = [];
before(async () => {
  gateway = await startGateway({ yaml: ['limits:', `  "${MODEL}": { concurrency: 1 }`, ''].join('\n') });
});
after(() => gateway.close());

async function submitMany(count: number): Promise<void> {
  let next = 0;
  const submitter = async () => {
    for (let number = next++; number < count; number = next++) {
      ids.push((await submitTask(gateway.url, { model: MODEL, prompt: `fox ${ids.length} ${number}` })).id);
    }
  };
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
}

function residentBytes(): number {
  const kibibytes = execFileSync('ps', ['-o', 'rss=', '-p', String(gateway.process.child.pid)], { encoding: 'utf8' });
  return Number(kibibytes) * 1024;
}

async function medianMs(ask: (sample: number) => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const startedAt = performance.now();
    await ask(sample);
    took.push(performance.now() - startedAt);
  }
  return median(took);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

interface Line {
  readonly type: string;
  readonly at: number;
}

async function timelineOf(id: string): Promise<readonly Line[]> {
  return (await call(`${gateway.url}/v1/generations/${id}`)).body.timeline as readonly Line[];
}

test(`${PENDING} tasks wait: memory grows by less than 100 MB`, async (t) => {
  await submitMany(WARM_UP);
  const before = residentBytes();
  await submitMany(PENDING);
  const grown = residentBytes() - before;
  t.diagnostic(`grew by ${Math.round(grown / 1e6)} MB from ${Math.round(before / 1e6)} MB`);
  assert.ok(grown < MAX_GROWTH_BYTES);
});

test('listing them takes under 50 ms', async (t) => {
  let newest = 0;
  const took = await medianMs(async () => {
    const { status, body } = await call(`${gateway.url}/v1/tasks?status=pending&limit=100`);
    assert.equal(status, 200);
    newest = body.data?.length ?? 0;
  });
  t.diagnostic(`${took.toFixed(1)} ms`);
  assert.equal(newest, 100);
  assert.ok(took < MAX_MS);
});

test('a place in the queue and when it comes take under 50 ms', async (t) => {
  const places: number[] = [];
  const took = await medianMs(async (sample) => {
    const id = ids.at(-1 - sample * 100) ?? '';
    const { status, queue } = await readTask(gateway.url, id);
    assert.equal(status, 'pending');
    assert.ok(Number(queue?.eta_ms) > 60_000, `eta_ms is ${queue?.eta_ms}`);
    places.push(queue?.position ?? 0);
  });
  t.diagnostic(`${took.toFixed(1)} ms`);
  assert.ok(Math.max(...places) > PENDING * 0.95, `the last is at ${Math.max(...places)}`);
  assert.ok(took < MAX_MS);
});

test('the next one begins within 50 ms of the end of the one before', async (t) => {
  const { body } = await call(`${gateway.url}/v1/tasks?status=pending&limit=1000`);
  assert.ok(body.data?.length);
  const [first] = await until('a task in the works', async () => {
    const { body: running } = await call(`${gateway.url}/v1/tasks?status=processing`);
    return running.data?.length ? running.data : undefined;
  });
  const from = ids.indexOf(first?.id ?? '');
  const some = ids.slice(from, from + 8);
  await until('the end of some', async () => {
    return (await readTask(gateway.url, some.at(-1) ?? '')).status === 'completed';
  });
  const timelines = await Promise.all(some.map(timelineOf));
  const at = (lines: readonly Line[] | undefined, type: string) => lines?.find((line) => line.type === type)?.at ?? 0;
  const ends = timelines.map((lines) => at(lines, 'attempt-ended')).toSorted((a, b) => a - b);
  const starts = timelines.map((lines) => at(lines, 'attempt-started')).toSorted((a, b) => a - b);
  const gaps = starts.slice(1).map((start, index) => start - (ends[index] ?? 0));
  t.diagnostic(`gaps of ${gaps.join(', ')} ms`);
  assert.ok(gaps.every((gap) => gap >= 0) && median(gaps) < MAX_MS);
});
