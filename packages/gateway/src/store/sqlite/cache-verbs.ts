import { cacheEntry, cacheRow, cacheStats } from '../cache-row.ts';
import type { GroupCommit } from '../group-commit.ts';
import type { CacheHolder, Evicted, PictureCache } from '../store.ts';
import type { Operation, Operations } from './batch.ts';

type Result<Name extends keyof Operations> = ReturnType<Operations[Name]>;

const nothing = () => {};

/** The verbs of cached pictures as operations; `checkLimit` refuses what may not be asked for at once. */
export function cacheVerbs(commit: GroupCommit<Operation>, checkLimit: (limit: number) => void): PictureCache {
  return {
    cacheGet: (key) => commit.submit(['cacheGet', key], (row: Result<'cacheGet'>) => row && cacheEntry(row)),
    cachePut: (entry) => commit.submit(['cachePut', cacheRow(entry)], (written: boolean) => written),
    cacheUsed: (uses) => commit.submit(['cacheUsed', uses], nothing),
    cacheStats: (filter) =>
      commit.submit(['cacheStats', filter], ({ all, targets }: Result<'cacheStats'>) => cacheStats(all, targets)),
    cacheClear: async (filter, limit) => {
      checkLimit(limit);
      return commit.submit(['cacheClear', filter, limit], (evicted: Evicted) => evicted);
    },
    cacheEvict: async (bounds) => {
      checkLimit(bounds.limit);
      return commit.submit(['cacheEvict', bounds], (evicted: Evicted) => evicted);
    },
    cacheClaim: (claim, now, from) =>
      commit.submit(['cacheClaim', claim, now, from ?? null], (holder: CacheHolder) => holder),
    cacheRelease: (key, generation) => commit.submit(['cacheRelease', key, generation], nothing),
  };
}
