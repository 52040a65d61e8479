import assert from 'node:assert/strict';
import { LostRunError } from '../store.ts';
import { createFinished, ids, LEASE, sampleFence, sampleGeneration, started, WORKER } from './samples.ts';
import type { StoreTests } from './store-tests.ts';

export const leases: StoreTests = {
  async 'claim takes what is unfinished and nobody holds, oldest first, with its journals'(store) {
    await store.create(sampleGeneration('young', { createdAt: 12 }));
    await store.create(sampleGeneration('old', { createdAt: 11, runs: 2 }));
    await store.create(sampleGeneration('held', { createdAt: 10, begin: { lease: { ...LEASE, until: 101 } } }));
    await createFinished(store, sampleGeneration('finished', { createdAt: 9 }));
    await store.append(sampleFence('old', 0, { run: 1 }), [started(1)]);
    assert.deepEqual(await store.claim('worker-b', 99, 200, 10), []);
    const claimed = await store.claim('worker-b', 100, 200, 10);
    assert.deepEqual(ids(claimed), ['old', 'young']);
    assert.deepEqual(claimed[0], await store.read('old'));
    assert.deepEqual(claimed[0]?.journals, [[], [started(1)]]);
  },

  async 'whoever lost a lease is shut out, and whoever took it goes on'(store) {
    await store.create(sampleGeneration('g'));
    await store.claim('worker-b', 100, 200, 1);
    await assert.rejects(store.append(sampleFence('g', 0), [started(1)]), LostRunError);
    await store.append(sampleFence('g', 0, { worker: 'worker-b' }), [started(2)]);
    assert.deepEqual((await store.read('g'))?.journals, [[started(2)]]);
  },

  async 'two workers never claim the same generation'(store) {
    const names = Array.from({ length: 30 }, (_, index) => `g${index}`);
    await Promise.all(names.map((name) => store.create(sampleGeneration(name))));
    const claims = ['b', 'c', 'b', 'c', 'b', 'c', 'b'].map((worker) => store.claim(worker, 100, 200, 5));
    const claimed = (await Promise.all(claims)).flatMap(ids);
    assert.deepEqual([...claimed].sort(), [...names].sort());
  },

  async 'a lease is renewed by its worker alone'(store) {
    await store.create(sampleGeneration('mine'));
    await store.create(sampleGeneration('foreign', { begin: { lease: { ...LEASE, worker: 'worker-b' } } }));
    await store.renew(WORKER, ['mine', 'foreign', 'none'], 500);
    assert.deepEqual(ids(await store.claim('worker-c', 100, 900, 10)), ['foreign']);
    assert.deepEqual(ids(await store.claim('worker-c', 499, 900, 10)), []);
    assert.deepEqual(ids(await store.claim('worker-c', 500, 900, 10)), ['mine']);
  },

  async 'undelivered are those never marked, unfinished or finished from an instant on, oldest first'(store) {
    await store.create(sampleGeneration('unfinished', { createdAt: 30, caller: 'someone' }));
    await createFinished(store, sampleGeneration('early', { createdAt: 20 }));
    await createFinished(store, sampleGeneration('delivered', { createdAt: 25 }));
    await createFinished(store, sampleGeneration('before', { createdAt: 19 }), { finishedAt: 49 });
    await createFinished(store, sampleGeneration('free', { createdAt: 21 }), { status: 'failed', billed: 'no' });
    await store.markDelivered(['delivered', 'none'], 70);
    await store.markDelivered(['delivered'], 80);
    assert.deepEqual(await store.undelivered(50, 10), [
      { id: 'early', caller: 'local', fingerprint: 'fingerprint of early', createdAt: 20, finishedAt: 50 },
      { id: 'unfinished', caller: 'someone', fingerprint: 'fingerprint of unfinished', createdAt: 30 },
    ]);
    assert.deepEqual(ids(await store.undelivered(50, 1)), ['early']);
    assert.equal((await store.read('delivered'))?.deliveredAt, 70);
  },
};
