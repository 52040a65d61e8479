import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { StoreInUseError, StoreSchemaError } from '../errors.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { openSqliteStore } from '../sqlite.ts';
import { openDatabase } from './database.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-database-'));
after(() => rmSync(directory, { recursive: true }));

test('directory and files are their owner’s alone', () => {
  const path = join(directory, 'new', 'onetake.db');
  const database = openDatabase(path);
  assert.equal(statSync(join(directory, 'new')).mode & 0o777, 0o700);
  for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  database.close();
});

test('what was acknowledged survives power loss: full sync on a write-ahead log', () => {
  const database = openDatabase(join(directory, 'pragmas.db'));
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.equal(pragma('journal_mode'), 'wal');
  assert.equal(pragma('synchronous'), 2);
  assert.equal(pragma('user_version'), MIGRATIONS.length);
  database.close();
});

test('one owner at a time, also within a process', () => {
  const path = join(directory, 'owned.db');
  const first = openDatabase(path);
  assert.throws(() => openDatabase(path), StoreInUseError);
  assert.throws(() => openDatabase(path), StoreInUseError);
  first.exec('DELETE FROM generations');
  first.close();
  openDatabase(path).close();
});

test('a newer schema is refused and left alone', async () => {
  const path = join(directory, 'newer.db');
  openDatabase(path).close();
  const newer = new DatabaseSync(path);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  assert.throws(() => openDatabase(path), StoreSchemaError);
  await assert.rejects(openSqliteStore({ path }), (error: Error) => {
    assert.ok(error instanceof StoreSchemaError);
    assert.match(error.message, /version 99 and this version of onetake knows \d+; run the newer version/);
    return true;
  });
});

test('a file that is no database, or a directory in its place, is refused in words', async () => {
  const path = join(directory, 'text.db');
  writeFileSync(path, 'this is a text and not a database'.repeat(100));
  await assert.rejects(openSqliteStore({ path }), /cannot open .*text\.db: .*not a database/);
  mkdirSync(join(directory, 'directory.db'));
  await assert.rejects(openSqliteStore({ path: join(directory, 'directory.db') }), /cannot open .*directory\.db/);
});
