import { heldAt, ledgerUseSql, NEVER, refusing } from '../budget-use.ts';
import type { Hold, HoldAnswer, Window } from '../ledger.ts';
import { type Columns, type Counts, type Statement, type Transaction, touching, type Verb } from './verb.ts';

/** Any number besides those of the schema and of retention. */
const BUDGET_LOCK = 6_638_255;

const LOCK_ALONE: Statement = { name: 'lock-budgets', text: `SELECT pg_advisory_xact_lock(${BUDGET_LOCK})` };
const LOCK_TOGETHER: Statement = {
  name: 'share-budgets',
  text: `SELECT pg_advisory_xact_lock_shared(${BUDGET_LOCK})`,
};
const LOCK_SUMS: Statement = {
  name: 'lock-sums',
  text: `
    SELECT FROM budget_uses WHERE caller IN (
      SELECT unnest($1::text[]) COLLATE "C" UNION SELECT caller FROM generations WHERE id = ANY($2::text[])
    )
    ORDER BY caller, name, unit, since FOR UPDATE`,
};

/**
 * Locks what a transaction changes of the budgets before it does anything else, so that who waits here holds nothing
 * another waits for. A hold decides by sums and may begin a window, so it is alone; ends of generations only add to
 * sums, go side by side, and lock those in one order.
 */
export function lockBudgets({ query }: Transaction, counts: readonly Counts[]): Promise<unknown> {
  if (counts.length === 0) return Promise.resolve();
  if (counts.includes('anything')) return query(LOCK_ALONE, []);
  const named = counts.flatMap((one) => (one === 'anything' ? [] : [one]));
  const callers = named.flatMap((one) => one.callers ?? []);
  const generations = named.flatMap((one) => one.generations ?? []);
  return Promise.all([query(LOCK_TOGETHER, []), query(LOCK_SUMS, [callers, generations])]);
}

const OPEN: Statement = {
  name: 'hold-open',
  text: `
    SELECT w.position FROM json_to_recordset($1::json) AS w (position integer, generation text, caller text)
    JOIN generations g ON g.id = w.generation AND g.caller = w.caller AND g.finished_at IS NULL`,
};
const HOLDS: Statement = {
  name: 'hold-held',
  text: `
    SELECT x.generation, x.run, x.caller, x.name, x.unit, x.since, x.until, x.at, x.amount
    FROM (
      SELECT DISTINCT generation, run FROM json_to_recordset($1::json) AS w (generation text, run integer)
    ) w
    JOIN holds x ON x.generation = w.generation AND x.run = w.run`,
};

const WINDOWS = 'w (caller text, name text, unit text, since bigint, until bigint)';

/** Sums are kept of the windows that were used; of the others they are made anew. */
export const USES: Statement = {
  name: 'uses',
  text: `
  SELECT w.caller, w.name, w.unit, w.since, coalesce(b.spent, l.spent) AS spent, coalesce(b.held, l.held) AS held
  FROM json_to_recordset($1::json) AS ${WINDOWS}
  LEFT JOIN budget_uses b ON b.caller = w.caller AND b.name = w.name AND b.unit = w.unit AND b.since = w.since
  CROSS JOIN LATERAL (${ledgerUseSql({
    caller: 'CASE WHEN b.caller IS NULL THEN w.caller END COLLATE "C"',
    unit: 'w.unit',
    since: 'w.since',
    until: 'w.until',
  })}) l`,
};

const REMOVE: Statement = {
  name: 'hold-remove',
  text: `
    DELETE FROM holds x USING json_to_recordset($1::json) AS w (generation text, run integer)
    WHERE x.generation = w.generation AND x.run = w.run`,
};
const WRITE_HOLDS: Statement = {
  name: 'hold-write',
  text: `
    INSERT INTO holds (generation, run, caller, name, unit, since, until, at, amount)
    SELECT generation, run, caller, name, unit, since, until, at, amount FROM json_to_recordset($1::json) AS w (
      generation text, run integer, caller text, name text, unit text, since bigint, until bigint, at bigint,
      amount bigint)`,
};
const WRITE_USES: Statement = {
  name: 'hold-sums',
  text: `
    INSERT INTO budget_uses (caller, name, unit, since, until, spent, held)
    SELECT caller, name, unit, since, until, spent, held FROM json_to_recordset($1::json) AS w (
      caller text, name text, unit text, since bigint, until bigint, spent bigint, held bigint)
    ON CONFLICT (caller, name, unit, since) DO UPDATE SET held = excluded.held`,
};

interface Sums extends WindowRow {
  readonly spent: number;
  readonly held: number;
}

interface WindowRow {
  readonly caller: string;
  readonly name: string;
  readonly unit: Window['unit'];
  readonly since: number;
  readonly until: number;
}

