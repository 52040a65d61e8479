import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { PLACE } from '../store/contract/samples.ts';
import type { Store, StoredGeneration } from '../store/store.ts';
import { sampleLive } from '../testing/sample-live.ts';
import {
  completedSnapshot,
  createFakeTasks,
  failedSnapshot,
  sampleSnapshot,
  startedEvent,
} from '../testing/task-samples.ts';
import type { Live } from './live.ts';
import { createRunning } from './running.ts';
import { createTasks } from './tasks.ts';
import type { Work, Worker } from './worker.ts';

/** One task in the store; `take` gives it once, as long as it waits. */
function rig(first = sampleSnapshot(), live?: Live) {
  const clock = createVirtualClock(5_000);
  const followed = createFakeTasks(first);
  const running = createRunning();
  if (live) running.add(live, Promise.resolve());
  const startedWorks: Work[] = [];
  const noted: string[] = [];
  let waiting: StoredGeneration | undefined = first.status === 'pending' ? first : undefined;
  const store: Pick<Store, 'take' | 'requestCancel' | 'place'> = {
    async take() {
      const given = waiting;
      waiting = undefined;
      return given;
    },
    async requestCancel(id, at) {
      noted.push(`${id} ${at}`);
      return 'noted';
    },
    place: async (id) => (id === 'gen_1' && waiting ? { ahead: 4, aheadCost: 9 } : undefined),
  };
  const worker: Pick<Worker, 'id' | 'leaseUntil' | 'running' | 'start'> = {
    id: 'w',
    leaseUntil: () => clock.now() + 60_000,
    running,
    start(work) {
      startedWorks.push(work);
      return sampleLive({ id: work.id });
    },
  };
  const tasks = createTasks({
    store: store as Partial<Store> as Store,
    worker: worker as Worker,
    follow: followed.follow,
    io: clock,
    etaMs: (queue, cost) => (queue === PLACE.queue ? cost * 100 : undefined),
  });
  return { clock, followed, tasks, startedWorks, noted };
}

const canceledBy = (change: Partial<Failure>) =>
  failedSnapshot({ kind: 'canceled', certainty: 'ambiguous', message: 'canceled', ...change }, 'canceled');
const later = (clock: ReturnType<typeof rig>['clock'], atMs: number, work: () => void) =>
  clock.timer(clock.now() + atMs, work);

test('a task is read by who made it, and following ends with the reading', async () => {
  const { tasks, followed } = rig();
  assert.equal((await tasks.read('gen_1', 'local'))?.id, 'gen_1');
  assert.equal(await tasks.read('gen_1', 'mallory'), undefined);
  assert.equal(followed.following(), 0);
});

test('its position counts those before it, and its estimate what they cost', async () => {
  const { tasks } = rig();
  assert.deepEqual(await tasks.position(sampleSnapshot({ place: PLACE })), { position: 5, etaMs: 900 });
  assert.equal(await tasks.position(sampleSnapshot()), undefined, 'it does not wait');
  assert.equal(await tasks.position(sampleSnapshot({ id: 'gen_2', place: PLACE })), undefined, 'it waits no more');
});

test('one that waits is taken out of its queue and ended here, with nothing sent', async () => {
  const { tasks, clock, followed, startedWorks, noted } = rig();
  const ending = tasks.cancel('gen_1', 'local', 2_000);
  later(clock, 10, () => followed.change(canceledBy({ certainty: 'not_sent' })));
  assert.deepEqual(await clock.drive(ending), { kind: 'canceled', confirmed: true });
  assert.deepEqual([startedWorks[0]?.id, startedWorks[0]?.cancelRequestedAt, noted], ['gen_1', 5_000, []]);
  assert.equal(followed.following(), 0);
});

test('one that runs here is ended by its own journal', async () => {
  const live = sampleLive({ journals: [[startedEvent()]] });
  const { tasks, clock, followed, noted } = rig(sampleSnapshot({ status: 'processing' }), live);
  const ending = tasks.cancel('gen_1', 'local', 2_000);
  later(clock, 10, () => followed.change(canceledBy({ cancel: 'unconfirmed' })));
  assert.deepEqual(await clock.drive(ending), { kind: 'canceled', confirmed: false });
  assert.deepEqual([live.cancelSignal.aborted, noted], [true, []]);
});

test('one that runs on another node is asked to end by a note in the store', async () => {
  const { tasks, clock, followed, noted, startedWorks } = rig(sampleSnapshot({ status: 'processing' }));
  const ending = tasks.cancel('gen_1', 'local', 2_000);
  later(clock, 1_500, () => followed.change(canceledBy({ cancel: 'confirmed' })));
  assert.deepEqual(await clock.drive(ending), { kind: 'canceled', confirmed: true });
  assert.deepEqual([noted, startedWorks], [['gen_1 5000'], []]);
});

test('an end that does not come within the wait is asked for, and one that came as a picture is finished', async () => {
  const { tasks, clock } = rig(sampleSnapshot({ status: 'processing' }));
  assert.deepEqual(await clock.drive(tasks.cancel('gen_1', 'local', 2_000)), { kind: 'asked' });
  assert.equal(clock.now(), 7_000);
  const other = rig(sampleSnapshot({ status: 'processing' }));
  const ending = other.tasks.cancel('gen_1', 'local', 2_000);
  later(other.clock, 10, () => other.followed.change(completedSnapshot()));
  assert.deepEqual(await other.clock.drive(ending), { kind: 'finished' });
});

test('what is over is not ended again, and what is another caller’s is unknown', async () => {
  const { tasks, noted, startedWorks } = rig(completedSnapshot());
  assert.deepEqual(await tasks.cancel('gen_1', 'local', 0), { kind: 'finished' });
  assert.deepEqual(await tasks.cancel('gen_1', 'mallory', 0), { kind: 'unknown' });
  assert.deepEqual([noted, startedWorks], [[], []]);
});
