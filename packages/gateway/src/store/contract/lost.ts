import assert from 'node:assert/strict';
import type { LostRequest, NewGeneration } from '../store.ts';
import { createFinished, ids, sampleGeneration, sampleWaiting } from './samples.ts';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

/** Leases of samples end at 100, finished samples end at 50. */
const WANTED: LostRequest = { caller: 'local', fingerprint: 'f', since: 40, settledBefore: 45, now: 60 };

function same(id: string, change: Partial<NewGeneration> = {}): NewGeneration {
  return sampleGeneration(id, { fingerprint: 'f', ...change });
}

export const lost: StoreTests = {
  async 'what was lost is given once, the oldest first, and to its caller and fingerprint alone'(store) {
    await store.create(same('running', { createdAt: 12 }));
    await createFinished(store, same('finished', { createdAt: 11 }));
    await store.create(same('kept', { createdAt: 10 }));
    assert.equal(await store.claimLost(WANTED), undefined);
    await store.markLost(['running', 'finished', 'none'], 55);
    assert.equal(await store.claimLost({ ...WANTED, caller: 'other' }), undefined);
    assert.equal(await store.claimLost({ ...WANTED, fingerprint: 'g' }), undefined);
    assert.equal(await store.claimLost(WANTED), 'finished');
    assert.equal(await store.claimLost(WANTED), 'running');
    assert.equal(await store.claimLost(WANTED), undefined);
  },

  async 'what was taken and lost again is given again'(store) {
    await store.create(same('g'));
    await store.markLost(['g'], 55);
    assert.equal(await store.claimLost(WANTED), 'g');
    await store.markLost(['g'], 56);
    assert.equal(await store.claimLost(WANTED), 'g');
    assert.equal(await store.claimLost({ ...WANTED, now: 1_000, settledBefore: 1_000 }), undefined);
  },

  async 'what nobody delivers any more is given when it settled, or when its lease ended'(store) {
    await createFinished(store, same('finished', { createdAt: 11 }), { finishedAt: 50 });
    await store.create(same('running', { createdAt: 12 }));
    assert.equal(await store.claimLost({ ...WANTED, settledBefore: 50 }), undefined);
    assert.equal(await store.claimLost({ ...WANTED, settledBefore: 51 }), 'finished');
    assert.equal(await store.claimLost({ ...WANTED, settledBefore: 51, now: 99 }), undefined);
    assert.equal(await store.claimLost({ ...WANTED, settledBefore: 51, now: 100 }), 'running');
    assert.equal(await store.claimLost({ ...WANTED, settledBefore: 51, now: 100 }), undefined);
  },

  async 'what ended and was lost too long ago stays, and the later of both counts'(store) {
    await createFinished(store, same('g'), { finishedAt: 50 });
    const late = { ...WANTED, since: 51, settledBefore: 1_000 };
    assert.equal(await store.claimLost(late), undefined);
    await store.markLost(['g'], 50);
    assert.equal(await store.claimLost(late), undefined);
    await store.markLost(['g'], 51);
    assert.equal(await store.claimLost(late), 'g');
    await store.create(same('running'));
    await store.markLost(['running'], 20);
    assert.equal(await store.claimLost(late), 'running');
  },

  async 'what was delivered, what cost nothing and tasks are never given'(store) {
    await createFinished(store, same('delivered'));
    await createFinished(store, same('free'), { status: 'failed', billed: 'no' });
    await store.create(same('task', { task: true }));
    await store.create(sampleWaiting('waiting', 1, {}, { fingerprint: 'f' }));
    await store.markDelivered(['delivered'], 55);
    await store.markLost(['delivered', 'free', 'task', 'waiting'], 55);
    assert.equal(await store.claimLost({ ...WANTED, now: 1_000, settledBefore: 1_000 }), undefined);
  },

  async 'undelivered leaves tasks out, and not what was lost or taken'(store) {
    await store.create(same('task', { task: true }));
    await store.create(sampleWaiting('waiting', 1));
    await createFinished(store, same('finished task', { task: true }));
    await createFinished(store, same('finished', { createdAt: 11 }));
    await store.create(same('running', { createdAt: 12 }));
    await store.markLost(['finished', 'running'], 55);
    await store.claimLost(WANTED);
    assert.deepEqual(ids(await store.undelivered(0, 10)), ['finished', 'running']);
  },
};

export const sharedLost: SharedStoreTests = {
  async 'what was lost at one node is given by another, and once'(store, other) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.create(same(`g${index}`))));
    await store.markLost(
      Array.from({ length: 20 }, (_, index) => `g${index}`),
      55,
    );
    const claims = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? store : other).claimLost(WANTED));
    const given = (await Promise.all(claims)).filter((id) => id !== undefined);
    assert.equal(new Set(given).size, given.length, 'one given twice');
    assert.equal(given.length, 20);
  },
};
