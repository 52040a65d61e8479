import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A file of the previews: `hash` is the picture's it was made from, `key` says how, as a file name. */
export interface PreviewName {
  readonly hash: string;
  readonly key: string;
}

export interface PreviewBytes {
  readonly bytes: number;
  /** From `start` to before `end`. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** Previews on disk, those unused for longest removed first. */
export interface PreviewFiles {
  /** Undefined when it is not there; counts as a use. */
  find(name: PreviewName): Promise<PreviewBytes | undefined>;
  put(name: PreviewName, bytes: Uint8Array): Promise<void>;
  /** Removes all that was made from a picture. */
  forget(hash: string): Promise<void>;
}

export interface PreviewFilesOptions {
  readonly directory: string;
  /** All files together; one that is larger than a tenth of it is not kept. */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly now: () => number;
  /** Default 100,000. */
  readonly maxFiles?: number;
}

const MAX_FILES = 100_000;
/** A sweep leaves nine tenths, and comes again after what was written since is one more. */
const SWEPT_SHARE = 1 / 10;

/**
 * Opens or makes the directory (0700). Files are `<hash>/<key>`, and their times say when they were last used: the
 * directory itself is the index, so that nodes may share it, each of which may exceed the bound by a tenth.
 */
export async function openPreviewFiles(options: PreviewFilesOptions): Promise<PreviewFiles> {
  const { directory, maxBytes, now, maxFiles = MAX_FILES } = options;
  const written = { bytes: 0, files: 0 };
  let sweeping: Promise<void> | undefined;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await sweep(directory, maxBytes, maxFiles);

  function pathOf({ hash, key }: PreviewName): string {
    if (/^[0-9a-f]{64}$/.test(hash) && /^[a-z0-9-]{1,64}$/.test(key)) return join(directory, hash, key);
    throw new TypeError(`preview ${hash}/${key}: no SHA-256 in lower-case hex, or no name of a file`);
  }

  async function makeRoom(): Promise<void> {
    if (written.bytes <= maxBytes * SWEPT_SHARE && written.files <= maxFiles * SWEPT_SHARE) return;
    [written.bytes, written.files] = [0, 0];
    await sweep(directory, maxBytes, maxFiles);
  }

  return {
    async find(name) {
      const path = pathOf(name);
      const file = await stat(path).catch(absent);
      if (file === undefined) return undefined;
      const at = new Date(now());
      await utimes(path, at, at).catch(absent);
      return { bytes: file.size, read: (start, end) => readPart(path, start, end) };
    },

    async put(name, bytes) {
      if (bytes.length > maxBytes * SWEPT_SHARE) return;
      const path = pathOf(name);
      const temporary = join(directory, `${TEMPORARY}${randomUUID()}`);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      try {
        await writeFile(temporary, bytes, { mode: 0o600, flag: 'wx' });
        const at = new Date(now());
        await utimes(temporary, at, at);
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      written.bytes += bytes.length;
      written.files += 1;
      sweeping ??= makeRoom().finally(() => {
        sweeping = undefined;
      });
      await sweeping;
    },

    async forget(hash) {
      await rm(dirname(pathOf({ hash, key: 'all' })), { recursive: true, force: true });
    },
  };
}

const TEMPORARY = 'tmp-';

async function* readPart(path: string, start: number, end: number): AsyncIterable<Uint8Array> {
  if (end > start) yield* createReadStream(path, { start, end: end - 1 });
}

/** Removes what was used longest ago, down to nine tenths of either bound. */
async function sweep(directory: string, maxBytes: number, maxFiles: number): Promise<void> {
  const found: { readonly path: string; readonly bytes: number; readonly usedAt: number }[] = [];
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const file = await stat(path).catch(absent);
    if (file === undefined) continue;
    bytes += file.size;
    found.push({ path, bytes: file.size, usedAt: file.mtimeMs });
  }
  let files = found.length;
  const left = 1 - SWEPT_SHARE;
  for (const one of found.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (bytes <= maxBytes * left && files <= maxFiles * left) return;
    await removeFile(one.path, directory);
    bytes -= one.bytes;
    files -= 1;
  }
}

/** With the last of its previews the picture's directory goes too. */
async function removeFile(path: string, directory: string): Promise<void> {
  await rm(path, { force: true });
  const parent = dirname(path);
  if (parent === directory || basename(path).startsWith(TEMPORARY)) return;
  const others = await readdir(parent).catch(absent);
  if (others?.length === 0) await rm(parent, { recursive: true, force: true });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
