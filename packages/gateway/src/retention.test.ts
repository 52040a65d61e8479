import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Io } from '@onetake/core';
import { startRetention } from './retention.ts';
import type { Expired } from './store/retention.ts';
import type { Store } from './store/store.ts';

/** Retention whose timers and sweeps end by hand; `timers` are those that neither fired nor were canceled. */
function started() {
  const timers = new Set<() => void>();
  const sweeps: PromiseWithResolvers<Expired>[] = [];
  const io: Pick<Io, 'now' | 'timer'> = {
    now: () => 0,
    timer: (_at, callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  const store: Pick<Store, 'expire' | 'storedBytes'> = {
    storedBytes: async () => 0,
    expire: () => {
      const sweep = Promise.withResolvers<Expired>();
      sweeps.push(sweep);
      return sweep.promise;
    },
  };
  const stop = startRetention({
    store: store as Store,
    io: io as Io,
    assets: { remove: async () => {} },
    ...{ days: 1, ledgerDays: 2 },
    bytes: 1,
    onError: (error) => assert.fail(String(error)),
  });
  const fire = () => {
    for (const callback of timers) {
      timers.delete(callback);
      callback();
    }
  };
  const finishSweep = async () => {
    sweeps.shift()?.resolve({ generations: 0, assets: [] });
    await nextTurn();
  };
  return { stop, fire, finishSweep, timers, sweeps };
}

test('a sweep is followed by the next', async () => {
  const { fire, finishSweep, timers, sweeps } = started();
  fire();
  await nextTurn();
  assert.deepEqual([timers.size, sweeps.length], [0, 1]);
  await finishSweep();
  assert.equal(timers.size, 1);
});

test('stopped between two sweeps or during one, it stays stopped', async () => {
  const between = started();
  between.stop();
  assert.equal(between.timers.size, 0);
  const during = started();
  during.fire();
  await nextTurn();
  during.stop();
  await during.finishSweep();
  assert.equal(during.timers.size, 0);
});
