import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import { createFeed } from './feed.ts';
import { passing } from './testing/passing.ts';

/** A feed of a number that the test sets; `looks` counts how often it was looked at. */
function numbered() {
  const clock = createVirtualClock();
  const state = { value: 1, looks: 0, fails: false };
  const errors: unknown[] = [];
  const feed = createFeed({
    io: clock,
    look: async () => {
      state.looks += 1;
      if (state.fails) throw new Error('away');
      return { at: clock.now(), value: state.value };
    },
    onError: (error) => errors.push(error),
  });
  const listen = () => {
    const heard: number[] = [];
    const end = feed.listen((data) => heard.push(JSON.parse(data).value));
    return { heard, end };
  };
  return { clock, state, errors, feed, listen };
}

test('who listens hears what stands at once, changes within a second, and something every ten', async () => {
  const { clock, state, listen } = numbered();
  const { heard, end } = listen();
  await passing(clock, 0);
  assert.deepEqual(heard, [1]);
  await passing(clock, 5_000);
  assert.deepEqual(heard, [1], 'nothing changed');
  state.value = 2;
  await passing(clock, 1_000);
  assert.deepEqual(heard, [1, 2]);
  await passing(clock, 9_000);
  assert.deepEqual(heard, [1, 2]);
  await passing(clock, 1_000);
  assert.deepEqual(heard, [1, 2, 2]);
  end?.();
});

test('a hundred listeners cost one look a second, the next one is refused, and nobody costs none', async () => {
  const { clock, state, listen } = numbered();
  const all = Array.from({ length: 100 }, listen);
  assert.equal(listen().end, undefined);
  await passing(clock, 10_000);
  assert.ok(state.looks <= 11, `${state.looks} looks`);
  for (const { heard } of all) assert.deepEqual(heard.slice(0, 1), [1]);
  for (const { end } of all) end?.();
  const before = state.looks;
  await passing(clock, 60_000);
  assert.equal(state.looks, before);
  assert.notEqual(listen().end, undefined);
});

test('a look that fails is told of, and tried again a second later', async () => {
  const { clock, state, errors, listen } = numbered();
  state.fails = true;
  const { heard, end } = listen();
  await passing(clock, 2_000);
  assert.ok(errors.length >= 2);
  state.fails = false;
  await passing(clock, 1_000);
  assert.deepEqual(heard, [1]);
  end?.();
});

test('a look of less than a second ago serves again, and those who ask together share one', async () => {
  const { clock, state, feed } = numbered();
  await Promise.all([feed.latest(), feed.latest()]);
  await feed.latest();
  assert.equal(state.looks, 1);
  await passing(clock, 1_000);
  await feed.latest();
  assert.equal(state.looks, 2);
});

test('who leaves while a look is under way leaves no timer, and who comes back begins no second one', async () => {
  const clock = createVirtualClock();
  let [looks, isLooking, takesMs] = [0, false, 500];
  const slow = async () => {
    looks += 1;
    isLooking = true;
    await new Promise<void>((resolve) => clock.timer(clock.now() + takesMs, resolve));
    isLooking = false;
    return { looks };
  };
  const feed = createFeed({ io: clock, look: slow, onError: (fault) => assert.fail(String(fault)) });
  const untilLooking = async () => {
    while (!isLooking) await passing(clock, 50);
  };
  const first = feed.listen(() => {});
  await passing(clock, 600);
  await untilLooking();
  first?.();
  const second = feed.listen(() => {});
  takesMs = 1;
  await passing(clock, 2_000);
  const [from, before] = [clock.now(), looks];
  await passing(clock, 15_000);
  assert.ok(looks - before <= 16, `${looks - before} looks in ${clock.now() - from} ms`);
  takesMs = 500;
  await untilLooking();
  second?.();
  await passing(clock, 3_000);
  const after = looks;
  await passing(clock, 30_000);
  assert.equal(looks, after);
});

test('a clock that was set back does not make a look last', async () => {
  let now = 86_400_000;
  let looks = 0;
  const io = { now: () => now, timer: () => () => {} };
  const feed = createFeed({
    io,
    look: async () => ({ looks: ++looks }),
    onError: (error) => assert.fail(String(error)),
  });
  await feed.latest();
  now = 0;
  assert.deepEqual([await feed.latest(), await feed.latest()], [{ looks: 2 }, { looks: 2 }]);
});
