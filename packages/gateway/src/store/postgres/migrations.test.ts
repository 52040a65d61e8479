import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from 'pg';
import { checkBeforeGallery, eventsBeforeGallery, PROMPT_BEFORE_GALLERY } from '../contract/before-gallery.ts';
import { sampleCacheEntry } from '../contract/cache.ts';
import { openPostgresStore } from '../postgres.ts';
import { startTestPostgres } from '../testing/postgres.ts';
import { STEPS } from './schema.ts';

const postgres = await startTestPostgres();
after(() => postgres.stop());

test('a schema of an earlier version is brought up to date, and its rows stay', async () => {
  const url = await postgres.createDatabase();
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query('CREATE SCHEMA onetake; SET search_path TO onetake; CREATE TABLE schema_version (version integer)');
  await admin.query(`${STEPS[0]}; INSERT INTO schema_version VALUES (1)`);
  await admin.query(`INSERT INTO cells (key, version, value) VALUES ('k', 3, '"v"')`);
  const store = await openPostgresStore({ url });
  assert.deepEqual(await store.readCell('k'), { key: 'k', version: 3, value: 'v' });
  assert.equal(await store.cachePut(sampleCacheEntry('a')), true);
  await store.close();
  const { rows } = await admin.query('SELECT version FROM schema_version');
  assert.deepEqual(rows, [{ version: STEPS.length }]);
  await admin.end();
});

test('the gallery and the search know what was there before them', async () => {
  const url = await postgres.createDatabase();
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query('CREATE SCHEMA onetake; SET search_path TO onetake; CREATE TABLE schema_version (version integer)');
  for (const step of STEPS.slice(0, 3)) await admin.query(step);
  await admin.query(`
    INSERT INTO schema_version VALUES (3);
    INSERT INTO generations (id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at, finished_at)
    VALUES ('a', 'local', '/v1', 'r', 'f', 'q', 2, 'completed', 1, 2), ('b', 'local', '/v1', 'r', 'f', 'q', 1, 'failed', 1, 2);
    INSERT INTO plans VALUES (2, '"Other \\u0000"', '{}')`);
  await admin.query(`INSERT INTO plans VALUES (1, $1, '{}')`, [JSON.stringify(PROMPT_BEFORE_GALLERY)]);
  for (const values of eventsBeforeGallery('a', 'b', 'c')) {
    await admin.query({ text: 'INSERT INTO events VALUES ($1, $2, $3, $4)', values: [...values] });
  }
  await admin.end();
  const store = await openPostgresStore({ url });
  await checkBeforeGallery(store);
  await store.close();
});
