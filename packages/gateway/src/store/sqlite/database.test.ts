import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { checkBeforeGallery, eventsBeforeGallery, PROMPT_BEFORE_GALLERY } from '../contract/before-gallery.ts';
import { ids } from '../contract/samples.ts';
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

test('data of the first released schema is read and goes on', async () => {
  const path = join(directory, 'released.db');
  const released = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 2)) released.exec(step);
  released.exec(`
    PRAGMA user_version = 2;
    INSERT INTO generations (id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at, finished_at,
      code, billed, worker, lease_until)
    VALUES ('a', 'local', '/v1', 'r', 'f', 'q', 1, 'processing', 1, NULL, NULL, NULL, 'dead', 900),
      ('b', 'local', '/v1', 'r', 'f', 'q', 1, 'completed', 2, 50, NULL, 'yes', NULL, NULL),
      ('c', 'local', '/v1', 'r', 'g', 'q', 1, 'failed', 3, 51, 'timeout', 'maybe', NULL, NULL);
    INSERT INTO plans VALUES (1, 'p', '{}'), (2, 'p', '{}'), (3, 'p', '{}');
    INSERT INTO events VALUES (1, 0, 0, '{}')`);
  released.close();
  const store = await openSqliteStore({ path });
  for (const [status, id] of Object.entries({ processing: 'a', completed: 'b', failed: 'c' } as const)) {
    const rows = await store.list({ status: status as 'failed', limit: 10 });
    assert.deepEqual(ids(rows), [id]);
  }
  assert.deepEqual(ids(await store.undelivered(0, 10)), ['a', 'b', 'c']);
  assert.equal(await store.claimLost({ caller: 'local', fingerprint: 'f', since: 0, settledBefore: 60, now: 60 }), 'a');
  const [claimed] = await store.claim('next', 1, 1_000, 10);
  assert.deepEqual(
    [claimed?.id, claimed?.journals, claimed?.task, claimed?.place],
    ['a', [[{}]], undefined, undefined],
  );
  await store.close();
});

test('the gallery and the search know what was there before them', async () => {
  const path = join(directory, 'before-gallery.db');
  const before = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 5)) before.exec(step);
  before.exec(`
    PRAGMA user_version = 5;
    INSERT INTO generations (id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at, finished_at)
    VALUES ('a', 'local', '/v1', 'r', 'f', 'q', 2, 'completed', 1, 2), ('b', 'local', '/v1', 'r', 'f', 'q', 1, 'failed', 1, 2);
    INSERT INTO plans VALUES (2, 'Other', '{}')`);
  before.prepare(`INSERT INTO plans VALUES (1, ?, '{}')`).run(PROMPT_BEFORE_GALLERY);
  const insert = before.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
  for (const [generation, run, seq, event] of eventsBeforeGallery('a', 'b', 'c'))
    insert.run(generation, run, seq, event);
  before.close();
  const store = await openSqliteStore({ path });
  await checkBeforeGallery(store);
  await store.close();
});

test('a file that is no database, or a directory in its place, is refused in words', async () => {
  const path = join(directory, 'text.db');
  writeFileSync(path, 'this is a text and not a database'.repeat(100));
  await assert.rejects(openSqliteStore({ path }), /cannot open .*text\.db: .*not a database/);
  mkdirSync(join(directory, 'directory.db'));
  await assert.rejects(openSqliteStore({ path: join(directory, 'directory.db') }), /cannot open .*directory\.db/);
});
