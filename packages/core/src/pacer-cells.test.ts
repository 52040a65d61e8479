import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCells } from './cells.ts';
import { createPacer } from './pacer.ts';
import type { Cells } from './pacing.ts';
import { createPacerRig, DONE, NOW, REFUSED, settled, sharedCells, taken } from './testing/pacer-rig.ts';
import { createVirtualClock } from './testing/virtual-clock.ts';

test('permits of a long call are renewed, those of a process that died are not', async () => {
  const cells = createMemoryCells();
  const limits = () => ({ concurrency: 1 });
  const alive = createPacerRig({ cells, limits });
  const turn = await taken(alive.ask('long'));
  await alive.clock.drive(new Promise<void>((resolve) => alive.clock.timer(NOW + 300_000, resolve)));
  const other = createPacer({ cells, limits, io: alive.clock, owner: 'other' });
  const ask = { target: 't', credentials: () => ['key'], claim: { images: 1 }, ticket: { caller: 'b', tag: 0 } };
  const leaving = new AbortController();
  const waits = other.take({ ...ask, signal: leaving.signal });
  leaving.abort();
  assert.deepEqual(await waits, []);
  const dead = createVirtualClock(NOW + 300_000);
  const later = createPacer({ cells, limits, io: dead, owner: 'later' });
  assert.equal((await dead.drive(later.take(ask))).length, 1);
  assert.ok(dead.now() <= NOW + 360_000);
  turn.settle(DONE);
});

test('a call that takes long where nothing is limited stays the business of its process', async () => {
  const memory = createMemoryCells();
  let changes = 0;
  const cells: Cells = {
    ...memory,
    update(key, change) {
      changes += 1;
      return memory.update(key, change);
    },
  };
  const { clock, pacer, ask } = createPacerRig({ cells });
  const long = await taken(ask('long'));
  await clock.drive(new Promise<void>((resolve) => clock.timer(NOW + 120_000, resolve)));
  const short = await taken(ask('short'));
  assert.equal(pacer.report()[0]?.inFlight, 2);
  long.settle(DONE);
  assert.equal(changes, 0);
  short.settle(REFUSED);
  assert.equal(changes, 1);
  assert.equal(pacer.report()[0]?.inFlight, 0);
});

test('a call that was refused where nothing was limited before leaves nothing to renew', async () => {
  const { clock, ask } = createPacerRig();
  const turn = await taken(ask('refused'));
  turn.settle(REFUSED);
  await assert.rejects(clock.drive(new Promise(() => {})), /nothing is left to happen/);
});

test('two nodes share one limit, and the uses that each had noted alone', async () => {
  const shared = sharedCells();
  const clock = createVirtualClock(NOW);
  const nodes = ['one', 'two'].map((owner) =>
    createPacer({ limits: () => undefined, cells: shared.open(), io: clock, owner }),
  );
  const ask = { target: 't', credentials: () => ['key'], claim: { images: 1 }, ticket: { caller: '', tag: 0 } };
  const turns = await Promise.all([0, 1, 0, 1, 0, 1].map((node) => nodes[node]?.take(ask)));
  turns[5]?.[0]?.settle(REFUSED);
  await settled();
  turns[4]?.[0]?.settle(DONE);
  turns[3]?.[0]?.settle(DONE);
  await settled();
  assert.deepEqual(
    nodes.map((node) => node.report()[0]?.inFlight),
    [3, 3],
  );
  assert.deepEqual(nodes[0]?.report()[0]?.limits, nodes[1]?.report()[0]?.limits);
});

test('a cluster never has more in flight than is configured, and no turn is lost to an abort', async () => {
  const shared = sharedCells();
  const clock = createVirtualClock(NOW);
  const nodes = ['one', 'two', 'three'].map((owner) =>
    createPacer({ limits: () => ({ concurrency: 4 }), cells: shared.open(), io: clock, owner }),
  );
  let [open, most, done] = [0, 0, 0];
  const one = async (number: number) => {
    const leaving = new AbortController();
    if (number % 7 === 0) clock.timer(NOW + 5 + number, () => leaving.abort());
    const ticket = { caller: '', tag: number };
    const request = { target: 't', credentials: () => ['key'], claim: { images: 1 }, ticket, signal: leaving.signal };
    const [turn] = (await nodes[number % 3]?.take(request)) ?? [];
    if (turn === undefined) return;
    open += 1;
    most = Math.max(most, open);
    await new Promise<void>((resolve) => clock.timer(clock.now() + 20, resolve));
    open -= 1;
    done += 1;
    turn.settle(DONE);
  };
  await clock.drive(Promise.all(Array.from({ length: 60 }, (_, number) => one(number))));
  await settled();
  assert.ok(most <= 4 && done >= 51, `${most} at once, ${done} done`);
  assert.equal(nodes[0]?.report()[0]?.inFlight, 0);
});

test('cells that fail keep nobody from waiting on', async () => {
  const memory = createMemoryCells();
  let failures = 2;
  const cells: Cells = {
    ...memory,
    update: async (key, change) => {
      failures -= 1;
      if (failures >= 0) throw new Error('no database');
      return memory.update(key, change);
    },
  };
  const { clock, ask } = createPacerRig({ cells, limits: () => ({ concurrency: 1 }) });
  await clock.drive(ask('a'));
  assert.equal(clock.now(), NOW + 2_000);
});
