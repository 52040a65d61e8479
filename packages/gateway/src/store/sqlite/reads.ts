import type { DatabaseSync } from 'node:sqlite';
import { type BrowsingDialect, pageSql } from '../browsing-sql.ts';
import type { Sql } from '../ledger-sql.ts';
import type { ListFilter } from '../store.ts';
import { type Columns, ROW, type Rows, type StoredColumns, type Values } from './rows.ts';
import { prepareAsked } from './statements.ts';

export const BROWSING: BrowsingDialect = {
  parameter: (number) => `?${number}`,
  position: 'instr',
  unindexed: (column) => `+${column}`,
};

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
  const asked = prepareAsked(database);

  return {
    /** By `LISTED_NAMES`. */
    list: (filter: ListFilter): readonly Values[] => asked.arrays(listSql(filter)),

    read: (id: string): StoredColumns | undefined => rows.byId(id),

    undelivered(since: number, limit: number): Columns[] {
      return selectUndelivered.all(since, limit);
    },
  };
}

export function listSql(filter: ListFilter): Sql {
  return pageSql(filter, ROW, BROWSING);
}
