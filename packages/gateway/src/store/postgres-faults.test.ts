/** What a real server does to a store: connections it ends, transactions it refuses, schemas it holds. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from 'pg';
import { ids, LEASE, sampleAsset, sampleFence, sampleGeneration, sampleWaiting, started } from './contract/samples.ts';
import { StoreOverloadedError, StoreSchemaError } from './errors.ts';
import { openPostgresStore, type PostgresStore } from './postgres.ts';
import type { Change } from './store.ts';
import { startTestPostgres } from './testing/postgres.ts';

const postgres = await startTestPostgres();
after(() => postgres.stop());
const ALL = { queue: 'q', most: 1_000, exceptCallers: [] } as const;

/** Two nodes on one database, and a connection beside them. */
async function opened(run: (store: PostgresStore, other: PostgresStore, admin: Client) => Promise<void>) {
  const url = await postgres.createDatabase();
  const admin = new Client({ connectionString: url });
  await admin.connect();
  // At once, as nodes of one deployment start.
  const [store, other] = await Promise.all([openPostgresStore({ url }), openPostgresStore({ url })]);
  try {
    await run(store, other, admin);
  } finally {
    await Promise.all([store.close(), other.close()]);
    await admin.end();
  }
}

/** Ends these connections of stores, or with `pg_cancel_backend` what they do. */
function kill(admin: Client, where: string, how = 'pg_terminate_backend') {
  return admin.query(`
    SELECT ${how}(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${where}`);
}

