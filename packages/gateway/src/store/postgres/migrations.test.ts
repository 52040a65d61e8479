import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from 'pg';
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
