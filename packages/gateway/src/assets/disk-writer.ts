import { dirname } from 'node:path';
import type { Asset, AssetWriter } from '@onetake/core';
import type { DirectorySync } from './directory-sync.ts';
import { createTemporaryFile } from './temporary-file.ts';

export interface DiskWriterOptions {
  readonly temporaryPath: string;
  /** Where the asset belongs; its directory exists when this resolves. */
  readonly place: (asset: Asset) => Promise<string>;
  readonly directorySync: DirectorySync;
}

/** Written at once. A writer holds one block that is being written and one that is being gathered. */
const BLOCK_BYTES = 256 * 1024;
/** Blocks of tiny chunks end earlier, at what one system call takes. */
const BLOCK_CHUNKS = 1_024;

/** Writes an image as its bytes come; nothing of it is to be seen under its name before all of it is synced. */
export function createDiskWriter({ temporaryPath, place, directorySync }: DiskWriterOptions): AssetWriter {
  const file = createTemporaryFile(temporaryPath);
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let bytes = 0;
  let writing: Promise<void> | undefined;

  const isBlockFull = () => gatheredBytes >= BLOCK_BYTES || gathered.length >= BLOCK_CHUNKS;

  /** A failure stays in `writing`, for the next full block or the commit to report. */
  function writeFullBlock(): void {
    if (writing !== undefined || !isBlockFull()) return;
    const block = gathered;
    gathered = [];
    gatheredBytes = 0;
    writing = file.append(block).then(() => {
      writing = undefined;
    });
    writing.catch(() => {});
  }

  async function finish(asset: Asset): Promise<void> {
    await writing;
    if (bytes !== asset.bytes) throw new RangeError(`asset.bytes is ${asset.bytes} and ${bytes} bytes were written`);
    const path = await place(asset);
    await file.append(gathered);
    await file.moveTo(path);
    await directorySync(dirname(path));
  }

  async function giveUp(): Promise<void> {
    gathered = [];
    await writing?.catch(() => {});
    await file.remove();
  }

  return {
    write(chunk) {
      if (chunk.length === 0) return undefined;
      bytes += chunk.length;
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      writeFullBlock();
      return isBlockFull() ? writing?.then(writeFullBlock) : undefined;
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
