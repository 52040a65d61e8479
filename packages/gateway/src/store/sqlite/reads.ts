import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { UNSETTLED } from '../ledger-sql.ts';
import type { ListFilter } from '../store.ts';
import { type Columns, FROM, ROW, type Rows, type StoredColumns, type Values } from './rows.ts';

const UNDELIVERED_COLUMNS = 'number, id, caller, fingerprint, created_at AS createdAt, finished_at AS finishedAt';

/**
 * In three parts, each with the index that holds few rows of it (`+` keeps it from the others'); `finished_at` is null
 * until the end, so no row is in two.
 */
export const UNDELIVERED_SQL = `
  SELECT id, caller, fingerprint, createdAt, finishedAt FROM (
    SELECT ${UNDELIVERED_COLUMNS} FROM generations
    WHERE status = 'processing' AND status <> 'completed' AND +delivered_at IS NULL AND +task IS NULL
    UNION ALL
    SELECT ${UNDELIVERED_COLUMNS} FROM generations
    WHERE status = 'pending' AND status <> 'completed' AND +delivered_at IS NULL AND +task IS NULL
    UNION ALL
    SELECT ${UNDELIVERED_COLUMNS} FROM generations
    WHERE finished_at >= ? AND delivered_at IS NULL AND task IS NULL AND billed IS NOT 'no'
  ) ORDER BY createdAt, number LIMIT ?`;

/** The operations that only read generations. */
export function prepareReads(database: DatabaseSync, rows: Rows) {
  const selectUndelivered = database.prepare(UNDELIVERED_SQL);
  const lists = new Map<string, StatementSync>();

  return {
    /** By `LISTED_NAMES`. */
    list(filter: ListFilter): readonly Values[] {
      const { caller, before, limit } = filter;
      const sql = listSql(filter);
      const statement = lists.get(sql) ?? database.prepare(sql);
      statement.setReturnArrays(true);
      lists.set(sql, statement);
      const wanted = caller === undefined ? [] : [caller];
      const values = [...wanted, ...(before ? [before.createdAt, before.id] : []), limit];
      return statement.all(...values) as unknown as readonly Values[];
    },

    read: (id: string): StoredColumns | undefined => rows.byId(id),

    undelivered(since: number, limit: number): Columns[] {
      return selectUndelivered.all(since, limit);
    },
  };
}

/** Most are completed; the others have an index of their own. */
const RARE_STATUSES: readonly unknown[] = ['pending', 'processing', 'failed', 'canceled'];

/**
 * Status and code stand in the text as literals, and the condition of a partial index word for word: only then does
 * SQLite know that it serves. Those indexes are short, so `+` keeps it from reading everything of the caller instead.
 */
export function listSql({ caller, status, unknown, before }: ListFilter): string {
  const isRare = RARE_STATUSES.includes(status);
  const conditions = [
    ...(caller === undefined ? [] : [`${isRare || unknown ? '+' : ''}g.caller = ?`]),
    ...(isRare || status === 'completed' ? [`g.status = '${status}'`] : []),
    ...(isRare ? [`g.status <> 'completed'`] : []),
    ...(unknown ? [UNSETTLED] : []),
    ...(before ? ['(g.created_at, g.id) < (?, ?)'] : []),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return `SELECT ${ROW} ${FROM} ${where} ORDER BY g.created_at DESC, g.id DESC LIMIT ?`;
}
