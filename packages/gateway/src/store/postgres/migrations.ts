import type { Client } from 'pg';
import { StoreSchemaError } from '../errors.ts';
import { searchText } from '../search-text.ts';
import type { Database } from './connection.ts';
import { STEPS } from './schema.ts';

/** Any number that no other program takes for its own: 'onetake' on a telephone's keys. */
const SCHEMA_LOCK = 6_638_253;
const MIGRATION_TIMEOUT_MS = 600_000;
/** The version whose step takes the texts that are searched from prompts. */
const SEARCHED_SINCE = 4;
const FOLDED_AT_ONCE = 1_000;

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
  if (version > 0 && version < SEARCHED_SINCE) await foldSearchTexts(client);
  await client.query('DELETE FROM schema_version');
  await client.query('INSERT INTO schema_version VALUES ($1)', [STEPS.length]);
}

/** The locale of a database may know no capitals but those of ASCII; every text is folded as a new one is. */
async function foldSearchTexts(client: Client): Promise<void> {
  for (let last: unknown = 0; last !== undefined; ) {
    const { rows } = await client.query(
      `SELECT generation, text FROM search_texts WHERE generation > $1 AND text ~ '[^[:ascii:]]'
       ORDER BY generation LIMIT ${FOLDED_AT_ONCE}`,
      [last],
    );
    const folded = rows.map(({ generation, text }) => ({ generation, text: searchText(String(text)) }));
    await client.query(
      `UPDATE search_texts s SET text = w.text FROM json_to_recordset($1::json) AS w (generation bigint, text text)
       WHERE s.generation = w.generation`,
      [JSON.stringify(folded)],
    );
    last = rows.length < FOLDED_AT_ONCE ? undefined : rows.at(-1)?.generation;
  }
}
