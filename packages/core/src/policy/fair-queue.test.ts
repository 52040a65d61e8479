import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFairClock, type Priority } from './fair-queue.ts';

interface Wanted {
  readonly caller: string;
  readonly priority: Priority;
  readonly cost: number;
}

/** Serves `turns` of what waits, lowest tag first, and tells whom. */
function serve(wanted: readonly Wanted[], turns: number): readonly Wanted[] {
  const clock = createFairClock();
  const waiting = wanted.map((one) => ({
    ...one,
    weight: one.cost,
    ...clock.tag('q', one.caller, one.priority, one.cost),
  }));
  return Array.from({ length: turns }, () => {
    const first = waiting.reduce((best, one) => (one.tag < best.tag ? one : best));
    waiting.splice(waiting.indexOf(first), 1);
    clock.started('q', first.tag);
    return { ...first, cost: first.weight };
  });
}

const many = (caller: string, count: number, priority: Priority = 'interactive', cost = 1): readonly Wanted[] =>
  Array.from({ length: count }, () => ({ caller, priority, cost }));

test('A queues 32 and B one: B is second', () => {
  const order = serve([...many('A', 32), ...many('B', 1)], 3).map((one) => one.caller);
  assert.deepEqual(order, ['A', 'B', 'A']);
});

test('two lanes that always wait differ by the cost of two requests at most', () => {
  const costs = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(costs, costs, (one, other) => {
      const lane = (caller: string, list: readonly number[]) =>
        list.map((cost): Wanted => ({ caller, priority: 'interactive', cost }));
      const served = { A: 0, B: 0 };
      for (const turn of serve([...lane('A', one), ...lane('B', other)], 50)) {
        served[turn.caller === 'A' ? 'A' : 'B'] += turn.cost;
        assert.ok(Math.abs(served.A - served.B) <= 2 * 10);
      }
    }),
  );
});

test('interactive work gets ten turns for one of batch, which is never left out', () => {
  const turns = serve([...many('A', 400), ...many('A', 400, 'batch')], 220);
  const batch = turns.filter((one) => one.priority === 'batch').length;
  assert.ok(batch >= 19 && batch <= 21, `${batch} of 220`);
});

test('a lane that was idle has saved nothing up', () => {
  const clock = createFairClock();
  for (let turn = 0; turn < 100; turn += 1) clock.started('q', clock.tag('q', 'A', 'interactive', 1).tag);
  const late = [1, 2, 3].map(() => clock.tag('q', 'B', 'interactive', 1).tag);
  const next = clock.tag('q', 'A', 'interactive', 1).tag;
  assert.ok((late[0] ?? 0) < next && (late[2] ?? 0) > next);
});

test('it goes on from a store: lanes behind what they have waiting, newcomers beside the first', () => {
  const clock = createFairClock();
  const lanes = [{ caller: 'A', priority: 'batch' as const, lastFinish: 5_320 }];
  clock.restore([{ queue: 'q', head: { tag: 5_000 }, lanes }]);
  assert.deepEqual(clock.tag('q', 'A', 'batch', 1), { tag: 5_320, cost: 10 });
  assert.deepEqual(clock.tag('q', 'B', 'interactive', 1), { tag: 5_000, cost: 1 });
});

test('lanes are bounded, and those that virtual time has passed are forgotten without a trace', () => {
  const clock = createFairClock({ maxLanes: 10 });
  for (let number = 0; number < 1_000; number += 1) {
    const { tag } = clock.tag('q', `caller ${number}`, 'interactive', 1);
    clock.started('q', tag + 1);
  }
  const { tag } = clock.tag('q', 'caller 0', 'interactive', 1);
  assert.equal(tag, 1_000);
});

test('a turn that comes late with a low tag does not set virtual time back', () => {
  const clock = createFairClock();
  clock.started('q', 10);
  clock.started('q', 4);
  assert.equal(clock.tag('q', 'A', 'interactive', 1).tag, 10);
});
