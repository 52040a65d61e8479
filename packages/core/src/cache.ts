import type { Generation } from './generation.ts';
import type { AssetStore } from './images/asset.ts';
import type { GeneratedImage } from './journal.ts';
import type { Plan, PlannedTarget } from './plan.ts';

/** Pictures that were made once and may answer the same request again. */
export interface CachedPictures {
  readonly images: readonly GeneratedImage[];
  /** `provider/model` that made them. */
  readonly target: string;
  /** What they cost, which every hit saves; absent where nobody knows. */
  readonly costUsd?: number;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** Keeps pictures by `cacheKey`. What goes wrong inside is a miss, never an error of the request. */
export interface Cache {
  get(key: string, now: number): Promise<CachedPictures | undefined>;
  put(key: string, entry: CachedPictures, now: number): Promise<void>;
}

export interface MemoryCacheOptions {
  /** Where the bytes are: pictures that were dropped there are a miss. */
  readonly assets: Pick<AssetStore, 'read'>;
  /** Bytes of the pictures of all entries together; those unused for longest go first. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Default 10,000. */
  readonly maxEntries?: number;
  /** Default 30 days. */
  readonly maxAgeMs?: number;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
const DEFAULT_MAX_ENTRIES = 10_000;
const DEFAULT_MAX_AGE_MS = 30 * 86_400_000;

/** A cache of one process, gone with it. It notes which pictures they are; the bytes stay in `assets`. */
export function createMemoryCache({
  assets,
  maxBytes = DEFAULT_MAX_BYTES,
  maxEntries = DEFAULT_MAX_ENTRIES,
  maxAgeMs = DEFAULT_MAX_AGE_MS,
}: MemoryCacheOptions): Cache {
  // In the order of their use.
  const entries = new Map<string, CachedPictures>();
  let held = 0;

  function drop(key: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    held -= bytesOf(entry);
    entries.delete(key);
  }

  return {
    async get(key, now) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const isUsable = entry.createdAt > now - maxAgeMs && (await areStored(entry, assets));
      // While the pictures were looked for, somebody may have put others here.
      if (entries.get(key) !== entry) return isUsable ? entry : undefined;
      entries.delete(key);
      if (isUsable) entries.set(key, entry);
      else held -= bytesOf(entry);
      return isUsable ? entry : undefined;
    },

    async put(key, entry, now) {
      if (bytesOf(entry) > maxBytes || entry.createdAt <= now - maxAgeMs) return;
      drop(key);
      entries.set(key, entry);
      held += bytesOf(entry);
      for (const oldest of entries.keys()) {
        if (held <= maxBytes && entries.size <= maxEntries) break;
        drop(oldest);
      }
    },
  };
}

function bytesOf({ images }: CachedPictures): number {
  return images.reduce((sum, { asset }) => sum + asset.bytes, 0);
}

async function areStored({ images }: CachedPictures, assets: Pick<AssetStore, 'read'>): Promise<boolean> {
  try {
    for (const { asset } of images) for await (const _ of assets.read(asset)) break;
    return true;
  } catch {
    return false;
  }
}

/**
 * What of a finished generation is worth keeping, with the target whose key it belongs to. Only all that was asked for:
 * no failure, no missing picture, none that is marked or suspect, and all from one target.
 */
export function cacheable(
  plan: Plan,
  generation: Generation,
): { readonly target: PlannedTarget; readonly images: readonly GeneratedImage[] } | undefined {
  const { outcome } = generation;
  // What was made once more was made with another seed than the key tells.
  if (generation.runs.some(({ attempts }) => attempts.filter(({ outcome: one }) => one?.ok).length > 1))
    return undefined;
  // After a refusal it may have been made of another request than the key tells.
  if (generation.runs.some(({ rungs }) => rungs !== undefined)) return undefined;
  const runs = generation.runs.map(({ attempts }) => attempts.at(-1)?.target);
  const target = plan.targets.find(({ id }) => id === runs[0]);
  if (!outcome?.ok || target === undefined || runs.some((id) => id !== target.id)) return undefined;
  const { images, missing = [] } = outcome;
  if (images.length === 0 || missing.length > 0 || images.some(({ flagged, suspect }) => flagged ?? suspect))
    return undefined;
  const made = images.reduce((sum, { pictures = 1 }) => sum + pictures, 0);
  return made < plan.request.n ? undefined : { target, images };
}

/** A hit as an answer tells it: nothing was attempted and nothing was paid. */
export function cachedGeneration({ images, target, createdAt }: CachedPictures): Generation {
  const outcome = { ok: true, images } as const;
  const run = { length: 1, attempts: [], partialSent: false, finished: outcome, finishedAt: createdAt };
  return { runs: [run], outcome, attempts: 0, paidAttempts: 0, targets: [target], overdue: undefined };
}
