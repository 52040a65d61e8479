import type { DatabaseSync } from 'node:sqlite';
import { countedAt } from '../budget-use.ts';
import type { AssetFilter, CostFilter, FailureFilter, Settlement } from '../ledger.ts';
import type { BookedColumns, LedgerColumns, LedgerOrigin } from '../ledger-row.ts';
import { assetsSql, costsSql, type Dialect, DOUBTFUL, failuresSql, findByRequestIdSql } from '../ledger-sql.ts';
import { type Doubtful, type DoubtfulLine, settled } from '../settlement.ts';
import { prepareBudgets, type ReleasedHold } from './budgets.ts';
import type { Columns } from './rows.ts';
import { prepareAsked } from './statements.ts';

/** Lines that one call removes for each generation it may. */
const LINES_PER_GENERATION = 10;

const DIALECT: Dialect = {
  parameter: (number) => `?${number}`,
  list: (column) => `json_group_array(${column})`,
};

/** The operations on the ledger, and `record`, which is part of `append`. */
export function prepareLedger(database: DatabaseSync) {
  const { hold, uses, release, count, forget, expireWindows } = prepareBudgets(database);
  const insert = prepareInsert(database);
  const removeOld = database.prepare(`
    DELETE FROM ledger WHERE number IN (SELECT number FROM ledger WHERE started_at < ? ORDER BY started_at LIMIT ?)`);

  function write(origin: LedgerOrigin, line: LedgerColumns, held: ReleasedHold | undefined): void {
    const at = countedAt(line.startedAt, held);
    const kept = held && line.keepsBeyond !== null ? Math.max(0, held.microUsd - line.keepsBeyond) : null;
    insert(origin, line, at, kept);
    count(origin.caller, at, {
      micro_usd: { spent: line.spent ?? 0, held: line.possible ?? kept ?? 0 },
      images: { spent: line.images, held: line.possibleImages },
    });
  }

  return {
    forget,

    /** Writes the lines of a generation that is finished, in the place of what it held. */
    record(origin: LedgerOrigin, lines: readonly LedgerColumns[]): void {
      const released = release(origin.generation, origin.caller);
      for (const line of lines) write(origin, line, released.get(line.run));
    },

    expireLedger(before: number, limit: number): void {
      removeOld.run(before, limit * LINES_PER_GENERATION);
      expireWindows(before, limit);
    },

    operations: {
      hold,
      uses,
      settle: prepareSettlement(database, count),
      ...prepareQuestions(database),

      book(lines: readonly BookedColumns[]): void {
        for (const { origin, line } of lines) write(origin, line, undefined);
      },
    },
  };
}

export type LedgerParts = ReturnType<typeof prepareLedger>;

function prepareInsert(database: DatabaseSync) {
  const insert = database.prepare(`
    INSERT INTO ledger (
      generation, caller, route, makes, request_id, run, attempt, started_at, ended_at, provider, target, role, images,
      spent, possible, possible_images, saved, priced, kind, certainty, code, message, status, provider_request_id,
      fingerprint, counted_at, kept
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return (origin: LedgerOrigin, line: LedgerColumns, at: number, kept: number | null): void => {
    const { generation, caller, route, makes, requestId } = origin;
    const { run, attempt, startedAt, endedAt, provider, target, role, images, spent, possible, possibleImages } = line;
    const { saved, priced, kind, certainty, code, message, status, providerRequestId, fingerprint } = line;
    insert.run(
      ...[
        generation,
        caller,
        route,
        makes,
        requestId,
        run,
        attempt,
        startedAt,
        endedAt,
        provider,
        target,
        role,
        images,
      ],
      ...[spent, possible, possibleImages, saved, priced, kind, certainty, code, message, status, providerRequestId],
      ...[fingerprint, at, kept],
    );
  };
}

function prepareSettlement(database: DatabaseSync, count: ReturnType<typeof prepareBudgets>['count']) {
  const find = database.prepare(`
    SELECT caller, billed, cost_usd AS costUsd, possible_usd AS possibleUsd, EXISTS (
      SELECT 1 FROM ledger WHERE generation = id AND (spent IS NULL OR spent > 0 OR images > 0)
    ) AS isBilled, EXISTS (SELECT 1 FROM ledger WHERE generation = id) AS hasLines
    FROM generations WHERE id = ?`);
  const selectDoubtful = database.prepare(`
    SELECT number, counted_at AS at, possible, kept, possible_images AS images FROM ledger
    WHERE generation = ? AND ${DOUBTFUL} ORDER BY number`);
  const settleLine = database.prepare(`
    UPDATE ledger
    SET spent = spent + ?, images = images + ?, possible = 0, possible_images = 0, kept = NULL, priced = 'settled'
    WHERE number = ?`);
  const settleRow = database.prepare(`
    UPDATE generations SET billed = ?, cost_usd = ?, possible_usd = NULL, settled_at = ?, settled = ? WHERE id = ?`);

  return (settlement: Settlement): 'settled' | 'not_unknown' | 'not_found' => {
    const { generation, verdict, at } = settlement;
    const row = find.get(generation);
    if (row === undefined) return 'not_found';
    if (row.billed !== 'maybe') return 'not_unknown';
    // The queries name these columns, and type them.
    const known = row as unknown as Pick<Doubtful, 'costUsd' | 'possibleUsd'>;
    const doubtful = selectDoubtful.all(generation) as unknown as readonly DoubtfulLine[];
    // The bill of an answer that broke off is in its lines: they know it, whatever its failure says.
    if (row.hasLines === 1 && doubtful.length === 0) return 'not_unknown';
    const { billed, costUsd, lines } = settled({ ...known, isBilled: row.isBilled === 1, lines: doubtful }, settlement);
    for (const { number, at: counted, spent, images, released, releasedImages } of lines) {
      settleLine.run(spent, images, number);
      count(String(row.caller), counted, {
        micro_usd: { spent: spent ?? 0, held: -released },
        images: { spent: images, held: -releasedImages },
      });
    }
    settleRow.run(billed, costUsd, at, verdict, generation);
    return 'settled';
  };
}

/** What only reads. */
function prepareQuestions(database: DatabaseSync) {
  const { rows: all } = prepareAsked(database);
  const find = database.prepare(findByRequestIdSql(DIALECT));

  return {
    costs: (filter: CostFilter): Columns[] => all(costsSql(filter, DIALECT)),
    failures: (filter: FailureFilter): Columns[] => all(failuresSql(filter, DIALECT)),
    findByRequestId: (requestId: string): string[] => find.all(requestId).map(({ id }) => String(id)),
    listAssets: (filter: AssetFilter): Columns[] => all(assetsSql(filter, DIALECT)),
  };
}
