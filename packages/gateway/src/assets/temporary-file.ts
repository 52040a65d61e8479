import { type FileHandle, open, rename, rm } from 'node:fs/promises';

/** A file that has no name yet: it gets one when it is whole and synced, or it vanishes. */
export interface TemporaryFile {
  /** One call at a time. The file is made by the first. */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** Syncs the bytes, then names them; what stood under that name is replaced in one step. */
  moveTo(path: string): Promise<void>;
  /** Without effect after `moveTo`, and when nothing was appended. */
  remove(): Promise<void>;
}

export function createTemporaryFile(path: string): TemporaryFile {
  let file: FileHandle | undefined;
  let exists = false;

  return {
    async append(chunks) {
      if (file === undefined) {
        file = await open(path, 'wx', 0o600);
        exists = true;
      }
      let rest = chunks;
      while (rest.length > 0) {
        const { bytesWritten } = await file.writev(rest);
        if (bytesWritten === 0) throw new Error(`${path} takes no more bytes; is the disk full?`);
        rest = after(rest, bytesWritten);
      }
    },

    async moveTo(target) {
      await file?.datasync();
      await file?.close();
      file = undefined;
      await rename(path, target);
      exists = false;
    },

    async remove() {
      await file?.close().catch(() => {});
      file = undefined;
      if (exists) await rm(path, { force: true });
      exists = false;
    },
  };
}

/** What of the chunks remains when `count` bytes of them were written. */
function after(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = 0;
  for (const [index, chunk] of chunks.entries()) {
    if (skipped + chunk.length > count) return [chunk.subarray(count - skipped), ...chunks.slice(index + 1)];
    skipped += chunk.length;
  }
  return [];
}
