import assert from 'node:assert/strict';
import type { CachedPictures } from '@onetake/core';
import type { CacheBounds, NewCacheEntry } from '../cache.ts';
import type { AssetRow, Store } from '../store.ts';
import { createFinished, sampleAsset, sampleGeneration } from './samples.ts';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

type Image = CachedPictures['images'][number];

function image({ hash, bytes }: AssetRow): Image {
  return { asset: { hash, bytes, type: 'png', width: 1, height: 1, animated: false, alpha: false }, seed: 7 };
}

/** Of one picture of `bytes` bytes, made at 100. */
export function sampleCacheEntry(key: string, bytes = 10, change: Partial<NewCacheEntry> = {}): NewCacheEntry {
  const assets = change.assets ?? [sampleAsset(key.slice(0, 1), bytes)];
  const made = { caller: 'local', target: 'sandbox/fast', generation: 'g', costUsd: 0.25, createdAt: 100 };
  return { key, ...made, images: assets.map(image), assets, ...change };
}

const BOUNDS: CacheBounds = { createdBefore: 0, maxBytes: 1e15, maxEntries: 1e9, now: 1_000, limit: 100 };

async function keysIn(store: Store, keys: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(keys.map((key) => store.cacheGet(key)));
  return keys.filter((_, index) => found[index] !== undefined);
}

