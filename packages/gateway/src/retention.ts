import type { Io } from '@onetake/core';
import type { DiskAssets } from './assets/disk.ts';
import type { Store } from './store/store.ts';

export interface RetentionOptions {
  readonly store: Store;
  readonly assets: Pick<DiskAssets, 'remove'>;
  readonly io: Io;
  readonly days: number;
  readonly bytes: number;
  /** What was paid and what failed is told for so long. */
  readonly ledgerDays: number;
  readonly onError: (error: unknown) => void;
}

const DAY_MS = 86_400_000;
const EVERY_MS = 600_000;
const AT_ONCE = 200;
/** A picture written again this recently is one that a run is about to refer to. */
const FRESH_MS = 3_600_000;

/** Removes what is older than `days`, then the oldest beyond `bytes`, every ten minutes; returns the stop function. */
export function startRetention(options: RetentionOptions): () => void {
  const { io, onError } = options;
  let stopped = false;
  let cancel = () => {};
  const later = () => {
    // It may have been stopped while it swept.
    if (stopped) return;
    cancel = io.timer(io.now() + EVERY_MS, () => {
      sweep(options).catch(onError).finally(later);
    });
  };
  later();
  return () => {
    stopped = true;
    cancel();
  };
}

/** One pass. The store forgets first: a file without a row is only waste, a row without its file would be a lie. */
export async function sweep({ store, assets, io, days, bytes, ledgerDays }: RetentionOptions): Promise<void> {
  let excessBytes = (await store.storedBytes()) - bytes;
  for (;;) {
    const ledgerBefore = io.now() - ledgerDays * DAY_MS;
    const bounds = { createdBefore: io.now() - days * DAY_MS, excessBytes, ledgerBefore, limit: AT_ONCE };
    const { generations, assets: unused } = await store.expire(bounds);
    for (const asset of unused) await assets.remove(asset, { writtenBefore: io.now() - FRESH_MS });
    if (generations < AT_ONCE) return;
    for (const asset of unused) excessBytes -= asset.bytes;
  }
}
