import type { DatabaseSync } from 'node:sqlite';
import { commonStretch, heldAt, ledgerUseSql, NEVER, refusing } from '../budget-use.ts';
import type { Hold, HoldAnswer, Window, WindowUse } from '../ledger.ts';
import type { Columns } from './rows.ts';

/** A window that the store keeps sums of. */
interface KnownWindow {
  readonly name: string;
  readonly unit: Window['unit'];
  readonly since: number;
  readonly until: number;
}

/** What one run held, where its lines count and how much money it was. */
export interface ReleasedHold {
  readonly at: number;
  readonly since: number;
  readonly until: number;
  readonly microUsd: number;
}

/** What changes in a window. */
export interface Use {
  readonly spent: number;
  readonly held: number;
}

/** Callers whose windows are remembered; which they are is read again when there were more. */
const MAX_REMEMBERED = 10_000;

const KEY = 'caller = ? AND name = ? AND unit = ? AND since = ?';

/** Sums of what is spent and held per caller and window, and the holds of runs that are not over. */
export function prepareBudgets(database: DatabaseSync) {
  const windows = prepareWindows(database);
  const selectHeld = database.prepare(`
    SELECT name, unit, amount, at, since, until FROM holds WHERE generation = ? AND run = ?`);
  const removeHeld = database.prepare('DELETE FROM holds WHERE generation = ? AND run = ?');
  const insertHold = database.prepare(`
    INSERT INTO holds (generation, run, caller, name, unit, amount, at, since, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const removeAll = database.prepare(`
    DELETE FROM holds WHERE generation = ? RETURNING run, name, unit, amount, at, since, until`);
  const findOpen = database.prepare('SELECT 1 FROM generations WHERE id = ? AND caller = ? AND finished_at IS NULL');

  return {
    forget: windows.forget,

    /** Undefined where no summary would end the hold. */
    hold(wanted: Hold): HoldAnswer | undefined {
      const { generation, run, caller, bounds } = wanted;
      if (findOpen.get(generation, caller) === undefined) return undefined;
      const held = selectHeld.all(generation, run);
      const uses = bounds.map((bound) => {
        const before = held.find((row) => isSame(row, bound))?.amount;
        const amount = bound.unit === 'images' ? wanted.images : wanted.microUsd;
        return { bound, amount, before: Number(before ?? 0), ...windows.read(caller, bound) };
      });
      const refused = refusing(uses);
      if (refused) return { kind: 'refused', ...refused };
      for (const row of held) windows.add(caller, windowOf(row), { spent: 0, held: -Number(row.amount) });
      removeHeld.run(generation, run);
      for (const { bound, amount, before, spent, held: all } of uses) {
        const { name, unit, since, until = NEVER } = bound;
        if (!windows.add(caller, bound, { spent: 0, held: amount })) {
          windows.begin(caller, bound, { spent, held: all - before + amount });
        }
        insertHold.run(generation, run, caller, name, unit, amount, heldAt(wanted), since, until);
      }
      return { kind: 'held' };
    },

    /** Ends what the runs of a generation hold. A caller without windows costs no statement. */
    release(generation: string, caller: string): ReadonlyMap<number, ReleasedHold> {
      const released = new Map<number, ReleasedHold>();
      if (windows.of(caller).length === 0) return released;
      for (const row of removeAll.all(generation)) {
        const window = windowOf(row);
        windows.add(caller, window, { spent: 0, held: -Number(row.amount) });
        const known = released.get(Number(row.run));
        const microUsd = window.unit === 'micro_usd' ? Number(row.amount) : 0;
        released.set(Number(row.run), {
          at: Number(row.at),
          ...commonStretch(known ? [window, known] : [window]),
          microUsd: Math.max(microUsd, known?.microUsd ?? 0),
        });
      }
      return released;
    },

    /** Adds what a line is to every window of its caller that it counts in. */
    count(caller: string, at: number, uses: Readonly<Record<Window['unit'], Use>>): void {
      for (const window of windows.of(caller)) {
        const use = uses[window.unit];
        if (at < window.since || at >= window.until || (use.spent === 0 && use.held === 0)) continue;
        windows.add(caller, window, use);
      }
    },

    uses: (caller: string, wanted: readonly Window[]): WindowUse[] =>
      wanted.map((window) => ({ name: window.name, ...windows.read(caller, window) })),

    /** Forgets sums of windows that ended before, unless a run still holds something of them. */
    expireWindows: windows.expire,
  };
}

function prepareWindows(database: DatabaseSync) {
  const select = database.prepare(`SELECT spent, held FROM budget_uses WHERE ${KEY}`);
  const insert = database.prepare(`
    INSERT INTO budget_uses (caller, name, unit, since, until, spent, held) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const change = database.prepare(`
    UPDATE budget_uses SET spent = max(0, spent + ?), held = max(0, held + ?) WHERE ${KEY}`);
  const selectAll = database.prepare('SELECT name, unit, since, until FROM budget_uses WHERE caller = ?');
  const remove = database.prepare(`
    DELETE FROM budget_uses WHERE (caller, name, unit, since) IN (
      SELECT caller, name, unit, since FROM budget_uses b WHERE until <= ? AND NOT EXISTS (
        SELECT 1 FROM holds h WHERE h.caller = b.caller AND h.name = b.name AND h.unit = b.unit AND h.since = b.since)
      LIMIT ?)`);
  const sum = database.prepare(ledgerUseSql({ caller: '?1', unit: '?2', since: '?3', until: '?4' }));
  const remembered = new Map<string, readonly KnownWindow[]>();

  return {
    read(caller: string, { name, unit, since, until = NEVER }: Window): Use {
      const row = select.get(caller, name, unit, since) ?? sum.get(caller, unit, since, until);
      return { spent: Number(row?.spent), held: Number(row?.held) };
    },

    begin(caller: string, { name, unit, since, until = NEVER }: Window, { spent, held }: Use): void {
      insert.run(caller, name, unit, since, until, spent, held);
      remembered.delete(caller);
    },

    /** False where there are no sums of this window. */
    add: (caller: string, { name, unit, since }: Window, { spent, held }: Use): boolean =>
      change.run(spent, held, caller, name, unit, since).changes > 0,

    of(caller: string): readonly KnownWindow[] {
      const known = remembered.get(caller) ?? selectAll.all(caller).map(windowOf);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(caller, known);
      return known;
    },

    expire(before: number, limit: number): void {
      if (remove.run(before, limit).changes > 0) remembered.clear();
    },

    /** What is remembered may come from a transaction that was undone. */
    forget: () => remembered.clear(),
  };
}

function windowOf(row: Columns): KnownWindow {
  const unit = row.unit === 'images' ? 'images' : 'micro_usd';
  return { name: String(row.name), unit, since: Number(row.since), until: Number(row.until) };
}

function isSame(row: Columns, { name, unit, since }: Window): boolean {
  return row.name === name && row.unit === unit && row.since === since;
}
