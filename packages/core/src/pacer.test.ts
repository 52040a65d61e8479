import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPacerRig, DONE, NOW, REFUSED, settled, taken } from './testing/pacer-rig.ts';
import { QueueFullError } from './turn-queue.ts';

test('without a limit and without a queue a turn comes within a microtask, with no timer', async () => {
  const { pacer, clock } = createPacerRig();
  let came = false;
  const request = { target: 't', credentials: () => ['key'], claim: { images: 1 }, ticket: { caller: 'A', tag: 0 } };
  const turn = pacer.take(request).then(([first]) => {
    came = true;
    return first;
  });
  await Promise.resolve();
  assert.ok(came);
  (await turn)?.settle(DONE);
  await assert.rejects(clock.drive(new Promise(() => {})), /nothing is left to happen/);
});

test('a call that learns the first limit leaves no timer behind', async () => {
  const { clock, ask } = createPacerRig();
  (await taken(ask('A'))).settle(REFUSED);
  await settled();
  await assert.rejects(clock.drive(new Promise(() => {})), /nothing is left to happen/);
});

test('turns go to the lowest tag, and of equal tags to who came first', async () => {
  const { given, ask } = createPacerRig({ limits: () => ({ concurrency: 1 }) });
  let turn = await taken(ask('first'));
  const waiting = [ask('c', { tag: 3 }), ask('b', { tag: 2 }), ask('a', { tag: 2, caller: 'c' }), ask('z', { tag: 1 })];
  for (const _ of waiting) {
    turn.settle(DONE);
    turn = await Promise.race(waiting.map(taken));
    await settled();
    const last = given.at(-1);
    const index = ['c', 'b', 'a', 'z'].indexOf(last ?? '');
    turn = await taken(waiting[index] ?? waiting[0] ?? Promise.resolve(undefined));
  }
  assert.deepEqual(given, ['first', 'z', 'b', 'a', 'c']);
});

test('a caller has no more turns at once than it may, and the others go past it', async () => {
  const { given, ask } = createPacerRig({ maxRunningPerCaller: 2 });
  const own = [1, 2, 3].map((number) => ask(`A${number}`, { caller: 'A', tag: number }));
  await taken(ask('B', { tag: 9 }));
  await settled();
  assert.deepEqual(given, ['A1', 'A2', 'B']);
  (await taken(own[0] ?? Promise.resolve(undefined))).settle(DONE);
  await settled();
  assert.deepEqual(given, ['A1', 'A2', 'B', 'A3']);
});

test('who aborts leaves the queue at once, with no turn lost', async () => {
  const { pacer, given, ask } = createPacerRig({ limits: () => ({ concurrency: 1 }) });
  const turn = await taken(ask('first'));
  const leaving = new AbortController();
  const left = ask('left', { tag: 1, signal: leaving.signal });
  const next = ask('next', { tag: 2 });
  leaving.abort();
  assert.equal(await left, undefined);
  assert.equal(pacer.report()[0]?.waiting, 1);
  turn.settle(DONE);
  (await taken(next)).settle(DONE);
  assert.deepEqual(given, ['first', 'next']);
  assert.equal(await ask('aborted', { signal: AbortSignal.abort() }), undefined);
});

test('a queue is bounded', async () => {
  const { ask } = createPacerRig({ limits: () => ({ concurrency: 1 }), maxWaiting: 1 });
  await taken(ask('first'));
  const leaving = new AbortController();
  const second = ask('second', { signal: leaving.signal });
  await assert.rejects(ask('third'), QueueFullError);
  leaving.abort();
  await second;
});

test('several keys are a pool: the one with most room, and a limited one cools alone', async () => {
  const limits = (_target: string, credential: string) => ({ concurrency: credential === 'large' ? 3 : 1 });
  const { ask } = createPacerRig({ limits });
  const keys = ['small', 'large'];
  const first = await Promise.all([1, 2, 3, 4].map((number) => taken(ask(`${number}`, { keys }))));
  assert.deepEqual(first.map((turn) => turn.credential).sort(), ['large', 'large', 'large', 'small']);
  const waiting = ask('fifth', { keys });
  first.find((turn) => turn.credential === 'small')?.settle(DONE);
  assert.equal((await taken(waiting)).credential, 'small');
});

test('keys without a limit share what is in flight', async () => {
  const { ask } = createPacerRig();
  const keys = ['one', 'other'];
  const turns = await Promise.all([1, 2, 3, 4].map((number) => taken(ask(`${number}`, { keys }))));
  assert.deepEqual(turns.map((turn) => turn.credential).sort(), ['one', 'one', 'other', 'other']);
});

test('a claim that does not fit yet is not overtaken by smaller ones', async () => {
  const { clock, given, ask } = createPacerRig({ limits: () => ({ images: [{ count: 4, windowMs: 60_000 }] }) });
  await taken(ask('three', { images: 3 }));
  const large = ask('large', { images: 2, tag: 1 });
  const small = ask('small', { images: 1, tag: 2 });
  await settled();
  assert.deepEqual(given, ['three']);
  await clock.drive(Promise.all([large, small]));
  assert.deepEqual(given, ['three', 'large', 'small']);
  assert.equal(clock.now(), NOW + 60_300);
});

