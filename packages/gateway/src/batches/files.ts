import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectorySync } from '../assets/directory-sync.ts';
import { createTemporaryFile, type TemporaryFile } from '../assets/temporary-file.ts';

/** A file that a caller uploaded, or that a batch wrote for it. */
export interface StoredFile {
  readonly id: string;
  readonly caller: string;
  readonly purpose: 'batch' | 'batch_output';
  readonly filename: string;
  readonly bytes: number;
  /** Epoch ms, as is `expiresAt`. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A file that is to be; nothing of it is to be seen before `commit`. */
export interface FileDraft {
  /** One call at a time. */
  write(bytes: Uint8Array): Promise<void>;
  bytes(): number;
  /** Resolves when the file survives power loss; one of the same id is replaced. */
  commit(file: Omit<StoredFile, 'bytes'>): Promise<StoredFile>;
  /** Without effect after `commit`. */
  discard(): Promise<void>;
}

/** Callers' files in a directory that the nodes of a cluster share. Another caller's are as unknown as none. */
export interface Files {
  draft(): FileDraft;
  find(caller: string, id: string): Promise<StoredFile | undefined>;
  /** Oldest first. */
  list(caller: string): Promise<readonly StoredFile[]>;
  count(caller: string): Promise<number>;
  /** Where the bytes are. */
  pathOf(caller: string, id: string): string;
  /** False when there is none. */
  remove(caller: string, id: string): Promise<boolean>;
  /** Removes what expired, and what a crash left half-written. */
  expire(now: number): Promise<void>;
}

const META = '.json';
const DATA = '.data';
const STALE_DRAFT_MS = 24 * 3_600_000;
const READ_AT_ONCE = 32;

export function newFileId(): string {
  return `file-${randomBytes(12).toString('hex')}`;
}

/** A name for a directory or a key, whatever characters the caller's has. */
export function callerDigest(caller: string): string {
  return createHash('sha256').update(caller).digest('hex').slice(0, 32);
}

/** Opens or makes the directory (0700). A file is `<caller>/<id>.data`, and is there once its `<id>.json` is. */
export async function openFiles(directory: string): Promise<Files> {
  const temporary = join(directory, 'tmp');
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  const sync = createDirectorySync();
  const homeOf = (caller: string) => join(directory, callerDigest(caller));
  const pathOf = (caller: string, id: string, ending: string) => join(homeOf(caller), id + ending);

  async function find(caller: string, id: string): Promise<StoredFile | undefined> {
    if (!isFileId(id)) return undefined;
    return readMeta(pathOf(caller, id, META));
  }

  async function write(path: string, bytes: Uint8Array): Promise<void> {
    const file = createTemporaryFile(join(temporary, randomUUID()));
    try {
      await file.append(bytes);
      await file.moveTo(path);
    } finally {
      await file.remove();
    }
  }

  async function removeFile(home: string, id: string): Promise<void> {
    await rm(join(home, id + META), { force: true });
    await rm(join(home, id + DATA), { force: true });
  }

  return {
    draft: () =>
      createDraft(join(temporary, randomUUID()), async (about, file) => {
        const home = homeOf(about.caller);
        await mkdir(home, { recursive: true, mode: 0o700 });
        await file.moveTo(pathOf(about.caller, about.id, DATA));
        await write(pathOf(about.caller, about.id, META), Buffer.from(JSON.stringify(about)));
        await sync(home);
        await sync(directory);
      }),
    find,
    async list(caller) {
      const found: StoredFile[] = [];
      const ids = await idsIn(homeOf(caller));
      for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
        const some = await Promise.all(ids.slice(at, at + READ_AT_ONCE).map((id) => find(caller, id)));
        found.push(...some.filter((one) => one !== undefined));
      }
      return found.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },
    count: async (caller) => (await idsIn(homeOf(caller))).length,
    pathOf: (caller, id) => pathOf(caller, id, DATA),
    async remove(caller, id) {
      if ((await find(caller, id)) === undefined) return false;
      await removeFile(homeOf(caller), id);
      return true;
    },
    async expire(now) {
      for (const name of await readdir(directory)) {
        const home = join(directory, name);
        if (name === 'tmp') await removeStale(home, now);
        else await expireIn(home, now, removeFile);
      }
    },
  };
}

function createDraft(path: string, keep: (about: StoredFile, file: TemporaryFile) => Promise<void>): FileDraft {
  const file = createTemporaryFile(path);
  let bytes = 0;
  let isDiscarded = false;
  return {
    bytes: () => bytes,
    async write(chunk) {
      // A form that was refused is read on for a moment.
      if (isDiscarded) throw new Error('the file was discarded');
      bytes += chunk.length;
      await file.append(chunk);
    },
    async commit(about) {
      const stored = { ...about, bytes };
      await keep(stored, file);
      return stored;
    },
    discard() {
      isDiscarded = true;
      return file.remove();
    },
  };
}

function isFileId(id: string): boolean {
  return /^file-[0-9a-f]{24}$/.test(id);
}

async function idsIn(home: string): Promise<readonly string[]> {
  const names = await readdir(home).catch(absent);
  return (names ?? []).filter((name) => name.endsWith(META)).map((name) => name.slice(0, -META.length));
}

async function readMeta(path: string): Promise<StoredFile | undefined> {
  const text = await readFile(path, 'utf8').catch(absent);
  return text === undefined ? undefined : JSON.parse(text);
}

async function expireIn(home: string, now: number, remove: (home: string, id: string) => Promise<void>): Promise<void> {
  for (const id of await idsIn(home)) {
    const file = await readMeta(join(home, id + META));
    if (file && file.expiresAt <= now) await remove(home, id);
  }
}

async function removeStale(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch(absent);
    if (found && found.mtimeMs < now - STALE_DRAFT_MS) await rm(path, { force: true });
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
