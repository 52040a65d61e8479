import {
  cacheable,
  cacheKey,
  costOf,
  type Event,
  foldGeneration,
  type Io,
  type Plan,
  type PlannedTarget,
  shareKey,
} from '@onetake/core';
import type { DiskAssets } from '../assets/disk.ts';
import type { CacheEntry, CacheFilter, CacheStats, NewCacheEntry } from '../store/cache.ts';
import type { CacheUse, PictureCache } from '../store/store.ts';
import { type CacheLimits, type CacheRoom, type Cleared, createCacheRoom } from './cache-room.ts';
import { type Answered, answerOnce, type CachedRequest, type Ways } from './in-flight.ts';
import { assetRow } from './journal.ts';

/** Pictures made once, for whoever asks for the same again; of each caller its own. */
export interface RequestCache {
  /** The keys of a request that takes part; undefined where its plan has none. */
  keysOf(plan: Plan, caller: string, generation: string): CachedRequest | undefined;
  /** Answers from the cache, from the generation that makes the same just now, or by one of its own. */
  answer<Begun, Found>(request: CachedRequest, ways: Ways<Begun, Found>): Promise<Answered<Begun, Found>>;
  lookup(key: string): Promise<CacheEntry | undefined>;
  /**
   * A generation that took part has ended, well or badly: what is worth it is kept, and its key is free. Whoever
   * finished it says so, on any node. Never rejects.
   */
  ended(generation: EndedGeneration): Promise<void>;
  stats(filter: Omit<CacheFilter, 'key'>): Promise<CacheStats>;
  clear(filter: CacheFilter): Promise<Cleared>;
  /** Waits for what has ended, writes what was noted of hits, and stops. */
  close(): Promise<void>;
}

export interface EndedGeneration {
  readonly id: string;
  readonly caller: string;
  readonly plan: Plan;
  readonly journals: readonly (readonly Event[])[];
}

export interface CacheOptions {
  readonly store: PictureCache;
  readonly assets: Pick<DiskAssets, 'size' | 'remove'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly limits: CacheLimits;
  /** What a target makes may change while its name stays: a digest of what it is. */
  readonly versionOf?: (target: PlannedTarget) => string | undefined;
  readonly onError: (error: unknown) => void;
}

const SWEEP_EVERY_MS = 60_000;
/** Keys whose hits are noted before they are written. */
const MAX_NOTED = 1_000;
/** An answer of a provider that comes late is harvested this long after the deadline at most. */
const MAX_HARVEST_MS = 3_600_000;

export function createCache(options: CacheOptions): RequestCache {
  const { store, io, versionOf = () => undefined, onError } = options;
  const room = createCacheRoom(options);
  const uses = createUses(store, onError);
  const lookup = createLookup(options, room, uses);
  const keyOf = (plan: Plan, target: PlannedTarget, caller: string) => {
    const version = versionOf(target);
    return cacheKey(plan, target, { caller, ...(version !== undefined && { version }) });
  };
  const stopSweeping = repeatedly(io, async () => {
    await uses.write();
    await room.sweep().catch(onError);
  });

  /** No more than there were generations at once. */
  const ending = new Set<Promise<void>>();

  async function keep(ended: EndedGeneration): Promise<void> {
    const entry = entryOf(ended, keyOf, io.now());
    if (entry) await room.put(entry).catch(onError);
    // Only now: who asks next finds either the pictures or the claim.
    const share = shareKey(ended.plan, ended.caller, versionOf);
    if (share !== undefined) await store.cacheRelease(share, ended.id).catch(onError);
  }

  return {
    keysOf(plan, caller, generation) {
      const [first] = plan.targets;
      const key = first && keyOf(plan, first, caller);
      const share = shareKey(plan, caller, versionOf);
      if (key === undefined || share === undefined) return undefined;
      const until = plan.deadlineAt + Math.min(plan.policy.timeout.harvestMs, MAX_HARVEST_MS);
      return { key, share, generation, until };
    },

    answer: (request, ways) => answerOnce(request, ways, { store, lookup, io, onError }),

    lookup,

    ended(generation) {
      const kept = keep(generation).finally(() => ending.delete(kept));
      ending.add(kept);
      return kept;
    },

    async stats(filter) {
      await uses.write();
      return store.cacheStats(filter);
    },

    clear: room.clear,

    async close() {
      stopSweeping();
      await Promise.all(ending);
      await uses.write();
    },
  };
}

/** What a generation leaves to be kept, if anything. */
function entryOf(
  { id, caller, plan, journals }: EndedGeneration,
  keyOf: (plan: Plan, target: PlannedTarget, caller: string) => string | undefined,
  now: number,
): NewCacheEntry | undefined {
  const generation = foldGeneration(journals);
  const kept = cacheable(plan, generation);
  const key = kept && keyOf(plan, kept.target, caller);
  if (kept === undefined || key === undefined) return undefined;
  const { target, images } = kept;
  const { usd } = costOf(plan, generation);
  const made = { key, caller, target: target.id, generation: id, createdAt: now };
  const assets = images.map(({ asset }) => assetRow(asset));
  return { ...made, ...(usd !== undefined && { costUsd: usd }), images, assets };
}

/** Finds what can be handed over; what goes wrong is a miss. */
function createLookup({ store, assets, io, limits, onError }: CacheOptions, room: CacheRoom, uses: Uses) {
  async function find(key: string): Promise<CacheEntry | undefined> {
    const entry = await store.cacheGet(key);
    if (entry === undefined || entry.createdAt <= io.now() - limits.maxAgeMs) return undefined;
    const sizes = await Promise.all(entry.images.map(({ asset }) => assets.size(asset.hash, asset.type)));
    if (sizes.every((size, index) => size === entry.images[index]?.asset.bytes)) return entry;
    // Its file is gone or cut: what cannot be handed over must not keep another from being made.
    await room.clear({ key });
    return undefined;
  }

  return async (key: string): Promise<CacheEntry | undefined> => {
    try {
      const entry = await find(key);
      if (entry) uses.note(key, io.now());
      return entry;
    } catch (error) {
      onError(error);
      return undefined;
    }
  };
}

type Uses = ReturnType<typeof createUses>;

/** Hits are gathered and written together: with each sweep, and not with every hit. */
function createUses(store: Pick<PictureCache, 'cacheUsed'>, onError: (error: unknown) => void) {
  let noted = new Map<string, CacheUse>();

  async function write(): Promise<void> {
    const uses = [...noted.values()];
    noted = new Map();
    if (uses.length > 0) await store.cacheUsed(uses).catch(onError);
  }

  return {
    write,
    note(key: string, at: number): void {
      noted.set(key, { key, hits: (noted.get(key)?.hits ?? 0) + 1, at });
      if (noted.size >= MAX_NOTED) void write();
    },
  };
}

function repeatedly(io: Pick<Io, 'now' | 'timer'>, work: () => Promise<void>): () => void {
  let isStopped = false;
  let stop = () => {};
  const later = () => {
    if (isStopped) return;
    stop = io.timer(io.now() + SWEEP_EVERY_MS, () => void work().finally(later));
  };
  later();
  return () => {
    isStopped = true;
    stop();
  };
}