test('several turns are given at once where they fit and nobody else waits', async () => {
  const { pacer, ask } = createPacerRig({ limits: () => ({ concurrency: 5 }) });
  const request = { target: 't', credentials: () => ['key'], claim: { images: 1 }, ticket: { caller: '', tag: 1 } };
  const turns = await pacer.take({ ...request, most: 64 });
  assert.equal(turns.length, 5);
  const other = ask('other', { tag: 2 });
  const more = pacer.take({ ...request, most: 64 });
  for (const turn of turns) turn.giveBack();
  assert.equal((await more).length, 1);
  await taken(other);
});

test('without a usable key everybody waits, until one is usable or somebody wakes them', async () => {
  const { clock, pacer, ask } = createPacerRig();
  const keys: string[] = [];
  const waiting = ask('a', { keys });
  keys.push('key');
  pacer.wake('t');
  (await taken(waiting)).settle(DONE);
  keys.length = 0;
  const later = ask('b', { keys });
  clock.timer(NOW + 100, () => keys.push('key'));
  await clock.drive(later);
  assert.equal(clock.now(), NOW + 250);
});

test('a newcomer is told when its turn will come, and why not at once', async () => {
  const { clock, pacer, ask } = createPacerRig({ limits: () => ({ images: [{ count: 5, windowMs: 60_000 }] }) });
  const newcomer = { caller: 'new', tag: 99 };
  assert.equal(pacer.expect('t', { images: 1 }, newcomer), undefined);
  await Promise.all([1, 2, 3, 4, 5].map((number) => taken(ask(`${number}`))));
  const reason = '5 images in 60 s are used';
  assert.deepEqual(pacer.expect('t', { images: 1 }, newcomer), { until: NOW + 60_300, reason });
  const waiting = [6, 7, 8, 9, 10].map((number) => ask(`${number}`, { tag: number }));
  assert.deepEqual(pacer.expect('t', { images: 1 }, newcomer), { until: NOW + 120_600, reason });
  assert.deepEqual(pacer.expect('t', { images: 1 }, { caller: 'new', tag: 7 }), { until: NOW + 60_300, reason });
  await clock.drive(Promise.all(waiting));
  assert.equal(clock.now(), NOW + 60_300);
});

test('what is in flight is expected to last as long as turns did', async () => {
  const { clock, pacer, ask } = createPacerRig({ limits: () => ({ concurrency: 1 }) });
  const first = await taken(ask('first'));
  const ended = new Promise<void>((resolve) => clock.timer(NOW + 8_000, resolve));
  await clock.drive(ended);
  first.settle(DONE);
  await taken(ask('second'));
  assert.equal(pacer.expect('t', { images: 1 }, undefined)?.until, NOW + 16_000);
});

test('what providers tell ends the free passage at once, for those in flight too', async () => {
  const { pacer, ask } = createPacerRig();
  const turns = await Promise.all([1, 2, 3, 4, 5].map((number) => taken(ask(`${number}`))));
  turns[4]?.settle(REFUSED);
  assert.deepEqual(pacer.report()[0]?.limits, { concurrency: 4 });
  const waiting = ask('next');
  await settled();
  assert.equal(pacer.report()[0]?.waiting, 1);
  assert.equal(pacer.report()[0]?.inFlight, 4);
  turns[0]?.settle(DONE);
  await taken(waiting);
});

test('a turn ends once, however often it is told', async () => {
  const { pacer, ask } = createPacerRig({ limits: () => ({ concurrency: 2 }) });
  const [one] = await Promise.all([taken(ask('a')), taken(ask('b'))]);
  one?.settle(DONE);
  one?.settle(REFUSED);
  one?.giveBack();
  assert.equal(pacer.report()[0]?.inFlight, 1);
  assert.deepEqual(pacer.report()[0]?.limits, { concurrency: 2 });
});

test('whatever is asked, aborted and ended: the bound holds, and all places are free in the end', async () => {
  const actions = fc.array(
    fc.record({ tag: fc.nat(20), leaves: fc.boolean(), lastsMs: fc.integer({ min: 1, max: 50 }), atMs: fc.nat(200) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  await fc.assert(
    fc.asyncProperty(actions, fc.integer({ min: 1, max: 4 }), async (list, concurrency) => {
      const { clock, pacer } = createPacerRig({ limits: () => ({ concurrency }) });
      let open = 0;
      const work = list.map(async ({ tag, leaves, lastsMs, atMs }, index) => {
        await new Promise<void>((resolve) => clock.timer(NOW + atMs, resolve));
        const leaving = new AbortController();
        if (leaves) clock.timer(NOW + atMs + (lastsMs % 7), () => leaving.abort());
        const request = { target: 't', credentials: () => ['key'], claim: { images: 1 }, signal: leaving.signal };
        const [turn] = await pacer.take({ ...request, ticket: { caller: `${index % 3}`, tag } });
        if (turn === undefined) return;
        open += 1;
        assert.ok(open <= concurrency);
        await new Promise<void>((resolve) => clock.timer(clock.now() + lastsMs, resolve));
        open -= 1;
        turn.settle(DONE);
      });
      await clock.drive(Promise.all(work));
      assert.equal(pacer.report()[0]?.inFlight ?? 0, 0);
      assert.equal(pacer.report()[0]?.waiting ?? 0, 0);
    }),
    { numRuns: 40 },
  );
});
