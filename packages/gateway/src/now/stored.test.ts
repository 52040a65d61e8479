import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import type { ManagedKey } from '../keys/key.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { createStored, type StoredOptions } from './stored.ts';

const DAY_MS = 86_400_000;
const NOON = 20_000 * DAY_MS + DAY_MS / 2;

function key(name: string, change: Partial<ManagedKey> = {}): ManagedKey {
  return { name, digest: name, hint: 'ot_a', createdAt: 0, ...change };
}

/** A store that holds nothing, where a test does not say otherwise. */
function storedWith(store: Partial<StoredOptions['store']>, keys: readonly ManagedKey[] = []) {
  const clock = createVirtualClock(NOON);
  const nothing: StoredOptions['store'] = {
    ...{ costs: async () => [], uses: async () => [], failures: async () => [], list: async () => [] },
    ...{
      undelivered: async () => [],
      listWebhooks: async () => [],
      queues: async () => [],
      storedBytes: async () => 0,
    },
  };
  const list = () => keys;
  return createStored({ store: { ...nothing, ...store }, keys: { list }, io: clock, attachWindowMs: 900_000 });
}

test('every question is one that a real store answers', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.after(() => store.close());
  const budget = { microUsd: 5_000_000, per: 'day' } as const;
  const stored = storedWith(store, [key('web', { budget })]);
  assert.deepEqual(await stored.today(), { microUsd: 0, unpriced: 0 });
  const [only] = await stored.budgets();
  assert.deepEqual([only?.key, only?.window.most, only?.use], ['web', 5_000_000, { spent: 0, held: 0 }]);
  assert.deepEqual([await stored.failures(), await stored.queues()], [[], []]);
  assert.deepEqual([await stored.unknownOutcomes(), await stored.undelivered(), await stored.storedBytes()], [0, 0, 0]);
  assert.deepEqual(await stored.webhooks(), { waiting: 0, givenUp: 0 });
  assert.ok(stored.isUp());
});

test('today begins at midnight of UTC', async () => {
  const asked: unknown[] = [];
  const stored = storedWith({
    costs: async ({ since, until, by }) => {
      asked.push([since, until, by]);
      return [];
    },
  });
  await stored.today();
  assert.deepEqual(asked, [[NOON - DAY_MS / 2, NOON + 1, []]]);
});

test('what is still being made, or on its way, is not undelivered', async () => {
  const row = { id: 'gen_1', caller: 'a', fingerprint: 'f', createdAt: 1 };
  const onItsWay = { ...row, id: 'gen_3', finishedAt: NOON - 9_000 };
  const rows = [row, { ...row, id: 'gen_2', finishedAt: NOON - 10_000 }, onItsWay];
  assert.equal(await storedWith({ undelivered: async () => rows }).undelivered(), 1);
});

test('budgets are those of keys that can be used, at most 100', async () => {
  const images = { count: 10, per: 'total' } as const;
  const many = Array.from({ length: 150 }, (_, index) => key(`k${index}`, { images }));
  const gone = [key('revoked', { images, revokedAt: 1 }), key('expired', { images, expiresAt: NOON }), key('free')];
  const budgets = await storedWith({}, [...gone, ...many]).budgets();
  assert.equal(budgets.length, 100);
  assert.equal(budgets[0]?.key, 'k0');
});

test('of many budgets the fullest are told, wherever their keys stand', async () => {
  const images = { count: 10, per: 'total' } as const;
  const many = Array.from({ length: 400 }, (_, index) => key(`k${index}`, { images }));
  const uses: StoredOptions['store']['uses'] = async (name, windows) =>
    windows.map((window) => ({ name: window.name, spent: name === 'k399' ? 9 : 1, held: 0 }));
  const [fullest, ...others] = await storedWith({ uses }, many).budgets();
  assert.deepEqual([fullest?.key, fullest?.use.spent, others.length], ['k399', 9, 99]);
});

test('a store that does not answer is down until it does', async () => {
  let isAway = true;
  const stored = storedWith({
    queues: async () => {
      if (isAway) throw new Error('away');
      return [];
    },
  });
  await assert.rejects(stored.queues());
  assert.equal(stored.isUp(), false);
  isAway = false;
  await stored.queues();
  assert.equal(stored.isUp(), true);
});
