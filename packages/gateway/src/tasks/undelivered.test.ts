import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LostRequest } from '../store/store.ts';
import { createSharedUndelivered, createUndelivered, type UndeliveredEntry } from './undelivered.ts';

const entry = (id: string, since = 0, change: Partial<UndeliveredEntry> = {}): UndeliveredEntry => ({
  id,
  caller: 'alice',
  fingerprint: 'fox',
  since,
  ...change,
});
const rig = (maxEntries = 100) => {
  const undelivered = createUndelivered({ windowMs: 1_000, maxEntries });
  const claim = async (now = 0, { caller = 'alice', fingerprint = 'fox', isRetry = false } = {}) =>
    (await undelivered.claim(caller, fingerprint, isRetry, now))?.id;
  return { undelivered, claim };
};

test('what a caller lost is given to its next identical request, once', async () => {
  const { undelivered, claim } = rig();
  undelivered.lost(entry('one'));
  assert.equal(await claim(0, { caller: 'bob' }), undefined);
  assert.equal(await claim(0, { fingerprint: 'owl' }), undefined);
  assert.equal(await claim(), 'one');
  assert.equal(await claim(), undefined);
});

test('what was written and may have arrived is given only to a client that says it repeats itself', async () => {
  const { undelivered, claim } = rig();
  undelivered.unconfirmed(entry('written'));
  assert.equal(await claim(), undefined);
  assert.equal(await claim(0, { isRetry: true }), 'written');
});

test('what is lost for certain goes before what may have arrived, the oldest first', async () => {
  const { undelivered, claim } = rig();
  undelivered.unconfirmed(entry('written'));
  undelivered.lost(entry('first'));
  undelivered.lost(entry('second'));
  const claimed = [];
  for (let claims = 0; claims < 4; claims += 1) claimed.push(await claim(0, { isRetry: true }));
  assert.deepEqual(claimed, ['first', 'second', 'written', undefined]);
});

test('what arrived in the end is nobody’s to claim', async () => {
  const { undelivered, claim } = rig();
  undelivered.unconfirmed(entry('one'));
  undelivered.lost(entry('one'));
  undelivered.remove('one');
  assert.equal(await claim(0, { isRetry: true }), undefined);
});

test('after its window an entry is not given out any more', async () => {
  const { undelivered, claim } = rig();
  undelivered.lost(entry('old', 0));
  undelivered.lost(entry('new', 500));
  assert.equal(await claim(1_001), 'new');
  assert.equal(await claim(1_001), undefined);
  undelivered.lost(entry('edge', 0));
  assert.equal(await claim(1_000), 'edge');
});

test('entries are bounded: the oldest is forgotten', async () => {
  const { undelivered, claim } = rig(2);
  for (const id of ['one', 'two', 'three']) undelivered.lost(entry(id));
  assert.deepEqual([await claim(), await claim(), await claim()], ['two', 'three', undefined]);
});

test('in the store, an ordinary request is given only what no node can still be delivering', async () => {
  const wanted: LostRequest[] = [];
  const marked: unknown[] = [];
  const errors: unknown[] = [];
  const store = {
    markLost: async (ids: readonly string[], at: number) => {
      marked.push([ids, at]);
      if (ids.includes('bad')) throw new Error('the store is away');
    },
    claimLost: async (request: LostRequest) => {
      wanted.push(request);
      return request.caller === 'alice' ? 'gen_1' : undefined;
    },
  };
  const shared = createSharedUndelivered(store, { windowMs: 60_000, onError: (error) => errors.push(error) });
  assert.equal((await shared.claim('alice', 'fox', false, 100_000))?.id, 'gen_1');
  assert.equal(await shared.claim('bob', 'fox', true, 100_000), undefined);
  assert.deepEqual(
    wanted.map(({ since, settledBefore }) => [since, settledBefore]),
    [
      [40_000, 90_000],
      [40_000, 100_000],
    ],
  );
  shared.lost(entry('gen_2', 7));
  shared.lost(entry('bad', 8));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    [marked, errors.length],
    [
      [
        [['gen_2'], 7],
        [['bad'], 8],
      ],
      1,
    ],
  );
});