export const cache: StoreTests = {
  async 'what was put is got again whole, and nothing else'(store) {
    const { assets, ...stored } = sampleCacheEntry('a', 10, { assets: [sampleAsset('a', 10), sampleAsset('b', 5)] });
    assert.equal(await store.cacheGet('a'), undefined);
    assert.equal(await store.cachePut({ ...stored, assets }), true);
    assert.deepEqual(await store.cacheGet('a'), stored);
    const { costUsd: _, ...unpriced } = sampleCacheEntry('b');
    await store.cachePut(unpriced);
    assert.equal('costUsd' in ((await store.cacheGet('b')) ?? { costUsd: 1 }), false);
  },

  async 'what stands under a key stays'(store) {
    const puts = await Promise.all([1, 2, 3].map((bytes) => store.cachePut(sampleCacheEntry('a', bytes))));
    assert.deepEqual(puts, [true, false, false]);
    assert.equal((await store.cacheGet('a'))?.images[0]?.asset.bytes, 1);
    assert.equal((await store.cacheStats({})).bytes, 1);
  },

  async 'retention leaves what is cached, and what is evicted goes unless a generation refers to it'(store) {
    const [kept, shared] = [sampleAsset('a', 10), sampleAsset('b', 10)];
    await createFinished(store, sampleGeneration('old'), { assets: [kept, shared] });
    await createFinished(store, sampleGeneration('young', { createdAt: 500 }), { assets: [shared] });
    await store.cachePut(sampleCacheEntry('k', 0, { assets: [kept, shared] }));
    const expired = await store.expire({ createdBefore: 100, excessBytes: 0, limit: 10 });
    assert.deepEqual(expired, { generations: 1, assets: [] });
    const evicted = await store.cacheEvict({ ...BOUNDS, createdBefore: 101 });
    assert.deepEqual(evicted, { entries: 1, bytes: 20, left: { entries: 0, bytes: 0 }, assets: [kept] });
    assert.deepEqual((await store.expire({ createdBefore: 501, excessBytes: 0, limit: 10 })).assets, [shared]);
  },

  async 'cached bytes do not push generations out'(store) {
    const [cached, other] = [sampleAsset('a', 1_000), sampleAsset('b', 10)];
    await createFinished(store, sampleGeneration('first'), { assets: [cached] });
    await createFinished(store, sampleGeneration('second', { createdAt: 20 }), { assets: [other] });
    await store.cachePut(sampleCacheEntry('k', 0, { assets: [cached] }));
    const bounds = { createdBefore: 0, limit: 10 };
    assert.equal(await store.storedBytes(), 10);
    assert.equal((await store.expire({ ...bounds, excessBytes: 0 })).generations, 0);
    assert.deepEqual(await store.expire({ ...bounds, excessBytes: 1 }), { generations: 2, assets: [other] });
    assert.ok(await store.cacheGet('k'));
  },

  async 'what was unused for longest goes until the rest fits'(store) {
    for (const key of ['a', 'b', 'c', 'd']) await store.cachePut(sampleCacheEntry(key));
    await store.cacheUsed([
      { key: 'a', hits: 2, at: 300 },
      { key: 'none', hits: 1, at: 300 },
      { key: 'c', hits: 1, at: 200 },
    ]);
    const one = await store.cacheEvict({ ...BOUNDS, maxBytes: 39 });
    assert.deepEqual([one.entries, one.bytes, one.left.bytes, one.assets], [1, 10, 30, [sampleAsset('b', 10)]]);
    const two = await store.cacheEvict({ ...BOUNDS, maxEntries: 1 });
    assert.deepEqual([two.entries, two.left], [2, { entries: 1, bytes: 10 }]);
    assert.deepEqual(await keysIn(store, ['a', 'b', 'c', 'd']), ['a']);
    assert.equal((await store.cacheEvict({ ...BOUNDS, maxBytes: 10 })).entries, 0);
  },

  async 'what is too old goes, however often it was used, and no call removes more than its limit'(store) {
    for (const key of ['a', 'b', 'c', 'd']) {
      await store.cachePut(sampleCacheEntry(key, 10, { createdAt: key.charCodeAt(0) }));
    }
    await store.cacheUsed([{ key: 'a', hits: 9, at: 900 }]);
    const old = { ...BOUNDS, createdBefore: 'd'.charCodeAt(0), limit: 2 };
    assert.equal((await store.cacheEvict(old)).entries, 2);
    assert.deepEqual(await keysIn(store, ['a', 'b', 'c', 'd']), ['c', 'd']);
    assert.equal((await store.cacheEvict({ ...old, maxBytes: 0, limit: 100 })).entries, 2);
  },

  async 'stats tell what there is, what it saved, and of whom'(store) {
    assert.deepEqual(await store.cacheStats({}), { entries: 0, bytes: 0, hits: 0, savedUsd: 0, targets: [] });
    await store.cachePut(sampleCacheEntry('a', 10));
    await store.cachePut(sampleCacheEntry('b', 30, { target: 'sandbox/slow', createdAt: 50 }));
    await store.cachePut(sampleCacheEntry('c', 5, { caller: 'other' }));
    await store.cacheUsed([{ key: 'a', hits: 3, at: 200 }]);
    await store.cacheUsed([{ key: 'a', hits: 1, at: 150 }]);
    assert.deepEqual(await store.cacheStats({ caller: 'local' }), {
      ...{ entries: 2, bytes: 40, hits: 4, savedUsd: 1, oldestAt: 50 },
      targets: [
        { target: 'sandbox/slow', entries: 1, bytes: 30, hits: 0, savedUsd: 0 },
        { target: 'sandbox/fast', entries: 1, bytes: 10, hits: 4, savedUsd: 1 },
      ],
    });
    assert.deepEqual((await store.cacheStats({ target: 'sandbox/fast' })).entries, 2);
  },

  async 'clear removes what its filter names, and no more than its limit'(store) {
    await store.cachePut(sampleCacheEntry('a'));
    await store.cachePut(sampleCacheEntry('b', 10, { target: 'sandbox/slow' }));
    await store.cachePut(sampleCacheEntry('c', 10, { caller: 'other' }));
    await store.cachePut(sampleCacheEntry('d', 10, { caller: 'other' }));
    assert.equal((await store.cacheClear({ caller: 'local', target: 'none' }, 10)).entries, 0);
    assert.equal((await store.cacheClear({ caller: 'other', key: 'a' }, 10)).entries, 0);
    const cleared = await store.cacheClear({ caller: 'local', target: 'sandbox/slow' }, 10);
    assert.deepEqual(cleared, {
      ...{ entries: 1, bytes: 10, left: { entries: 3, bytes: 30 } },
      assets: [sampleAsset('b', 10)],
    });
    assert.equal((await store.cacheClear({ key: 'a' }, 10)).entries, 1);
    assert.equal((await store.cacheClear({}, 1)).entries, 1);
    assert.deepEqual(await keysIn(store, ['a', 'b', 'c', 'd']), ['d']);
    for (const limit of [0, 1.5, 1_001]) {
      await assert.rejects(store.cacheClear({}, limit), /limit/);
      await assert.rejects(store.cacheEvict({ ...BOUNDS, limit }), /limit/);
    }
  },

  async 'a key that was cleared is free for another'(store) {
    await store.cachePut(sampleCacheEntry('a', 10));
    await store.cacheClear({ key: 'a' }, 1);
    assert.equal(await store.cachePut(sampleCacheEntry('a', 20)), true);
    assert.equal((await store.cacheStats({})).bytes, 20);
  },

  async 'one generation holds a key until it is released, taken over, or its claim ends'(store) {
    const claim = (generation: string, now: number, from?: string) =>
      store.cacheClaim({ key: 'k', generation, until: now + 100 }, now, from);
    assert.deepEqual(await claim('a', 10), { generation: 'a', since: 10 });
    assert.deepEqual(await claim('b', 20), { generation: 'a', since: 10 });
    assert.deepEqual(await claim('b', 20, 'other'), { generation: 'a', since: 10 });
    assert.deepEqual(await claim('b', 21, 'a'), { generation: 'b', since: 21 });
    assert.deepEqual(await claim('c', 121), { generation: 'c', since: 121 });
    await store.cacheRelease('k', 'b');
    assert.deepEqual(await claim('d', 122), { generation: 'c', since: 121 });
    await store.cacheRelease('k', 'c');
    assert.deepEqual(await claim('d', 123), { generation: 'd', since: 123 });
    await store.cacheEvict({ ...BOUNDS, now: 223 });
    assert.deepEqual(await claim('e', 200), { generation: 'e', since: 200 }, 'a claim that ended is swept');
  },

  async 'of many claims at once one wins, and all are told the same'(store) {
    const claims = Array.from({ length: 50 }, (_, index) =>
      store.cacheClaim({ key: 'k', generation: `g${index}`, until: 100 }, 10),
    );
    assert.equal(new Set((await Promise.all(claims)).map(({ generation }) => generation)).size, 1);
  },
};

