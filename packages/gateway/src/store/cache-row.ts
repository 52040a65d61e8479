import type { AssetRow } from './asset-row.ts';
import type { CacheEntry, CacheStats, NewCacheEntry } from './cache.ts';

/** An entry whose pictures are JSON already. */
export interface CacheRow {
  readonly key: string;
  readonly caller: string;
  readonly target: string;
  readonly generation: string;
  readonly costUsd: number | null;
  readonly createdAt: number;
  readonly bytes: number;
  readonly images: string;
  /** Each once. */
  readonly assets: readonly AssetRow[];
}

type Columns = Readonly<Record<string, unknown>>;

/** The largest targets that statistics tell of. */
export const MAX_TARGETS_TOLD = 100;

export function cacheRow({ images, assets, costUsd, ...entry }: NewCacheEntry): CacheRow {
  const unique = [...new Map(assets.map((asset) => [asset.hash, asset])).values()];
  const bytes = unique.reduce((sum, asset) => sum + asset.bytes, 0);
  return { ...entry, costUsd: costUsd ?? null, images: JSON.stringify(images), assets: unique, bytes };
}

/** Of columns with the names of an entry. */
export function cacheEntry({ key, caller, target, generation, costUsd, createdAt, images }: Columns): CacheEntry {
  return {
    ...{ key: String(key), caller: String(caller), target: String(target), generation: String(generation) },
    ...(costUsd !== null && { costUsd: Number(costUsd) }),
    createdAt: Number(createdAt),
    images: JSON.parse(String(images)),
  };
}

export function cacheStats(all: Columns | undefined, targets: readonly Columns[]): CacheStats {
  const oldestAt = all?.oldestAt ?? undefined;
  return {
    ...sums(all),
    ...(oldestAt !== undefined && { oldestAt: Number(oldestAt) }),
    targets: targets.map((row) => ({ target: String(row.target), ...sums(row) })),
  };
}

/** Millionths of a dollar are kept. */
function sums(row: Columns | undefined) {
  const savedUsd = Math.round(Number(row?.savedUsd ?? 0) * 1e6) / 1e6;
  return {
    entries: Number(row?.entries ?? 0),
    bytes: Number(row?.bytes ?? 0),
    hits: Number(row?.hits ?? 0),
    savedUsd,
  };
}
