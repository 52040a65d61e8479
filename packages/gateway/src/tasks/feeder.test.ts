import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import { createFakePacer, createFakeQueue, SAMPLE_QUEUE as Q } from '../testing/fake-queue.ts';
import { createFeeder, type FeederOptions } from './feeder.ts';

function rig(change: Partial<FeederOptions> = {}) {
  const clock = createVirtualClock(1_000);
  const [queue, pacer] = [createFakeQueue(), createFakePacer()];
  const started: string[] = [];
  const tags: number[] = [];
  const errors: unknown[] = [];
  const feeder = createFeeder({
    store: queue.store,
    pacer: pacer.pacer,
    clock: { tag: () => ({ tag: 0, cost: 1 }), started: (_queue, tag) => tags.push(tag), restore: () => {} },
    io: clock,
    credentials: () => ['key'],
    lease: () => ({ worker: 'w', until: clock.now() + 60_000 }),
    start: (generation, first) => started.push(`${generation.id} ${first?.turn.credential}`.trim()),
    unsent: () => 0,
    busyCallers: () => [],
    onError: (error) => errors.push(error),
    ...change,
  });
  /** Lets everything run that is due within so many milliseconds. */
  const pass = (ms: number) => clock.drive(new Promise<void>((resolve) => clock.timer(clock.now() + ms, resolve)));
  return { ...{ clock, queue, pacer, started, tags, errors, feeder, pass }, asked: pacer.asked };
}

test('what waits is started in the order of its tags, each with its turn, and fairness goes on from there', async () => {
  const { queue, pacer, started, tags, feeder, pass, asked } = rig();
  queue.put('later', 9);
  queue.put('first', 2);
  queue.put('second', 5);
  pacer.grant(2);
  feeder.wake(Q, { tag: 2, images: 1 });
  await pass(10);
  assert.deepEqual(
    [started, tags],
    [
      ['first key', 'second key'],
      [2, 5],
    ],
  );
  assert.deepEqual([asked.at(-1)?.ticket, asked.at(-1)?.claim], [{ caller: '', tag: 9 }, { images: 1 }]);
  pacer.grant(1);
  await pass(10);
  assert.deepEqual([started.at(-1), queue.waiting()], ['later key', []]);
  await feeder.stop();
});

test('all that waits is started at once where there is room, and then nothing more is asked for', async () => {
  const { queue, pacer, started, feeder, pass, asked } = rig();
  for (let index = 0; index < 100; index += 1) queue.put(`${index}`, index);
  pacer.grant(1_000);
  feeder.wake(Q, { tag: 0, images: 1 });
  await pass(10_000);
  assert.deepEqual([started.length, asked.length], [100, 2]);
});

test('what comes with a lower tag goes before what a turn is waited for with', async () => {
  const { queue, pacer, started, feeder, pass, asked } = rig();
  queue.put('batch', 50);
  feeder.wake(Q, { tag: 50, images: 1 });
  await pass(10);
  queue.put('urgent', 3);
  feeder.wake(Q, { tag: 3, images: 1 });
  feeder.wake(Q, { tag: 70, images: 1 });
  await pass(10);
  assert.deepEqual(
    asked.map(({ ticket, signal }) => [ticket.tag, signal?.aborted]),
    [
      [50, true],
      [3, false],
    ],
  );
  feeder.wake(Q, { tag: 70, images: 1 });
  await pass(10);
  assert.equal(asked.length, 2, 'a higher tag changes nothing');
  pacer.grant(1);
  await pass(10);
  assert.deepEqual(started, ['urgent key']);
  await feeder.stop();
});

test('what comes while a claim is under way is waited for with its lower tag', async () => {
  const { queue, pacer, feeder, pass, asked } = rig();
  queue.put('first', 20);
  queue.put('second', 30);
  queue.duringClaim.push(() => {
    queue.put('urgent', 4);
    feeder.wake(Q, { tag: 4, images: 1 });
  });
  pacer.grant(1);
  feeder.wake(Q, { tag: 20, images: 1 });
  await pass(10);
  assert.deepEqual(
    asked.map(({ ticket }) => ticket.tag),
    [20, 4],
  );
  await feeder.stop();
});

