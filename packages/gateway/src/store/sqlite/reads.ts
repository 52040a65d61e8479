import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ListFilter } from '../store.ts';

/** A row as SQLite gives it: by column, with null for what is absent. */
export type Columns = Record<string, SQLOutputValue>;

/** A generation with its plan, still JSON, and its events as [run, JSON] in order. */
export interface StoredColumns {
  readonly row: Columns;
  readonly events: readonly (readonly [run: number, event: string])[];
}

const ROW = `g.id, g.caller, g.endpoint, g.route, p.prompt, g.status, g.created_at AS createdAt,
  g.finished_at AS finishedAt, g.delivered_at AS deliveredAt, g.code, g.billed, g.target, g.cost_usd AS costUsd,
  g.possible_usd AS possibleUsd`;
const FROM = 'FROM generations g JOIN plans p ON p.generation = g.number';

/**
 * In two halves, each with the index that holds few rows of it (`+` keeps the first from the other's); `finished_at`
 * is null until the end, so no row is in both.
 */
export const UNDELIVERED_SQL = `
  SELECT id, caller, fingerprint, createdAt, finishedAt FROM (
    SELECT *, created_at AS createdAt, finished_at AS finishedAt FROM generations
    WHERE status = 'processing' AND +delivered_at IS NULL
    UNION ALL
    SELECT *, created_at AS createdAt, finished_at AS finishedAt FROM generations
    WHERE finished_at >= ? AND delivered_at IS NULL AND billed IS NOT 'no'
  ) ORDER BY createdAt, number LIMIT ?`;

/** The operations that read, and `claim`, which reads what it takes. */
export function prepareReads(database: DatabaseSync) {
  const selectOne = database.prepare(
    `SELECT ${ROW}, g.fingerprint, g.request_id AS requestId, g.runs, g.number, p.plan ${FROM} WHERE g.id = ?`,
  );
  const selectEvents = database.prepare('SELECT run, event FROM events WHERE generation = ? ORDER BY run, seq');
  selectEvents.setReturnArrays(true);
  const selectClaimable = database.prepare(`
    SELECT id FROM generations WHERE status = 'processing' AND lease_until <= ? ORDER BY created_at, id LIMIT ?`);
  const takeLease = database.prepare('UPDATE generations SET worker = ?, lease_until = ? WHERE id = ?');
  const selectUndelivered = database.prepare(UNDELIVERED_SQL);
  const lists = new Map<string, StatementSync>();

  function list(filter: ListFilter): Columns[] {
    const { caller, before, limit } = filter;
    const sql = listSql(filter);
    const statement = lists.get(sql) ?? database.prepare(sql);
    lists.set(sql, statement);
    const wanted = caller === undefined ? [] : [caller];
    return statement.all(...wanted, ...(before ? [before.createdAt, before.id] : []), limit);
  }

  function read(id: string): StoredColumns | undefined {
    const row = selectOne.get(id);
    if (row === undefined) return undefined;
    const events = selectEvents.all(Number(row.number)) as unknown as StoredColumns['events'];
    return { row, events };
  }

  return {
    list,
    read,

    claim(worker: string, now: number, until: number, limit: number): StoredColumns[] {
      return selectClaimable.all(now, limit).flatMap(({ id }) => {
        takeLease.run(worker, until, String(id));
        return read(String(id)) ?? [];
      });
    },

    undelivered(since: number, limit: number): Columns[] {
      return selectUndelivered.all(since, limit);
    },
  };
}

const STATUSES: readonly unknown[] = ['processing', 'completed', 'failed'];

/**
 * Status and code stand in the text as literals: only then does SQLite know that a partial index serves. Those
 * indexes are short, so `+` keeps it from reading everything of the caller instead.
 */
export function listSql({ caller, status, unknown, before }: ListFilter): string {
  const hasShortIndex = status === 'processing' || status === 'failed' || unknown === true;
  const conditions = [
    ...(caller === undefined ? [] : [`${hasShortIndex ? '+' : ''}g.caller = ?`]),
    ...(STATUSES.includes(status) ? [`g.status = '${status}'`] : []),
    ...(unknown ? [`g.code = 'outcome_unknown'`] : []),
    ...(before ? ['(g.created_at, g.id) < (?, ?)'] : []),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return `SELECT ${ROW} ${FROM} ${where} ORDER BY g.created_at DESC, g.id DESC LIMIT ?`;
}
