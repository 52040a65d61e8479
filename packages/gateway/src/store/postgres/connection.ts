import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientBase, type ClientConfig, TypeOverrides } from 'pg';
import { StoreUnavailableError } from '../errors.ts';

/** A PostgreSQL database: how to connect to it, and what to call it where people read. */
export interface Database {
  /** Host, port and database; never the user's password. */
  readonly name: string;
  readonly config: ClientConfig;
  /** An error that says what happened to the database and tells no password, with the reason's `code` where it has one. */
  readonly fault: (what: string, reason: unknown, maybeDone?: boolean) => Error;
}

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Beyond the server's own limit: only a server that says nothing at all lets it pass. */
const ANSWER_TIMEOUT_MS = 40_000;
/** A node that lies dead in the middle of a transaction holds its locks no longer. */
const IDLE_TRANSACTION_MS = 60_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
const GOODBYE_MS = 2_000;
const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 50;
const INT8 = 20;

/**
 * The planner may not have seen how much the tables hold, and every question asked here has an index: reading a table
 * whole, or hashing it, is never better. Compiling costs more than any statement here. A commit is not durable before
 * it is on the server's disk, whatever the server's default.
 */
const SESSION = `
  SET search_path TO onetake;
  SET client_encoding TO 'UTF8';
  SET statement_timeout TO ${STATEMENT_TIMEOUT_MS};
  SET idle_in_transaction_session_timeout TO ${IDLE_TRANSACTION_MS};
  SET default_transaction_isolation TO 'read committed';
  SET enable_seqscan TO off;
  SET enable_hashjoin TO off;
  SET enable_mergejoin TO off;
  SET jit TO off;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

/**
 * Reads `postgres://user:password@host:port/database`, with pg's parameters such as `?sslmode=require`.
 *
 * @throws {Error} it is no such URL; the message does not repeat it
 */
export function readDatabaseUrl(url: string): Database {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['postgres:', 'postgresql:'].includes(parsed.protocol)) {
    throw new Error(
      'the database URL is not of the form postgres://user:password@host:5432/database ' +
        '(characters such as / # @ in a password are written as %2F %23 %40)',
    );
  }
  const { searchParams } = parsed;
  const host = searchParams.get('host') ?? (parsed.hostname || 'localhost');
  const name = `${host}:${searchParams.get('port') ?? (parsed.port || '5432')}${parsed.pathname}`;
  const secrets = [parsed.password, decoded(parsed.password), searchParams.get('password') ?? ''];
  const numbers = new TypeOverrides();
  numbers.setTypeParser(INT8, Number);
  return {
    name,
    config: {
      connectionString: url,
      fallback_application_name: 'onetake',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      types: numbers,
    },
    fault: (what, reason, maybeDone = false) => faultOf(`PostgreSQL at ${name}: ${what}`, reason, secrets, maybeDone),
  };
}

/** Resolves with a connection that is ready for statements. `pipeline` sends them without waiting for answers. */
export async function connect(database: Database, { pipeline }: { readonly pipeline: boolean }): Promise<Client> {
  const client = new Client({ ...database.config, pipeline });
  // Without a listener a lost connection would end the process; whoever waits for an answer is told by its promise.
  client.on('error', () => {});
  try {
    await client.connect();
    await prepareSession(client);
    return client;
  } catch (error) {
    await disconnect(client);
    throw database.fault('cannot be reached', error);
  }
}

/** Tries again for a while, with pauses. */
export async function connectPatiently(database: Database, options: { readonly pipeline: boolean }): Promise<Client> {
  const until = performance.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    try {
      return await connect(database, options);
    } catch (error) {
      if (performance.now() + pauseMs > until) throw error;
    }
    await delay(pauseMs);
  }
}

export async function prepareSession(client: ClientBase): Promise<void> {
  await client.query(SESSION);
}

/** Says goodbye; a server that does not answer that is left without. */
export async function disconnect(client: Client): Promise<void> {
  const patience = new AbortController();
  const ended = client.end().catch(() => {});
  const waited = delay(GOODBYE_MS, undefined, { ref: false, signal: patience.signal }).catch(() => {});
  await Promise.race([ended, waited]);
  patience.abort();
  client.connection.stream.destroy();
}

function faultOf(what: string, reason: unknown, secrets: readonly string[], maybeDone: boolean): Error {
  let message = `${what}: ${wordsOf(reason)}`;
  for (const secret of secrets) if (secret !== '') message = message.replaceAll(secret, '***');
  return Object.assign(new StoreUnavailableError(message, maybeDone), codeOf(reason) && { code: codeOf(reason) });
}

/** Trying several addresses fails with an error that has no words of its own. */
function wordsOf(reason: unknown): string {
  if (reason instanceof AggregateError && reason.message === '') return reason.errors.map(wordsOf).join(', ');
  return reason instanceof Error ? reason.message : String(reason);
}

/** SQLSTATE of a server's error, or Node's code of the socket's. */
export function codeOf(reason: unknown): string | undefined {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
