import type { CachedPictures } from '@onetake/core';
import type { AssetRow } from './asset-row.ts';

/**
 * Pictures that may answer the same request again, by the key of what makes them the same. While an entry is there,
 * retention leaves the assets it refers to. Beside them stands which generation answers for a request in flight.
 */
export interface PictureCache {
  cacheGet(key: string): Promise<CacheEntry | undefined>;
  /** Keeps what stands under its key already: then it writes nothing and resolves with false. */
  cachePut(entry: NewCacheEntry): Promise<boolean>;
  /** Notes hits since the last note of the same key; of keys that are gone, nothing. */
  cacheUsed(uses: readonly CacheUse[]): Promise<void>;
  cacheStats(filter: Omit<CacheFilter, 'key'>): Promise<CacheStats>;
  /** Removes what the filter names, the least used first; `limit` is 1 to 1000. */
  cacheClear(filter: CacheFilter, limit: number): Promise<Evicted>;
  /** Removes what is too old, then what was unused for longest until the rest fits, and claims that ended. */
  cacheEvict(bounds: CacheBounds): Promise<Evicted>;
  /**
   * Which generation answers for this key: the one that claims it now when there was none, when the claim of the one
   * before ended, or when it is the one to be taken over `from`.
   */
  cacheClaim(claim: CacheClaim, now: number, from?: string): Promise<CacheHolder>;
  /** Without effect when another generation holds the claim. */
  cacheRelease(key: string, generation: string): Promise<void>;
}

export interface CacheEntry extends CachedPictures {
  readonly key: string;
  readonly caller: string;
  /** Which generation made them; it may be gone. */
  readonly generation: string;
}

export interface NewCacheEntry extends CacheEntry {
  /** Of its images. */
  readonly assets: readonly AssetRow[];
}

export interface CacheUse {
  readonly key: string;
  readonly hits: number;
  /** The last of them (epoch ms). */
  readonly at: number;
}

/** Absent fields do not narrow. */
export interface CacheFilter {
  readonly caller?: string;
  /** `provider/model`. */
  readonly target?: string;
  readonly key?: string;
}

export interface CacheStats {
  readonly entries: number;
  /** Of the pictures of each entry; one that two entries share counts twice, so the bound is never passed. */
  readonly bytes: number;
  readonly hits: number;
  /** What the hits would have cost, where that is known. */
  readonly savedUsd: number;
  /** When the oldest was made; absent when there is none. */
  readonly oldestAt?: number;
  /** The largest 100, by bytes. */
  readonly targets: readonly {
    readonly target: string;
    readonly entries: number;
    readonly bytes: number;
    readonly hits: number;
    readonly savedUsd: number;
  }[];
}

export interface CacheBounds {
  /** Entries made before this instant go. */
  readonly createdBefore: number;
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly now: number;
  /** At most so many entries, and claims, per call, 1 to 1000. */
  readonly limit: number;
}

export interface Evicted {
  /** How many went, and their bytes. */
  readonly entries: number;
  readonly bytes: number;
  /** What all that is left takes, of every caller. */
  readonly left: { readonly entries: number; readonly bytes: number };
  /** Assets that nothing refers to any more. */
  readonly assets: readonly AssetRow[];
}

export interface CacheClaim {
  readonly key: string;
  readonly generation: string;
  /** Epoch ms; after it the claim is anybody's. */
  readonly until: number;
}

export interface CacheHolder {
  readonly generation: string;
  /** When it claimed the key (epoch ms). */
  readonly since: number;
}
