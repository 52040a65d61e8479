import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import { keepAnswer } from './kept.ts';
import { passing } from './testing/passing.ts';

function slowStore(tookMs: number) {
  const clock = createVirtualClock();
  const state = { asked: 0, fails: false };
  const ask = async () => {
    state.asked += 1;
    const count = state.asked;
    if (tookMs > 0) await new Promise<void>((resolve) => clock.timer(clock.now() + tookMs, resolve));
    if (state.fails) throw new Error('away');
    return count;
  };
  return { clock, state, kept: keepAnswer(clock, 1_000, ask) };
}

test('an answer serves everybody until it is old', async () => {
  const { clock, kept } = slowStore(0);
  assert.deepEqual(await Promise.all([kept(), kept()]), [1, 1]);
  await passing(clock, 999);
  assert.equal(await kept(), 1);
  await passing(clock, 1);
  assert.equal(await kept(), 2);
});

test('what takes long is asked seldom: at most a twentieth of the time goes into it', async () => {
  const { clock, state, kept } = slowStore(500);
  for (let second = 0; second < 100; second += 1) {
    void kept();
    await passing(clock, 1_000);
  }
  assert.ok(state.asked <= 10, `asked ${state.asked} times`);
});

test('while the store is away the last answer stands; without one it is said', async () => {
  const { clock, state, kept } = slowStore(0);
  state.fails = true;
  await assert.rejects(kept(), /away/);
  state.fails = false;
  assert.equal(await kept(), 2);
  state.fails = true;
  await passing(clock, 1_000);
  assert.equal(await kept(), 2);
});

test('a clock that was set back does not make an answer last', async () => {
  let now = 86_400_000;
  let asked = 0;
  const kept = keepAnswer({ now: () => now }, 1_000, async () => ++asked);
  await kept();
  now = 0;
  assert.deepEqual([await kept(), await kept()], [2, 2]);
});
