import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreInUseError, StoreSchemaError } from '../errors.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { searchText } from '../search-text.ts';

/** SQLite's primary result code, the low byte of an extended one. */
const BUSY = 5;

/**
 * Opens the database at `path`, or one in memory for `:memory:`, for this process alone, and brings its schema up to
 * date. A new directory is made 0700, the file 0600.
 *
 * The exclusive lock proves that whoever held a lease is dead, so every lease ends here.
 *
 * @throws {StoreInUseError} another process, or another store of this one, has it open
 * @throws {StoreSchemaError} a newer version wrote it
 */
export function openDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') prepareFile(path);
  const database = new DatabaseSync(path);
  try {
    // The first transaction takes the lock. A checkpoint costs two syncs: every 16 MB it is hardly felt, and the
    // rest of the log is read again within milliseconds after a crash.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 4000;
      PRAGMA journal_size_limit = 67108864;
      PRAGMA cache_size = -16384;
    `);
    migrate(database, path);
    database.exec("UPDATE generations SET lease_until = 0 WHERE status = 'processing'");
    return database;
  } catch (error) {
    database.close();
    throw resultCode(error) === BUSY ? new StoreInUseError(path) : error;
  }
}

/** The primary result code of an SQLite error, undefined for any other error. */
export function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Closing any descriptor of a database drops this process's locks on it, so only a file nobody has yet is opened. */
function prepareFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path)) chmodSync(path, 0o600);
  else closeSync(openSync(path, 'wx', 0o600));
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > MIGRATIONS.length) throw new StoreSchemaError(path, version, MIGRATIONS.length);
  database.function('search_text', { deterministic: true }, (text) => searchText(String(text)));
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
