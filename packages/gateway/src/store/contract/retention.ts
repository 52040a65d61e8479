import assert from 'node:assert/strict';
import { createFinished, ids, sampleAsset, sampleGeneration, sampleWaiting } from './samples.ts';
import type { StoreTests } from './store-tests.ts';

export const retention: StoreTests = {
  async 'what is older than the bound goes whole, and only when it is finished'(store) {
    const idempotency = { key: 'k', expiresAt: 900 };
    await createFinished(store, sampleGeneration('old', { idempotency, assets: [sampleAsset('a', 5)] }), {
      assets: [sampleAsset('b', 7)],
    });
    await store.create(sampleGeneration('unfinished', { assets: [sampleAsset('c', 9)] }));
    await store.create(sampleWaiting('waiting', 1, {}, { assets: [sampleAsset('e', 9)] }));
    await createFinished(store, sampleGeneration('young', { createdAt: 20 }), { assets: [sampleAsset('d', 3)] });
    const { assets: unused } = await store.expire({ createdBefore: 20, excessBytes: 0, limit: 10 });
    assert.deepEqual(
      unused.toSorted((a, b) => a.bytes - b.bytes),
      [sampleAsset('a', 5), sampleAsset('b', 7)],
    );
    assert.equal(await store.read('old'), undefined);
    assert.deepEqual(ids(await store.list({ limit: 10 })), ['young', 'waiting', 'unfinished']);
    const scope = { caller: 'local', endpoint: '/v1/images/generations', key: 'k' };
    assert.equal(await store.findIdempotent(scope, 11), undefined);
    assert.deepEqual(await store.create(sampleGeneration('old')), { kind: 'created' });
    assert.deepEqual((await store.read('old'))?.journals, [[]]);
  },

  async 'beyond the bytes the oldest go until the rest fits'(store) {
    for (const [index, letter] of ['a', 'b', 'c', 'd'].entries()) {
      await createFinished(store, sampleGeneration(letter, { createdAt: index }), {
        assets: [sampleAsset(letter, 10)],
      });
    }
    const nothing = { generations: 0, assets: [] };
    assert.deepEqual(
      await store.expire({ createdBefore: 0, excessBytes: (await store.storedBytes()) - 40, limit: 10 }),
      nothing,
    );
    const expired = await store.expire({ createdBefore: 0, excessBytes: (await store.storedBytes()) - 25, limit: 10 });
    assert.deepEqual(expired, { generations: 2, assets: [sampleAsset('a', 10), sampleAsset('b', 10)] });
    assert.deepEqual(ids(await store.list({ limit: 10 })), ['d', 'c']);
  },

  async 'an asset goes with the last generation that refers to it'(store) {
    const shared = sampleAsset('a', 10);
    await createFinished(store, sampleGeneration('first', { createdAt: 1 }), { assets: [shared, shared] });
    await store.create(sampleGeneration('second', { createdAt: 2, assets: [shared] }));
    await createFinished(store, sampleGeneration('third', { createdAt: 3 }), { assets: [shared] });
    const bounds = { createdBefore: 100, excessBytes: 0 };
    assert.deepEqual(await store.expire({ ...bounds, limit: 10 }), { generations: 2, assets: [] });
    assert.deepEqual(ids(await store.list({ limit: 10 })), ['second']);
  },

  async 'one call removes no more generations than its limit'(store) {
    for (const name of ['a', 'b', 'c']) await createFinished(store, sampleGeneration(name));
    await store.expire({ createdBefore: 100, excessBytes: 0, limit: 2 });
    assert.deepEqual(ids(await store.list({ limit: 10 })), ['c']);
  },
};