test('turns that nothing takes are given back', async () => {
  const { queue, pacer, started, feeder, pass } = rig();
  queue.put('one', 1);
  pacer.grant(5);
  feeder.wake(Q, { tag: 1, images: 1 });
  await pass(10);
  assert.deepEqual([started, pacer.givenBack()], [['one key'], 4]);
});

test('a store that fails is told, keeps no turns, and is asked again with the same head', async () => {
  const { queue, pacer, started, errors, feeder, pass, asked } = rig();
  queue.put('one', 7);
  queue.faults.push(new Error('the store is away'));
  pacer.grant(1);
  feeder.wake(Q, { tag: 7, images: 1 });
  await pass(10);
  assert.deepEqual([started, errors.length, pacer.givenBack(), asked.length], [[], 1, 1, 1]);
  pacer.grant(1);
  await pass(300);
  assert.deepEqual([started, asked.at(-1)?.ticket.tag], [['one key'], 7]);
});

test('callers who run as much as they may are passed over, and looked for again', async () => {
  const busy = new Set(['alice']);
  const { queue, pacer, started, feeder, pass } = rig({ busyCallers: () => [...busy] });
  queue.put('hers', 1, 'alice');
  queue.put('his', 2, 'bob');
  pacer.grant(2);
  feeder.wake(Q, { tag: 1, images: 1 });
  await pass(10);
  assert.deepEqual([started, queue.waiting()], [['his key'], ['hers']]);
  busy.clear();
  pacer.grant(1);
  await pass(300);
  assert.deepEqual(started, ['his key', 'hers key']);
  await feeder.stop();
});

test('a closed target draws no more of its queue into memory than its bound', async () => {
  const sent = new Set<string>();
  const { queue, pacer, started, feeder, pass } = rig({ unsent: () => started.length - sent.size });
  for (let index = 0; index < 500; index += 1) queue.put(`${index}`, index);
  pacer.grant(1_000);
  feeder.wake(Q, { tag: 0, images: 1 });
  await pass(5_000);
  assert.ok(started.length >= 64 && started.length <= 128, `${started.length} were started`);
  for (const one of started) sent.add(one);
  await pass(300);
  assert.ok(started.length > sent.size, 'once they are sent, the next are started');
  await feeder.stop();
});

test('what waits for a target that left the configuration is started without a turn, to end with the reason', async () => {
  const { queue, started, feeder, pass, asked } = rig({ credentials: () => undefined });
  queue.put('one', 1);
  queue.put('two', 2);
  await feeder.look();
  await pass(10);
  assert.deepEqual([started, asked], [['one', 'two'], []]);
});

test('a stop ends the wait for a turn, starts nothing more and leaves what waits', async () => {
  const { queue, pacer, started, feeder, pass, asked } = rig();
  queue.put('one', 1);
  feeder.wake(Q);
  await pass(10);
  await feeder.stop();
  assert.equal(asked[0]?.signal?.aborted, true);
  pacer.grant(1);
  feeder.wake(Q);
  await pass(1_000);
  assert.deepEqual([started, queue.waiting(), asked.length], [[], ['one'], 1]);
});

test('what another node put there is waited for with its own tag, before no other', async () => {
  const { queue, pacer, started, feeder, pass, asked } = rig();
  queue.put('theirs', 40);
  feeder.wake(Q);
  await pass(10);
  assert.deepEqual([asked.map(({ ticket }) => ticket.tag), queue.waiting()], [[40], ['theirs']]);
  feeder.wake(Q);
  await pass(10);
  assert.deepEqual(
    asked.map(({ ticket }) => ticket.tag),
    [40, 40],
  );
  pacer.grant(1);
  await pass(10);
  assert.deepEqual(started, ['theirs key']);
});

test('no caller gets more than it may run, however many turns there are', async () => {
  const { queue, pacer, started, feeder, pass, asked } = rig({
    busyCallers: () => (started.length < 3 ? [] : ['alice']),
    roomPerCaller: () => 3 - started.length,
  });
  for (let index = 0; index < 10; index += 1) queue.put(`${index}`, index, 'alice');
  pacer.grant(100);
  feeder.wake(Q, { tag: 0, images: 1 });
  await pass(10);
  assert.deepEqual([started.length, asked[0]?.most, queue.waiting().length], [3, 3, 7]);
  await feeder.stop();
});
