import type { Io } from '@onetake/core';
import type { DiskAssets } from '../assets/disk.ts';
import type { CacheFilter, NewCacheEntry } from '../store/cache.ts';
import type { AssetRow, Evicted, PictureCache } from '../store/store.ts';

export interface CacheLimits {
  /** Of all cached pictures together. */
  readonly bytes: number;
  readonly maxAgeMs: number;
}

export interface CacheRoomOptions {
  readonly store: Pick<PictureCache, 'cacheGet' | 'cachePut' | 'cacheEvict' | 'cacheClear'>;
  readonly assets: Pick<DiskAssets, 'remove'>;
  readonly io: Pick<Io, 'now'>;
  readonly limits: CacheLimits;
}

/** Puts entries into the cache without ever letting it pass its bounds, and removes the files of what went. */
export interface CacheRoom {
  /** Resolves when it is kept; false where it is not worth it, or there is as good a one already. */
  put(entry: NewCacheEntry): Promise<boolean>;
  /** Takes out what is too old and what does not fit, and counts again what other nodes put in. */
  sweep(): Promise<void>;
  clear(filter: CacheFilter): Promise<Cleared>;
}

export interface Cleared {
  readonly entries: number;
  readonly bytes: number;
  /** There is more that the filter names, for another call. */
  readonly more: boolean;
}

/** Keeps sums and sweeps quick whatever the pictures weigh. */
const MAX_ENTRIES = 100_000;
/** Beyond this what was made is simply not kept. */
const MAX_WAITING = 10_000;
const AT_ONCE = 100;
/** Making room for one at a time would count everything for each. */
const ROOM_SHARE = 0.05;
const MAX_ROUNDS = 1_000;
const MAX_CLEAR_ROUNDS = 100;
/** A picture written again this recently is one that a run is about to refer to. */
const FRESH_MS = 3_600_000;

interface Waiting {
  readonly entry: NewCacheEntry;
  readonly bytes: number;
  readonly settle: (kept: boolean) => void;
  readonly fail: (error: unknown) => void;
}

export function createCacheRoom(options: CacheRoomOptions): CacheRoom {
  const { limits } = options;
  const removal = createRemoval(options);
  /** Unknown until it was counted once, and then what this node knows of it. */
  let held: Evicted['left'] | undefined;
  const waiting: Waiting[] = [];
  let isWorking = false;

  /** One batch after the other: what each may take is known before it is put. */
  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchLength(waiting, limits.bytes));
      await putAll(batch).catch((error: unknown) => {
        held = undefined;
        for (const { fail } of batch) fail(error);
      });
    }
    isWorking = false;
  }

  async function putAll(batch: readonly Waiting[]): Promise<void> {
    const before = await roomFor(sumOf(batch), batch.length);
    const kept = await Promise.all(batch.map(({ entry }) => putOne(entry, options, removal)));
    const added = batch.filter((_, index) => kept[index]);
    held = { entries: before.entries + added.length, bytes: before.bytes + sumOf(added) };
    for (const [index, { settle }] of batch.entries()) settle(kept[index] === true);
  }

  async function roomFor(bytes: number, entries: number): Promise<Evicted['left']> {
    const counted = held ?? (await removal.evict(limits.bytes - bytes, MAX_ENTRIES - entries));
    if (counted.bytes + bytes <= limits.bytes && counted.entries + entries <= MAX_ENTRIES) return counted;
    const maxBytes = Math.min(limits.bytes * (1 - ROOM_SHARE), limits.bytes - bytes);
    return removal.evict(maxBytes, Math.min(MAX_ENTRIES * (1 - ROOM_SHARE), MAX_ENTRIES - entries));
  }

  return {
    put(entry) {
      const bytes = bytesOf(entry);
      if (bytes > limits.bytes || waiting.length >= MAX_WAITING) return Promise.resolve(false);
      return new Promise((settle, fail) => {
        waiting.push({ entry, bytes, settle, fail });
        void work();
      });
    },

    async sweep() {
      await removal.evict(limits.bytes, MAX_ENTRIES);
      // Others may have put something in since it was counted last; the next batch counts for itself.
      held = undefined;
    },

    clear: removal.clear,
  };
}

function batchLength(waiting: readonly Waiting[], maxBytes: number): number {
  let bytes = 0;
  const end = waiting.findIndex((one, index) => {
    bytes += one.bytes;
    return index === AT_ONCE || bytes > maxBytes;
  });
  return end < 0 ? waiting.length : end;
}

function sumOf(batch: readonly Waiting[]): number {
  return batch.reduce((sum, one) => sum + one.bytes, 0);
}

function bytesOf({ assets }: NewCacheEntry): number {
  const unique = new Map(assets.map(({ hash, bytes }) => [hash, bytes]));
  return [...unique.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** What is too old to be found makes place for the new. */
async function putOne(
  entry: NewCacheEntry,
  { store, io, limits }: CacheRoomOptions,
  removal: Removal,
): Promise<boolean> {
  if (await store.cachePut(entry)) return true;
  const there = await store.cacheGet(entry.key);
  if (there && there.createdAt > io.now() - limits.maxAgeMs) return false;
  await removal.clear({ key: entry.key });
  return store.cachePut(entry);
}

type Removal = ReturnType<typeof createRemoval>;

/** Takes entries out, and with them the files that nothing refers to any more. */
function createRemoval({ store, assets, io, limits }: CacheRoomOptions) {
  /** The store forgets first: a file without a row is only waste, a row without its file would be a lie. */
  async function removeFiles(unused: readonly AssetRow[]): Promise<void> {
    for (const asset of unused) await assets.remove(asset, { writtenBefore: io.now() - FRESH_MS });
  }

  return {
    async evict(maxBytes: number, maxEntries: number): Promise<Evicted['left']> {
      for (let round = 0; ; round += 1) {
        const now = io.now();
        const bounds = { createdBefore: now - limits.maxAgeMs, maxBytes, maxEntries, now, limit: AT_ONCE };
        const evicted = await store.cacheEvict(bounds);
        await removeFiles(evicted.assets);
        if (evicted.entries < AT_ONCE || round >= MAX_ROUNDS) return evicted.left;
      }
    },

    async clear(filter: CacheFilter): Promise<Cleared> {
      let [entries, bytes] = [0, 0];
      for (let round = 0; round < MAX_CLEAR_ROUNDS; round += 1) {
        const evicted = await store.cacheClear(filter, AT_ONCE);
        await removeFiles(evicted.assets);
        entries += evicted.entries;
        bytes += evicted.bytes;
        if (evicted.entries < AT_ONCE) return { entries, bytes, more: false };
      }
      return { entries, bytes, more: true };
    },
  };
}