export const sharedCache: SharedStoreTests = {
  async 'what one node put another gets, counts and clears'(store, other) {
    const { assets, ...stored } = sampleCacheEntry('a');
    await store.cachePut({ ...stored, assets });
    assert.deepEqual(await other.cacheGet('a'), stored);
    await other.cacheUsed([{ key: 'a', hits: 1, at: 200 }]);
    assert.equal((await store.cacheStats({})).hits, 1);
    assert.deepEqual((await other.cacheClear({}, 10)).assets, assets);
    assert.equal(await store.cacheGet('a'), undefined);
  },

  async 'of the claims of two nodes one wins'(store, other) {
    for (let round = 0; round < 10; round += 1) {
      const key = `k${round}`;
      const claims = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).cacheClaim({ key, generation: `g${index}`, until: 100 }, 10),
      );
      assert.equal(new Set((await Promise.all(claims)).map(({ generation }) => generation)).size, 1);
    }
  },

  async 'a picture that is evicted here while a generation there begins to refer to it is never half gone'(
    store,
    other,
  ) {
    for (let round = 0; round < 20; round += 1) {
      const asset = { ...sampleAsset('a', 10), hash: String(round).padStart(64, 'a') };
      await store.cachePut(sampleCacheEntry(`k${round}`, 0, { assets: [asset] }));
      const [evicted] = await Promise.all([
        store.cacheEvict({ ...BOUNDS, maxBytes: 0 }),
        other.create(sampleGeneration(`g${round}`, { assets: [asset] })),
      ]);
      await other.append({ generation: `g${round}`, run: 0, length: 0, worker: 'worker-a' }, [FINISHED], {
        ...{ status: 'completed', finishedAt: 50, billed: 'yes', assets: [] },
      });
      const expired = await other.expire({ createdBefore: 1_000, excessBytes: 0, limit: 10 });
      // Whoever was first: the picture is reported as free at the last reference, once or, put anew, by each.
      assert.ok(
        expired.assets.some(({ hash }) => hash === asset.hash),
        `round ${round}: ${evicted.assets.length}`,
      );
    }
  },
};

const FINISHED = { type: 'attempt-started', at: 21, attempt: 1, target: 'sandbox/fast' } as const;
