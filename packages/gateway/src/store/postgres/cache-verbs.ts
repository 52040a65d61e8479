import { cacheEntry, cacheRow, cacheStats } from '../cache-row.ts';
import type { PictureCache } from '../store.ts';
import {
  CACHE_GET,
  cacheClaim,
  cacheClear,
  cacheEvict,
  cachePut,
  cacheRelease,
  cacheStatsSql,
  cacheUsed,
} from './cache.ts';
import type { Lane } from './lane.ts';
import type { Reader } from './reads.ts';

interface CacheLanes {
  readonly generations: Lane;
  /** Nodes that ask for the same picture at once should not wait for each other's generations. */
  readonly cells: Lane;
  readonly reader: Reader;
}

const nothing = () => {};
const same = <Result>(result: Result) => result;

/** The verbs of cached pictures; `checkLimit` refuses what may not be asked for at once. */
export function cacheVerbs(
  { generations, cells, reader }: CacheLanes,
  checkLimit: (limit: number) => void,
): PictureCache {
  return {
    cacheGet: async (key) => {
      const [row] = await reader.readBehind(generations, CACHE_GET, [key]);
      return row && cacheEntry(row);
    },
    cachePut: (entry) => generations.submit(cachePut, cacheRow(entry), same),
    cacheUsed: (uses) => generations.submit(cacheUsed, uses, nothing),
    cacheStats: async (filter) => {
      const { all, targets, values } = cacheStatsSql(filter);
      const [[sums], rows] = await Promise.all([
        reader.readBehind(generations, all, values),
        reader.readBehind(generations, targets, values),
      ]);
      return cacheStats(sums, rows);
    },
    cacheClear: async (filter, limit) => {
      checkLimit(limit);
      return generations.submit(cacheClear, { filter, limit }, same);
    },
    cacheEvict: async (bounds) => {
      checkLimit(bounds.limit);
      return generations.submit(cacheEvict, bounds, same);
    },
    cacheClaim: (claim, now, from) => cells.submit(cacheClaim, { ...claim, now, from: from ?? null }, same),
    cacheRelease: (key, generation) => cells.submit(cacheRelease, { key, generation }, nothing),
  };
}
