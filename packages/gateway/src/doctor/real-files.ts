import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileFacts, ProcessFacts } from './world.ts';

const PERMISSIONS = 0o777;

/** Of the file system that holds the path, or its nearest parent that exists. */
export async function diskOf(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs((await existing(path)).at);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

export async function statOf(path: string): Promise<FileFacts> {
  const found = await stat(path);
  const kind = found.isDirectory() ? 'directory' : found.isFile() ? 'file' : 'other';
  const owner = process.getuid === undefined ? {} : { ownerId: found.uid };
  return { kind, mode: found.mode & PERMISSIONS, bytes: found.size, ...owner };
}

/** Writes and removes a file; the directories that are made for it go again. */
export async function writeInto(directory: string): Promise<Record<string, never>> {
  const { missing } = await existing(directory);
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    const file = join(directory, `.doctor-${randomBytes(6).toString('hex')}`);
    await writeFile(file, 'ok', { flag: 'wx', mode: 0o600 });
    await rm(file);
  } finally {
    // Only what stayed empty: somebody may have begun to use it meanwhile.
    if (made !== undefined) for (const one of missing) await rmdir(one).catch(() => {});
  }
  return {};
}

/** The nearest parent that exists, and what is missing below it, the deepest first. */
async function existing(path: string): Promise<{ readonly at: string; readonly missing: readonly string[] }> {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const isThere = await stat(at).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' && dirname(at) !== at) return false;
        throw error;
      },
    );
    if (isThere) return { at, missing };
    missing.push(at);
  }
}

export async function processFacts(): Promise<ProcessFacts> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return {
    nodeVersion: process.versions.node,
    ...(process.getuid !== undefined && { userId: process.getuid() }),
    ...(soft !== undefined && { maxOpenFiles: Number(soft) }),
  };
}
