import type { Client } from 'pg';
import { StoreSchemaError } from '../errors.ts';
import type { Database } from './connection.ts';
import { STEPS } from './schema.ts';

/** Any number that no other program takes for its own: 'onetake' on a telephone's keys. */
const SCHEMA_LOCK = 6_638_253;
const MIGRATION_TIMEOUT_MS = 600_000;

/**
 * Brings the schema `onetake` of the database up to date. Of several nodes that start at once one does it and the
 * others wait. A user who may not create schemas can be given an empty one.
 *
 * @throws {StoreSchemaError} a newer version wrote it
 */
export async function migrate(client: Client, database: Database): Promise<void> {
  try {
    await checkEncoding(client);
    await client.query('BEGIN');
    await client.query(`SET LOCAL statement_timeout TO ${MIGRATION_TIMEOUT_MS}`);
    await client.query(`SELECT pg_advisory_xact_lock(${SCHEMA_LOCK})`);
    const version = await readVersion(client);
    if (version > STEPS.length) throw new StoreSchemaError(`PostgreSQL at ${database.name}`, version, STEPS.length);
    if (version < STEPS.length) await takeSteps(client, version);
    await client.query('COMMIT');
  } catch (error) {
    throw error instanceof StoreSchemaError ? error : database.fault('its schema cannot be brought up to date', error);
  }
}

async function checkEncoding(client: Client): Promise<void> {
  const { rows } = await client.query('SHOW server_encoding');
  const { server_encoding: encoding } = rows[0] ?? {};
  if (encoding === 'UTF8') return;
  throw new Error(`its encoding is ${encoding} and must be UTF8; create it with ENCODING 'UTF8' TEMPLATE template0`);
}

async function readVersion(client: Client): Promise<number> {
  const { rows } = await client.query(`SELECT to_regclass('onetake.schema_version') IS NOT NULL AS there`);
  if (rows[0]?.there !== true) return 0;
  const found = await client.query('SELECT version FROM onetake.schema_version');
  return Number(found.rows[0]?.version ?? 0);
}

async function takeSteps(client: Client, version: number): Promise<void> {
  const { rows } = await client.query(`SELECT to_regnamespace('onetake') IS NOT NULL AS there`);
  if (rows[0]?.there !== true) await client.query('CREATE SCHEMA onetake');
  await client.query('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
  for (const step of STEPS.slice(version)) await client.query(step);
  await client.query('DELETE FROM schema_version');
  await client.query('INSERT INTO schema_version VALUES ($1)', [STEPS.length]);
}
