import { dirname } from 'node:path';
import type { Asset, AssetWriter } from '@onetake/core';
import { createBlockQueue } from './block-queue.ts';
import type { DirectorySync } from './directory-sync.ts';
import { createTemporaryFile } from './temporary-file.ts';

export interface DiskWriterOptions {
  readonly temporaryPath: string;
  /** Where the asset belongs; its directory exists when this resolves. */
  readonly place: (asset: Asset) => Promise<string>;
  readonly directorySync: DirectorySync;
}

/** Writes an image as its bytes come; nothing of it is to be seen under its name before all of it is synced. */
export function createDiskWriter({ temporaryPath, place, directorySync }: DiskWriterOptions): AssetWriter {
  const file = createTemporaryFile(temporaryPath);
  const blocks = createBlockQueue((block) => file.append(block));
  let bytes = 0;

  async function finish(asset: Asset): Promise<void> {
    if (bytes !== asset.bytes) throw new RangeError(`asset.bytes is ${asset.bytes} and ${bytes} bytes were written`);
    const path = await place(asset);
    await blocks.flush();
    await file.moveTo(path);
    await directorySync(dirname(path));
  }

  async function giveUp(): Promise<void> {
    await blocks.drop();
    await file.remove();
  }

  return {
    write(chunk) {
      bytes += chunk.length;
      return blocks.add(chunk);
    },

    async commit(asset) {
      try {
        await finish(asset);
      } catch (error) {
        await giveUp();
        throw error;
      }
    },

    discard: giveUp,
  };
}
