import { type FileHandle, open, rename, rm } from 'node:fs/promises';

/** A file that has no name yet: it gets one when it is whole and synced, or it vanishes. */
export interface TemporaryFile {
  /** One call at a time; the bytes must not change before it is over. The file is made by the first. */
  append(bytes: Uint8Array): Promise<void>;
  /** Syncs the bytes, then names them; what stood under that name is replaced in one step. */
  moveTo(path: string): Promise<void>;
  /** Without effect after `moveTo`, and when nothing was appended. */
  remove(): Promise<void>;
}

export function createTemporaryFile(path: string): TemporaryFile {
  let file: FileHandle | undefined;
  let exists = false;

  return {
    async append(bytes) {
      if (file === undefined) {
        file = await open(path, 'wx', 0o600);
        exists = true;
      }
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, written);
        if (bytesWritten === 0) throw new Error(`${path} takes no more bytes; is the disk full?`);
        written += bytesWritten;
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