/** Resolves when a statement of a store waits for the lock that `admin` holds. */
async function waitsForLock(admin: Client): Promise<void> {
  for (;;) {
    const { rowCount } = await admin.query(`
      SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
    if (rowCount !== null && rowCount > 0) return;
  }
}

test('an operation that cannot be done leaves no trace and the rest of its batch is done', () =>
  opened(async (store) => {
    const broken = { assets: [sampleAsset('a', Number.NaN), { ...sampleAsset('b', 1), bytes: 1.5 }] };
    const results = await Promise.allSettled([
      store.create(sampleGeneration('a')),
      store.create(sampleGeneration('b', broken)),
      store.create(sampleGeneration('nul', { fingerprint: 'cut \u0000 short' })),
      store.create(sampleGeneration('a')),
      store.claim('worker-b', 99, 200, 10),
      store.append(sampleFence('a', 0), [started(1)]),
      store.create(sampleGeneration('c')),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status === 'fulfilled'),
      [true, false, false, false, true, true, true],
    );
    assert.deepEqual(ids(await store.list({ limit: 10 })), ['c', 'a']);
    assert.equal((await store.read('a'))?.journals[0]?.length, 1);
    assert.match(String(results[3]?.status === 'rejected' && results[3].reason), /refused an operation.*duplicate/);
  }));

test('a store goes on when the server ended its idle connections', () =>
  opened(async (store, other, admin) => {
    await store.create(sampleGeneration('g'));
    await store.swapCell('k', 0, 1);
    await kill(admin, 'true');
    await store.append(sampleFence('g', 0), [started(1)]);
    assert.equal((await other.read('g'))?.journals[0]?.length, 1);
    assert.equal(await store.swapCell('k', 1, 2), true);
  }));

test('what was lost before its commit is done by the next connection', () =>
  opened(async (store, _other, admin) => {
    await admin.query('BEGIN');
    await admin.query('LOCK TABLE onetake.plans');
    const created = store.create(sampleGeneration('g'));
    await waitsForLock(admin);
    await kill(admin, "wait_event_type = 'Lock'");
    await admin.query('COMMIT');
    assert.deepEqual(await created, { kind: 'created' });
    assert.deepEqual(ids(await store.list({ limit: 10 })), ['g']);
  }));

test('what was lost in its commit is said to be unknown, and the next operation connects again', () =>
  opened(async (store, _other, admin) => {
    await admin.query(`
      CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER die AFTER INSERT ON onetake.plans DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.prompt <> '"survives"') EXECUTE FUNCTION die()`);
    await assert.rejects(store.create(sampleGeneration('g')), /connection was lost.*unknown/);
    await admin.query('DROP TRIGGER die ON onetake.plans');
    assert.deepEqual(await store.create(sampleGeneration('g')), { kind: 'created' });
  }));

test('a transaction that the server cancels is not done, and says so', () =>
  opened(async (store, _other, admin) => {
    await admin.query('BEGIN');
    await admin.query('LOCK TABLE onetake.plans');
    const created = store.create(sampleGeneration('g'));
    await waitsForLock(admin);
    await kill(admin, "wait_event_type = 'Lock'", 'pg_cancel_backend');
    await assert.rejects(created, /nothing was done: canceling statement/);
    await admin.query('COMMIT');
    assert.deepEqual(await store.create(sampleGeneration('g')), { kind: 'created' });
  }));

test('two nodes that wait for each other both get through', () =>
  opened(async (store, other) => {
    await store.create(sampleGeneration('a'));
    await store.create(sampleGeneration('b'));
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    for (const round of rounds) {
      const cancels = [
        ...[store.requestCancel('a', round), store.requestCancel('b', round)],
        ...[other.requestCancel('b', round), other.requestCancel('a', round)],
      ];
      assert.deepEqual(await Promise.all(cancels), ['noted', 'noted', 'noted', 'noted']);
    }
  }));

test('a node whose listening connection was lost is told to look again', () =>
  opened(async (store, other, admin) => {
    const heard = new Promise<Change>((resolve) => other.onChange(resolve));
    await kill(admin, "query = 'LISTEN onetake'");
    await store.create(sampleWaiting('g', 1));
    assert.deepEqual(await heard, { kind: 'waiting', queue: 'q' });
  }));

test('two nodes share two hundred that wait, in tens', () =>
  opened(async (store, other) => {
    const names = Array.from({ length: 200 }, (_, index) => `g${index}`);
    await Promise.all(names.map((name, index) => store.create(sampleWaiting(name, index))));
    const claims = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? store : other).claimWaiting({ ...ALL, most: 10 }, LEASE),
    );
    const claimed = (await Promise.all(claims)).flatMap((claim) => ids(claim.claimed));
    assert.equal(new Set(claimed).size, claimed.length, 'one claimed twice');
    assert.deepEqual(claimed.toSorted(), names.toSorted());
  }));

test('every node reads the small pictures of every other', () =>
  opened(async (store, other) => {
    const name = { hash: 'a'.repeat(64), type: 'png' };
    const bytes = Uint8Array.from({ length: 65_536 }, (_, index) => index % 251);
    const put = store.smallPictures.put(name, bytes, 10);
    assert.deepEqual(Buffer.from((await store.smallPictures.read(name)) ?? []), Buffer.from(bytes));
    await put;
    await store.smallPictures.put(name, bytes, 20);
    await other.smallPictures.remove(name, 20);
    assert.equal((await other.smallPictures.read(name))?.length, bytes.length);
    await other.smallPictures.remove(name, 21);
    assert.equal(await store.smallPictures.read(name), undefined);
  }));

test('operations beyond maxQueued are refused and the others done', async () => {
  const store = await openPostgresStore({ url: await postgres.createDatabase(), maxQueued: 2 });
  const creations = ['a', 'b', 'c'].map((id) => store.create(sampleGeneration(id)));
  const [first, second, third] = await Promise.allSettled(creations);
  assert.deepEqual([first?.status, second?.status], ['fulfilled', 'fulfilled']);
  assert.ok(third?.status === 'rejected' && third.reason instanceof StoreOverloadedError);
  await store.close();
});

test('closing waits for what is being read, however much it is', async () => {
  const store = await openPostgresStore({ url: await postgres.createDatabase(), readConnections: 1 });
  const created = store.create(sampleGeneration('g'));
  const reads = Array.from({ length: 20 }, () => store.read('g'));
  const closed = store.close();
  await assert.rejects(store.read('g'), { name: 'StoreClosedError' });
  assert.deepEqual(ids((await Promise.all(reads)).flatMap((one) => one ?? [])), Array(20).fill('g'));
  await Promise.all([created, closed]);
});

test('a schema that a newer version wrote is refused', async () => {
  const url = await postgres.createDatabase();
  const store = await openPostgresStore({ url });
  await store.close();
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query('UPDATE onetake.schema_version SET version = version + 7');
  await admin.end();
  await assert.rejects(openPostgresStore({ url }), StoreSchemaError);
});

test('a server that cannot be reached or lets nobody in is named, and its password is not', async () => {
  const wrong = new URL(await postgres.createDatabase());
  wrong.password = 'another%20secret';
  const name = `${wrong.hostname}:${wrong.port}`;
  await assert.rejects(openPostgresStore({ url: wrong.href }), (error: Error) => {
    return error.message.includes(name) && !/another|secret/.test(`${error.message} ${error.stack}`);
  });
  wrong.port = '1';
  await assert.rejects(openPostgresStore({ url: wrong.href }), /:1\/.*cannot be reached.*ECONNREFUSED/);
});