interface HoldRow extends WindowRow {
  readonly generation: string;
  readonly run: number;
  readonly at: number;
  readonly amount: number;
}

/**
 * Undefined where no summary would end the hold. Nobody else changes a sum meanwhile, so all of them are decided here,
 * one after the other, and written at once. It may be answered before a summary that was submitted just before it.
 */
export const hold: Verb<Hold, HoldAnswer | undefined> = {
  touches: ({ generation }) => [touching.generation(generation)],
  counts: () => 'anything',
  joins: true,
  inSteps: true,

  async run({ query }, operations) {
    const asked = JSON.stringify(
      operations.map(({ generation, run, caller }, position) => ({ position, generation, run, caller })),
    );
    const [open, before] = await Promise.all([query(OPEN, [asked]), query(HOLDS, [asked])]);
    // The queries name these columns, and type them.
    const held = before.map((row) => row as unknown as HoldRow);
    const windows = [...new Map([...operations.flatMap(windowsOf), ...held].map((row) => [keyOf(row), row])).values()];
    const found = await query(USES, [JSON.stringify(windows)]);
    const book = createBook(windows, held, found);
    const isOpen = new Set(open.map(({ position }) => position));
    const answers = operations.map((one, position) => (isOpen.has(position) ? book.hold(one) : undefined));
    const { runs, holds, sums } = book.changes();
    if (runs.length > 0) {
      const written: readonly (readonly [Statement, readonly object[]])[] = [
        [REMOVE, runs],
        [WRITE_HOLDS, holds],
        [WRITE_USES, sums],
      ];
      await Promise.all(written.map(([statement, rows]) => query(statement, [JSON.stringify(rows)])));
    }
    return answers;
  },
};

/** Holds and sums in memory, as they are before and after each hold. */
function createBook(windows: readonly WindowRow[], before: readonly HoldRow[], found: readonly Columns[]) {
  const sums = new Map(windows.map((row): [string, Sums] => [keyOf(row), { ...row, spent: 0, held: 0 }]));
  for (const row of found) {
    const key = keyOf(row as unknown as WindowRow);
    const known = sums.get(key);
    if (known) sums.set(key, { ...known, spent: Number(row.spent), held: Number(row.held) });
  }
  const byRun = new Map<string, readonly HoldRow[]>();
  for (const row of before) byRun.set(runKey(row), [...(byRun.get(runKey(row)) ?? []), row]);
  const changedRuns = new Map<string, { readonly generation: string; readonly run: number }>();
  const changedSums = new Set<string>();

  function add(key: string, amount: number): void {
    const known = sums.get(key);
    if (known) sums.set(key, { ...known, held: Math.max(0, known.held + amount) });
    changedSums.add(key);
  }

  return {
    hold(wanted: Hold): HoldAnswer {
      const { generation, run } = wanted;
      const held = byRun.get(runKey(wanted)) ?? [];
      const rows = windowsOf(wanted).map((window, index): HoldRow & { readonly bound: Hold['bounds'][number] } => ({
        ...{ ...window, generation, run, at: heldAt(wanted), bound: wanted.bounds[index] as Hold['bounds'][number] },
        amount: window.unit === 'images' ? wanted.images : wanted.microUsd,
      }));
      const uses = rows.map(({ bound, amount, ...window }) => {
        const { spent, held: all } = sums.get(keyOf(window)) ?? { spent: 0, held: 0 };
        const same = held.find((one) => keyOf(one) === keyOf(window));
        return { bound, amount, before: same?.amount ?? 0, spent, held: all };
      });
      const refused = refusing(uses);
      if (refused) return { kind: 'refused', ...refused };
      for (const row of held) add(keyOf(row), -row.amount);
      for (const row of rows) add(keyOf(row), row.amount);
      byRun.set(
        runKey(wanted),
        rows.map(({ bound: _, ...row }) => row),
      );
      changedRuns.set(runKey(wanted), { generation, run });
      return { kind: 'held' };
    },

    changes: () => ({
      runs: [...changedRuns.values()],
      holds: [...changedRuns.keys()].flatMap((key) => byRun.get(key) ?? []),
      sums: [...changedSums].flatMap((key) => sums.get(key) ?? []),
    }),
  };
}

function windowsOf({ caller, bounds }: Pick<Hold, 'caller' | 'bounds'>): readonly WindowRow[] {
  return bounds.map((bound) => windowRow(caller, bound));
}

export function windowRow(caller: string, { name, unit, since, until = NEVER }: Window): WindowRow {
  return { caller, name, unit, since, until };
}

function keyOf({ caller, name, unit, since }: WindowRow): string {
  return JSON.stringify([caller, name, unit, since]);
}

function runKey({ generation, run }: { readonly generation: string; readonly run: number }): string {
  return `${run} ${generation}`;
}
