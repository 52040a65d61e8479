import type { Asset, AssetWriter } from '@onetake/core';
import { createBlockPool } from './block-pool.ts';
import type { DiskAssets } from './disk.ts';
import { rememberRecent, type SmallPictures } from './small-pictures.ts';

export interface TieredAssetsOptions {
  readonly files: DiskAssets;
  readonly small: SmallPictures;
  readonly now: () => number;
}

/** Up to this a picture counts as small. */
export const SMALL_BYTES = 64 * 1024;
const MAX_RESTING_BLOCKS = 64;
const RECENT_BYTES = 8 * 1024 * 1024;

const blocks = createBlockPool(SMALL_BYTES, MAX_RESTING_BLOCKS);

/** Pictures of up to 64 KiB together in one place, larger ones in a file each. */
export function createTieredAssets({ files, small: kept, now }: TieredAssetsOptions): DiskAssets {
  const small = rememberRecent(kept, RECENT_BYTES);
  return {
    create: () =>
      createTieredWriter(
        () => files.create(),
        (asset, bytes) => small.put(asset, bytes, now()),
      ),

    async size(hash, type) {
      return (await files.size(hash, type)) ?? (await small.read({ hash, type }))?.length;
    },

    async remove(asset, options = {}) {
      await Promise.all([
        files.remove(asset, options),
        small.remove(asset, options.writtenBefore ?? Number.MAX_SAFE_INTEGER),
      ]);
    },

    async *read(asset, options = {}) {
      const bytes = asset.bytes !== undefined && asset.bytes > SMALL_BYTES ? undefined : await small.read(asset);
      if (bytes === undefined) yield* files.read(asset, options);
      else yield bytes.subarray(options.start, options.end);
    },
  };
}

/** Gathers a picture until it proves too large to be a small one. */
function createTieredWriter(
  createFile: () => AssetWriter,
  keepSmall: (asset: Asset, bytes: Uint8Array) => Promise<void>,
): AssetWriter {
  let file: AssetWriter | undefined;
  let block: Buffer | undefined;
  let gathered = 0;

  function release(): void {
    if (block !== undefined) blocks.give(block);
    block = undefined;
  }

  return {
    write(chunk) {
      if (file !== undefined) return file.write(chunk);
      block ??= blocks.take();
      if (gathered + chunk.length <= SMALL_BYTES) {
        block.set(chunk, gathered);
        gathered += chunk.length;
        return undefined;
      }
      const front = Buffer.concat([block.subarray(0, gathered), chunk]);
      release();
      file = createFile();
      return file.write(front);
    },

    async commit(asset) {
      if (file !== undefined) return file.commit(asset);
      // A copy of its own length: what crosses to another thread, or stays in memory, takes its whole buffer along.
      const bytes = Uint8Array.from(block?.subarray(0, gathered) ?? []);
      release();
      if (gathered !== asset.bytes)
        throw new RangeError(`asset.bytes is ${asset.bytes} and ${gathered} bytes were written`);
      await keepSmall(asset, bytes);
    },

    async discard() {
      release();
      await file?.discard();
    },
  };
}
