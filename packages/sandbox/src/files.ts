import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Format } from './draw/studio.ts';

const MAX_FILES = 1000;
const MAX_BYTES = 1024 ** 3;
const MIME: Readonly<Record<Format, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  svg: 'image/svg+xml',
};
const NAME = /^[0-9a-f]{32}\.(png|jpeg|webp|svg)$/u;

/** Pictures that were answered as a URL. */
export interface Files {
  /** Keeps the bytes and returns the name that `read` knows them by. */
  keep(bytes: Buffer, format: Format): Promise<string>;
  read(name: string): Promise<{ bytes: Buffer; type: string } | undefined>;
}

/** Keeps up to 1000 files and 1 GiB under `dataDir/files`; the oldest go first. */
export function openFiles(dataDir: string): Files {
  const directory = join(dataDir, 'files');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const sizes = new Map(kept(directory));
  let total = [...sizes.values()].reduce((sum, size) => sum + size, 0);

  const removeOldest = async () => {
    for (const [name, size] of sizes) {
      if (sizes.size <= MAX_FILES && total <= MAX_BYTES) return;
      sizes.delete(name);
      total -= size;
      await rm(join(directory, name), { force: true });
    }
  };

  return {
    async keep(bytes, format) {
      const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}.${format}`;
      if (sizes.has(name)) return name;
      await writeFile(join(directory, name), bytes);
      if (!sizes.has(name)) total += bytes.length;
      sizes.set(name, bytes.length);
      await removeOldest();
      return name;
    },
    async read(name) {
      const format = NAME.exec(name)?.[1] as Format | undefined;
      if (!format || !sizes.has(name)) return undefined;
      return { bytes: await readFile(join(directory, name)), type: MIME[format] };
    },
  };
}

/** Names and sizes of what an earlier process kept, oldest first. */
function kept(directory: string): [name: string, size: number][] {
  return readdirSync(directory)
    .filter((name) => NAME.test(name))
    .map((name) => ({ name, stats: statSync(join(directory, name)) }))
    .sort((one, other) => one.stats.mtimeMs - other.stats.mtimeMs)
    .map(({ name, stats }) => [name, stats.size]);
}
