import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Asset, AssetWriter } from '@onetake/core';
import type { DirectorySync } from './directory-sync.ts';

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

/** Writes a temporary file as the bytes come, and gives it its name once it is whole and synced. */
export function createDiskWriter({ temporaryPath, place, directorySync }: DiskWriterOptions): AssetWriter {
  let file: FileHandle | undefined;
  let exists = false;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let bytes = 0;
  let writing: Promise<void> | undefined;

  async function writeBlock(block: readonly Uint8Array[]): Promise<void> {
    if (file === undefined) {
      file = await open(temporaryPath, 'wx', 0o600);
      exists = true;
    }
    let rest = block;
    while (rest.length > 0) {
      const { bytesWritten } = await file.writev(rest);
      if (bytesWritten === 0) throw new Error(`${temporaryPath} takes no more bytes after ${bytes}`);
      rest = after(rest, bytesWritten);
    }
  }

  /** A failure stays in `writing`, for the next write or the commit to report. */
  function startBlock(): void {
    const block = gathered;
    gathered = [];
    gatheredBytes = 0;
    writing = writeBlock(block).then(() => {
      writing = undefined;
    });
    writing.catch(() => {});
  }

  function startFullBlock(): void {
    if (writing === undefined && (gatheredBytes >= BLOCK_BYTES || gathered.length >= BLOCK_CHUNKS)) startBlock();
  }

  async function finish(asset: Asset): Promise<void> {
    await writing;
    if (bytes !== asset.bytes) throw new RangeError(`asset.bytes is ${asset.bytes} and ${bytes} bytes were written`);
    await writeBlock(gathered);
    await file?.datasync();
    await file?.close();
    file = undefined;
    const path = await place(asset);
    // Over an existing file too: it holds the same bytes, and whoever reads the old one keeps it.
    await rename(temporaryPath, path);
    exists = false;
    await directorySync(dirname(path));
  }

  async function removeTemporary(): Promise<void> {
    await writing?.catch(() => {});
    gathered = [];
    await file?.close().catch(() => {});
    file = undefined;
    if (exists) await rm(temporaryPath, { force: true });
    exists = false;
  }

  return {
    write(chunk) {
      if (chunk.length === 0) return;
      bytes += chunk.length;
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      startFullBlock();
      if (gatheredBytes >= BLOCK_BYTES || gathered.length >= BLOCK_CHUNKS) return writing?.then(startFullBlock);
    },

    async commit(asset) {
      try {
        await finish(asset);
      } catch (error) {
        await removeTemporary();
        throw error;
      }
    },

    discard: removeTemporary,
  };
}

/** What of a block remains when `count` bytes of it were written. */
function after(block: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = 0;
  for (const [index, chunk] of block.entries()) {
    if (skipped + chunk.length > count) return [chunk.subarray(count - skipped), ...block.slice(index + 1)];
    skipped += chunk.length;
  }
  return [];
}
