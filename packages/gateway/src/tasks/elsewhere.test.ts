import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '@onetake/core';
import { createFakeTasks, endEvents, progressEvent, sampleSnapshot, startedEvent } from '../testing/task-samples.ts';
import { followElsewhere } from './elsewhere.ts';

const IO = { now: () => 1_000 };

async function followed() {
  const tasks = createFakeTasks(sampleSnapshot({ status: 'processing', journals: [[startedEvent()]] }));
  const live = await followElsewhere(sampleSnapshot(), tasks.follow, IO);
  assert.ok(live);
  const seen: Event['type'][] = [];
  live.watch((event) => seen.push(event.type));
  return { tasks, live, seen };
}

test('what another node’s journal grew by is told here, each event once', async () => {
  const { tasks, live, seen } = await followed();
  assert.equal(live.journals.flat().length, 1);
  tasks.change({ journals: [[startedEvent(), progressEvent(10)]] });
  tasks.change({ journals: [[startedEvent(), progressEvent(10)]] });
  const end = endEvents({ ok: true, images: [] });
  tasks.change({ status: 'completed', journals: [[startedEvent(), progressEvent(10), ...end]] });
  assert.deepEqual(seen, ['polled', 'attempt-ended', 'finished']);
  assert.equal(live.journals.flat().length, 4);
});

test('it is followed for as long as somebody waits here', async () => {
  const { tasks, live } = await followed();
  live.join();
  live.leave({ cancel: true });
  assert.deepEqual([tasks.following(), live.cancelSignal.aborted], [1, false]);
  live.leave({ cancel: true });
  assert.equal(tasks.following(), 0);
  assert.equal(live.cancelSignal.aborted, false, 'who waits there is not known here');
});

test('what is gone cannot be followed', async () => {
  const tasks = createFakeTasks(sampleSnapshot());
  assert.equal(await followElsewhere(sampleSnapshot({ id: 'gen_2' }), tasks.follow, IO), undefined);
});
