import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Asset, type AssetStore, IMAGE_TYPES, type ImageType } from '@onetake/core';
import { createDirectorySync } from './directory-sync.ts';
import { createDiskWriter } from './disk-writer.ts';

/** What names an image on disk; `type` is checked because it may come from a database or a URL. */
export interface AssetName {
  readonly hash: string;
  readonly type: string;
  /** Where it is known, it says where to look. */
  readonly bytes?: number;
}

export interface ReadOptions {
  /** First byte; default 0. */
  readonly start?: number;
  /** One past the last byte; default the end. */
  readonly end?: number;
  /** Default 192 KiB: a multiple of three, so the chunks' base64 joins without padding in between. */
  readonly chunkBytes?: number;
  /** Reads into this, each chunk over the one before it, instead of into fresh memory; its length is the chunk's. */
  readonly buffer?: Buffer;
}

/** Images in a directory, each in a file named by its hash. */
export interface DiskAssets extends AssetStore {
  /** Bytes of a stored image; undefined when it is not there, or the name is none. */
  size(hash: string, type: string): Promise<number | undefined>;
  /** Without effect when it is not there. Leaves a file that was written at or after `writtenBefore` (epoch ms): somebody may be about to refer to it. */
  remove(asset: AssetName, options?: { readonly writtenBefore?: number }): Promise<void>;
  read(asset: AssetName, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

/** The image is not on disk: retention removed it, or it was never stored. */
export class AssetMissingError extends Error {
  constructor({ hash, type }: AssetName) {
    super(`the image ${hash} (${type}) is not stored here; it may have been removed by the retention setting`);
    this.name = 'AssetMissingError';
  }
}

const CHUNK_BYTES = 192 * 1024;
/** No download of a picture takes so long: what is older in a shared directory was left by a crash. */
const ABANDONED_MS = 24 * 3_600_000;

export interface DiskAssetsOptions {
  /** Other processes write into the directory too. */
  readonly shared?: boolean;
}

/**
 * Opens or makes the directory (0700), and removes what a crash left half-written. Files are
 * `<first two of hash>/<hash>.<extension>`; only whole, synced files ever have such a name.
 */
export async function openDiskAssets(
  directory: string,
  { shared = false }: DiskAssetsOptions = {},
): Promise<DiskAssets> {
  const temporary = join(directory, 'tmp');
  await removeAbandoned(temporary, shared);
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  const own = randomUUID();
  const directorySync = createDirectorySync();
  await directorySync(directory);
  const shards = new Set(await readdir(directory));
  let created = 0;

  function pathOf({ hash, type }: AssetName): string | undefined {
    if (!/^[0-9a-f]{64}$/.test(hash) || !Object.hasOwn(IMAGE_TYPES, type)) return undefined;
    return join(directory, hash.slice(0, 2), `${hash}.${IMAGE_TYPES[type as ImageType].extension}`);
  }

  /** The final path, its directory made and durable. */
  async function place(asset: Asset): Promise<string> {
    const path = pathOf(asset);
    if (path === undefined)
      throw new TypeError(`asset ${asset.hash}.${asset.type}: no SHA-256 in lower-case hex, or no image type`);
    const shard = asset.hash.slice(0, 2);
    if (!shards.has(shard)) {
      await mkdir(join(directory, shard), { recursive: true, mode: 0o700 });
      await directorySync(directory);
      shards.add(shard);
    }
    return path;
  }

  return {
    create: () => createDiskWriter({ temporaryPath: join(temporary, `${own}-${created++}`), place, directorySync }),

    async size(hash, type) {
      const path = pathOf({ hash, type });
      const found = path && (await stat(path).catch(absent));
      return found ? found.size : undefined;
    },

    async remove(asset, { writtenBefore = Number.POSITIVE_INFINITY } = {}) {
      const path = pathOf(asset);
      const file = path === undefined ? undefined : await stat(path).catch(absent);
      if (path !== undefined && file && file.mtimeMs < writtenBefore) await unlink(path).catch(absent);
    },

    async *read(asset, { start = 0, end = Number.POSITIVE_INFINITY, chunkBytes = CHUNK_BYTES, buffer } = {}) {
      if (!(start >= 0 && chunkBytes >= 1))
        throw new RangeError(`start ${start} or chunkBytes ${chunkBytes} is too low`);
      const path = pathOf(asset);
      const file = path && (await open(path).catch(absent));
      if (!file) throw new AssetMissingError(asset);
      try {
        const stop = Math.min(end, (await file.stat()).size);
        let at = start;
        while (at < stop) {
          const length = Math.min(buffer?.length ?? chunkBytes, stop - at);
          const chunk = buffer?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length);
          const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
          if (bytesRead < chunk.length) throw new Error(`${path} ended at byte ${at + bytesRead} of ${stop}`);
          at += bytesRead;
          yield chunk;
        }
      } finally {
        await file.close();
      }
    },
  };
}

async function removeAbandoned(temporary: string, shared: boolean): Promise<void> {
  if (!shared) return rm(temporary, { recursive: true, force: true });
  for (const name of await readdir(temporary).catch(() => [])) {
    const path = join(temporary, name);
    const file = await stat(path).catch(absent);
    if (file && file.mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { force: true });
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
