import { DatabaseError, Pool } from 'pg';
import { type BrowsingDialect, pageSql } from '../browsing-sql.ts';
import { StoreClosedError, StoreOverloadedError } from '../errors.ts';
import type { Sql } from '../ledger-sql.ts';
import type { IdempotencyScope, ListFilter, Place, QueueState } from '../store.ts';
import { type Database, prepareSession } from './connection.ts';
import type { Lane } from './lane.ts';
import { ROW, WITH_JOURNALS } from './rows.ts';
import type { Columns, Parameter, Statement } from './verb.ts';

/** Statements that change nothing, on a few connections of their own, in no order. */
export interface Reader {
  /** Sees all that the lane was told to do before. */
  readBehind(
    lane: Pick<Lane, 'settled'>,
    statement: Statement,
    values: readonly Parameter[],
  ): Promise<readonly Columns[]>;
  /** Waits for what is being read and takes no more. */
  close(): Promise<void>;
}

export interface ReaderOptions {
  readonly database: Database;
  readonly connections: number;
  readonly maxQueued: number;
}

const IDLE_MS = 30_000;
/** SQLSTATEs of a session that the server ended: class 57P, and 08 for the connection itself. */
const ENDED = /^(?:57P|08)/;

export function createReader({ database, connections, maxQueued }: ReaderOptions): Reader {
  const pool = new Pool({
    ...database.config,
    max: connections,
    idleTimeoutMillis: IDLE_MS,
    onConnect: (client) => prepareSession(client),
  });
  // An idle connection that is lost leaves the pool; nobody waits for it.
  pool.on('error', () => {});
  let reading = 0;
  let closed = false;
  let onIdle = () => {};

  async function ask(statement: Statement, values: readonly Parameter[]): Promise<readonly Columns[]> {
    const query = { ...statement, values: [...values] };
    try {
      return (await pool.query(query)).rows;
    } catch (error) {
      // A connection that was lost while it lay idle says nothing about the server.
      if (error instanceof DatabaseError && !ENDED.test(error.code ?? '')) throw error;
      return (await pool.query(query)).rows;
    }
  }

  return {
    async readBehind(lane, statement, values) {
      if (closed) throw new StoreClosedError('close() was called');
      if (reading >= maxQueued) throw new StoreOverloadedError(maxQueued);
      reading += 1;
      try {
        await lane.settled();
        return await ask(statement, values);
      } catch (error) {
        throw database.fault('it cannot be read', error);
      } finally {
        reading -= 1;
        if (reading === 0) onIdle();
      }
    },

    async close() {
      closed = true;
      // A pool that ends forgets who waits for a connection.
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
      });
      if (reading > 0) await idle;
      await pool.end();
    },
  };
}

const FROM = 'FROM generations g JOIN plans p ON p.generation = g.number';

export const STORED_BYTES: Statement = {
  name: 'stored-bytes',
  text: `
    SELECT coalesce(sum(bytes), 0)::float8 - (SELECT coalesce(sum(bytes), 0)::float8 FROM cache_entries) AS bytes
    FROM assets`,
};

export const READ: Statement = { name: 'read', text: `SELECT ${WITH_JOURNALS} ${FROM} WHERE g.id = $1` };

export const FIND_IDEMPOTENT: Statement = {
  name: 'find-idempotent',
  text: `
    SELECT g.id, g.fingerprint FROM idempotency i JOIN generations g ON g.id = i.generation
    WHERE i.caller = $1 AND i.endpoint = $2 AND i.key = $3 AND i.expires_at > $4 AND g.billed IS DISTINCT FROM 'no'`,
};

export function idempotencyValues({ caller, endpoint, key }: IdempotencyScope, now: number): readonly Parameter[] {
  return [caller, endpoint, key, now];
}

/** Gathered before it is sorted: in the order of age the planner would read everything that was ever delivered. */
export const UNDELIVERED: Statement = {
  name: 'undelivered',
  text: `
    WITH undelivered AS MATERIALIZED (
      SELECT number, id, caller, fingerprint, created_at, finished_at FROM generations
      WHERE delivered_at IS NULL AND task IS NULL
        AND (finished_at IS NULL OR (finished_at >= $1 AND billed IS DISTINCT FROM 'no'))
    )
    SELECT id, caller, fingerprint, created_at AS "createdAt", finished_at AS "finishedAt"
    FROM undelivered ORDER BY created_at, number LIMIT $2`,
};

export const BROWSING: BrowsingDialect = {
  parameter: (number) => `$${number}`,
  position: 'strpos',
  unindexed: (column) => column,
};

export function listSql(filter: ListFilter): Sql {
  return pageSql(filter, ROW, BROWSING);
}

export const PLACE: Statement = {
  name: 'place',
  text: `
    SELECT a.ahead, a."aheadCost" FROM generations g CROSS JOIN LATERAL (
      SELECT count(*) AS ahead, coalesce(sum(b.cost), 0) AS "aheadCost" FROM generations b
      WHERE b.status = 'pending' AND b.queue = g.queue AND (b.tag, b.number) < (g.tag, g.number)
    ) a
    WHERE g.id = $1 AND g.status = 'pending'`,
};

/** One row per lane, with the head of its queue. */
export const QUEUES: Statement = {
  name: 'queues',
  text: `
    WITH lanes AS (
      SELECT queue, caller, priority, count(*) AS waiting, max(tag + cost) AS "lastFinish"
      FROM generations WHERE status = 'pending' GROUP BY queue, caller, priority
    ), heads AS (
      SELECT q.queue, h.tag, h.images FROM (SELECT DISTINCT queue FROM lanes) q CROSS JOIN LATERAL (
        SELECT tag, images FROM generations g WHERE g.status = 'pending' AND g.queue = q.queue ORDER BY tag, number LIMIT 1
      ) h
    )
    SELECT l.*, h.tag, h.images FROM lanes l JOIN heads h ON h.queue = l.queue`,
};

export function queueStates(rows: readonly Columns[]): readonly QueueState[] {
  const queues = new Map<string, { head: QueueState['head']; lanes: QueueState['lanes'][number][] }>();
  for (const { queue, tag, images, caller, priority, waiting, lastFinish } of rows) {
    const state = queues.get(String(queue)) ?? { head: { tag: Number(tag), images: Number(images) }, lanes: [] };
    const lane = { caller: String(caller), waiting: Number(waiting), lastFinish: Number(lastFinish) };
    state.lanes.push({ ...lane, priority: priority as Place['priority'] });
    queues.set(String(queue), state);
  }
  return [...queues].map(([queue, state]) => ({ queue, ...state }));
}

export const READ_CELL: Statement = { name: 'read-cell', text: 'SELECT key, version, value FROM cells WHERE key = $1' };

export const READ_CELLS: Statement = {
  name: 'read-cells',
  text: 'SELECT key, version, value FROM cells WHERE key >= $1 AND starts_with(key, $1) ORDER BY key',
};

export const READ_PICTURE: Statement = {
  name: 'read-picture',
  text: 'SELECT bytes FROM pictures WHERE hash = $1 AND type = $2',
};
