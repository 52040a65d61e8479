import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BatchWorld, batchWorld, type WorldEnd } from '../testing/batch-world.ts';
import { foldBatch, newLine, nextAction } from './manifest.ts';

const ENDS: readonly WorldEnd[] = ['done', 'failed', 'done', 'unknown', 'refused', 'done'];
const SELECTION = { pending: true, only: new Set<string>(), unknown: false };

/** What holds whenever a batch is through, however often its processes died. */
function assertPaidOnce(world: BatchWorld, ends: readonly WorldEnd[]): void {
  const { lines } = world.manifest().totals();
  const wanted = (end: WorldEnd) => ends.filter((one) => one === end).length;
  assert.equal(lines.done, wanted('done'));
  assert.equal(lines.unknown, wanted('unknown'));
  assert.equal(lines.failed, wanted('failed') + wanted('refused'));
  assert.equal(world.files.size, wanted('done'));
  assert.equal(world.tasks.size, ends.length - wanted('refused'), 'no line is charged twice');
  assert.equal(new Set(world.posts).size, ends.length, 'one key per line');
}

for (const concurrency of [1, 3]) {
  test(`a process that dies at any moment is followed by one that pays nothing twice; ${concurrency} at once`, async () => {
    const whole = await batchWorld({ ends: ENDS, concurrency }).live();
    for (let diesAt = 1; diesAt <= whole.steps; diesAt++) {
      const world = batchWorld({ ends: ENDS, concurrency });
      assert.equal((await world.live({ diesAt })).result, 'died');
      const finished = new Set(world.journal.filter((event) => event.type === 'done').map(({ line }) => line));
      const sent = world.posts.length;
      assert.deepEqual((await world.live()).result, { capped: false });
      assertPaidOnce(world, ENDS);
      for (const key of world.posts.slice(sent)) {
        assert(!finished.has(Number(key.split('-')[2])), `died at ${diesAt}: ${key} was finished and is sent again`);
      }
    }
  });
}

test('processes that die again and again, anywhere, still pay nothing twice', async () => {
  const end = fc.constantFrom<WorldEnd>('done', 'failed', 'unknown', 'refused');
  const scenario = fc.record({
    ends: fc.array(end, { minLength: 1, maxLength: 8 }),
    concurrency: fc.integer({ min: 1, max: 4 }),
    deaths: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ ends, concurrency, deaths }) => {
      const world = batchWorld({ ends, concurrency });
      for (const diesAt of deaths) await world.live({ diesAt });
      await world.live();
      assertPaidOnce(world, ends);
    }),
    { numRuns: 200 },
  );
});

test('from every prefix of a journal: a finished line has nothing to do, an open one goes on under its key', async () => {
  const world = batchWorld({ ends: ENDS, concurrency: 3 });
  await world.live();
  const lines = ENDS.map((_, index) => newLine(index + 1));
  for (let length = 0; length <= world.journal.length; length++) {
    const prefix = world.journal.slice(0, length);
    for (const state of foldBatch(lines, prefix).lines()) {
      const events = prefix.filter(({ line }) => line === state.line);
      const keys = events.flatMap((event) => (event.type === 'intended' ? [event.key] : []));
      const action = nextAction(state, 'id', SELECTION, 2_000);
      const last = events.at(-1)?.type;
      if (last === undefined)
        assert.deepEqual(action, { kind: 'start', line: state.line, key: `batch-id-${state.line}` });
      else if (last === 'intended') assert(action?.kind === 'repeat' && action.intended.key === keys[0]);
      else if (last === 'accepted') assert(action?.kind === 'follow' && action.task === keys[0]);
      else assert.equal(action, undefined);
      assert(keys.length <= 1);
    }
  }
});

test('under a cap nobody ever pays more, and a process that dies does not lose count', async () => {
  const ends: readonly WorldEnd[] = Array.from({ length: 12 }, (_, index) => (index % 3 === 1 ? 'failed' : 'done'));
  const capped = { ends, concurrency: 3, capUsd: 0.2 };
  const whole = await batchWorld(capped).live();
  assert.deepEqual(whole.result, { capped: true });
  for (let diesAt = 1; diesAt <= whole.steps; diesAt++) {
    const world = batchWorld(capped);
    await world.live({ diesAt });
    await world.live();
    assert.equal(world.tasks.size, 5, `died at ${diesAt}: five times $0.04 fit, what may be billed counts`);
  }
});

test('a retry has a new key, and is recorded before it is sent', async () => {
  const world = batchWorld({ ends: ['failed', 'unknown', 'done'] });
  await world.live();
  await world.live({ selection: { pending: false, only: new Set(['generation_failed']) } });
  assert.deepEqual(world.posts, ['batch-id-1', 'batch-id-2', 'batch-id-3', 'batch-id-1-2']);
  await world.live({ selection: { unknown: true } });
  assert.equal(world.posts.at(-1), 'batch-id-2-2');
  const keys = world.journal.flatMap((event) => (event.type === 'intended' ? [event.key] : []));
  assert.deepEqual(keys, world.posts);
  assert.equal(world.manifest().totals().charged.countedMicros, 5 * 40_000, 'every round counts');
});

test('an interrupt before anything was sent gives the line back', async () => {
  const stop = new AbortController();
  const world = batchWorld({ ends: ['done', 'done'] });
  await world.live({ signal: stop.signal, onStep: (name) => name === 'after append intended' && stop.abort() });
  assert.deepEqual(
    world.journal.map(({ type }) => type),
    ['intended', 'withdrawn'],
  );
  assert.deepEqual(world.posts, []);
  await world.live();
  assert.deepEqual(world.posts, ['batch-id-1', 'batch-id-2'], 'the key it had was never used');
});
