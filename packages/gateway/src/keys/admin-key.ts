import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, link, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What administers this gateway. Only its digest is kept in memory. */
export interface AdminKey {
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  /** `environment`: somebody set ONETAKE_ADMIN_KEY, so keys are in use. */
  readonly from: 'environment' | 'file';
}

/** Every key that is made here begins with this. */
export const KEY_PREFIX = 'sk-onetake-';
const KEY_BYTES = 32;
/** Of the base64url that follows the prefix. */
export const KEY_CHARACTERS = 43;
const FILE = 'admin.key';
const OWNER_ONLY = 0o600;
const MAX_FILE_BYTES = 1024;
/** Losing to another process leaves its file to read. */
const MAX_ROUNDS = 3;

/** A key of 256 random bits: `sk-onetake-` and 43 characters of base64url. */
export function makeKey(randomKeyBytes: (size: number) => Uint8Array = randomBytes): string {
  return KEY_PREFIX + Buffer.from(randomKeyBytes(KEY_BYTES)).toString('base64url');
}

/** What is kept of a key, and looked up by: SHA-256, hexadecimal. */
export function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Where a gateway of this data directory keeps the key it made for the commands of this machine. */
export function adminKeyPath(dataDir: string): string {
  return join(dataDir, FILE);
}

/** ONETAKE_ADMIN_KEY where it is set, else `<data>/admin.key`, made (mode 0600) where it is missing. */
export async function openAdminKey(dataDir: string, configured: string | undefined): Promise<AdminKey> {
  if (configured !== undefined) return { digest: digestOf(configured), from: 'environment' };
  const path = adminKeyPath(dataDir);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const key = await readAdminKey(dataDir);
    if (key !== undefined) return { digest: digestOf(key), from: 'file' };
    await writeWhole(dataDir, path);
  }
  throw new Error(`${path}: a key could not be written`);
}

/** The key in `<data>/admin.key`; undefined without one. Throws for a file that holds something else. */
export async function readAdminKey(dataDir: string): Promise<string | undefined> {
  const path = adminKeyPath(dataDir);
  const found = await stat(path).catch(ignoreMissing);
  if (found === undefined) return undefined;
  const text = found.size <= MAX_FILE_BYTES ? (await readFile(path, 'utf8')).trim() : '';
  if (!isWholeKey(text))
    throw new Error(`${path}: expected ${KEY_PREFIX} and ${KEY_CHARACTERS} characters; delete the file for a new key`);
  // A copy or a restore may have opened it to others.
  if ((found.mode & 0o077) !== 0) await chmod(path, OWNER_ONLY).catch(() => {});
  return text;
}

/** Whether a text has the shape of a key that was made here. */
export function isWholeKey(text: string): boolean {
  return text.startsWith(KEY_PREFIX) && /^[A-Za-z0-9_-]{43}$/.test(text.slice(KEY_PREFIX.length));
}

/** A half-written key is never seen: the file gets its name when it is whole, unless another process was faster. */
async function writeWhole(dataDir: string, path: string): Promise<void> {
  const draft = join(dataDir, `${FILE}.${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', OWNER_ONLY);
    try {
      await file.writeFile(`${makeKey()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path)
      // Not every file system links.
      .catch((error) => (isThere(error) ? undefined : copyFile(draft, path, constants.COPYFILE_EXCL)))
      .catch((error) => {
        if (!isThere(error)) throw error;
      });
  } finally {
    await rm(draft, { force: true });
  }
}

function isThere({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EEXIST';
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
