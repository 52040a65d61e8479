import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import type { Change, StoredGeneration } from '../store/store.ts';
import { sampleLive } from '../testing/sample-live.ts';
import { completedSnapshot, endEvents, progressEvent, sampleSnapshot, startedEvent } from '../testing/task-samples.ts';
import { createFollow } from './following.ts';
import { createRunning } from './running.ts';

function rig(first: StoredGeneration | undefined = sampleSnapshot()) {
  const clock = createVirtualClock(1_000);
  const running = createRunning();
  const listeners = new Set<(change: Change) => void>();
  let stored = first;
  let reads = 0;
  const store = {
    read: async (id: string) => {
      reads += 1;
      return stored?.id === id ? stored : undefined;
    },
    onChange(listener: (change: Change) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    ...{ running, listeners },
    follow: createFollow({ store, running, io: clock }),
    reads: () => reads,
    write: (next: StoredGeneration) => {
      stored = next;
    },
    tell: (change: Change) => {
      for (const listener of [...listeners]) listener(change);
    },
    pass: (ms: number) => clock.drive(new Promise<void>((resolve) => clock.timer(clock.now() + ms, resolve))),
  };
}

async function followed(follow: ReturnType<typeof rig>['follow']) {
  const found = await follow('gen_1', 'local');
  assert.ok(found);
  const seen: string[] = [];
  found.onChange(() => {
    const { status, journals } = found.snapshot();
    seen.push(`${status} ${journals.flat().length}`);
  });
  return { found, seen };
}

const processing = sampleSnapshot({ status: 'processing', journals: [[startedEvent()]] });

test('nobody follows what is another caller’s or was never there', async () => {
  const { follow } = rig();
  assert.equal(await follow('gen_1', 'mallory'), undefined);
  assert.equal(await follow('gen_2', 'local'), undefined);
});

test('what runs on another node is seen by looking, and only what is new is told', async () => {
  const { follow, write, pass } = rig();
  const { found, seen } = await followed(follow);
  await pass(3_500);
  assert.deepEqual(seen, []);
  write(processing);
  await pass(1_000);
  assert.deepEqual(seen, ['processing 1']);
  write({ ...processing, journals: [[startedEvent(), progressEvent(10)]] });
  await pass(2_500);
  assert.deepEqual(seen, ['processing 1', 'processing 2']);
  found.close();
});

test('the end on another node is looked up as soon as it is told, and after it nothing is looked up', async () => {
  const { follow, write, tell, pass, reads } = rig();
  const { found, seen } = await followed(follow);
  write(completedSnapshot());
  tell({ kind: 'finished', id: 'gen_2' });
  await pass(10);
  assert.deepEqual(seen, []);
  tell({ kind: 'finished', id: 'gen_1' });
  await pass(10);
  assert.deepEqual(seen, ['completed 3']);
  const before = reads();
  await pass(10_000);
  assert.equal(reads(), before);
  found.close();
});

test('what runs here is told by its own journal, which no look into the store sets back', async () => {
  const { follow, running, pass } = rig();
  const live = sampleLive();
  const { found, seen } = await followed(follow);
  running.add(live, Promise.resolve());
  live.record(0, [startedEvent()]);
  assert.deepEqual(seen, ['processing 1']);
  await pass(3_000);
  assert.deepEqual(seen, ['processing 1']);
  live.record(0, endEvents({ ok: true, images: [] }));
  const { status, finishedAt, place } = found.snapshot();
  assert.deepEqual([status, finishedAt, place], ['completed', 2_000, undefined]);
  found.close();
});

test('what runs here already is as far as its journal, whatever the store has of it', async () => {
  const { follow, running } = rig();
  running.add(sampleLive({ journals: [[startedEvent(), progressEvent(40)]] }), Promise.resolve());
  const { found } = await followed(follow);
  assert.equal(found.snapshot().journals.flat().length, 2);
  found.close();
});

test('closed, it looks, listens and tells no more', async () => {
  const { follow, write, pass, reads, listeners, running } = rig();
  const { found, seen } = await followed(follow);
  const live = sampleLive();
  running.add(live, Promise.resolve());
  found.close();
  write(processing);
  live.record(0, [startedEvent()]);
  const before = reads();
  await pass(5_000);
  assert.deepEqual([seen, reads() - before, listeners.size], [[], 0, 0]);
});
