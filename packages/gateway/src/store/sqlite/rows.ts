import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { LISTED_BESIDE } from '../browsing-sql.ts';

/** A row as SQLite gives it: by column, with null for what is absent. */
export type Columns = Record<string, SQLOutputValue>;

/** A row as values in the order of its names, which would otherwise cross between threads with every row. */
export type Values = readonly SQLOutputValue[];

/** A generation with its plan, still JSON, its place while it waits, and its events as [run, JSON] in order. */
export interface StoredColumns {
  /** By `STORED_NAMES`. */
  readonly row: Values;
  readonly place: Columns | undefined;
  readonly events: readonly (readonly [run: number, event: string])[];
}

/** What a list tells of a generation, by the names it has there. */
const LISTED = {
  id: 'g.id',
  caller: 'g.caller',
  endpoint: 'g.endpoint',
  route: 'g.route',
  prompt: 'p.prompt',
  status: 'g.status',
  createdAt: 'g.created_at',
  finishedAt: 'g.finished_at',
  deliveredAt: 'g.delivered_at',
  code: 'g.code',
  billed: 'g.billed',
  target: 'g.target',
  costUsd: 'g.cost_usd',
  possibleUsd: 'g.possible_usd',
  settledAt: 'g.settled_at',
  settled: 'g.settled',
} as const;
const STORED = {
  number: 'g.number',
  ...LISTED,
  fingerprint: 'g.fingerprint',
  requestId: 'g.request_id',
  cancelRequestedAt: 'g.cancel_requested_at',
  tag: 'g.tag',
  runs: 'g.runs',
  task: 'g.task',
  webhook: 'g.webhook',
  plan: 'p.plan',
} as const;

/** What a search tells of it. */
const FOUND = { ...LISTED, ...LISTED_BESIDE } as const;

export const LISTED_NAMES: readonly string[] = Object.keys(LISTED);
export const FOUND_NAMES: readonly string[] = Object.keys(FOUND);
export const STORED_NAMES: readonly string[] = Object.keys(STORED);
const FROM = 'FROM generations g JOIN plans p ON p.generation = g.number';
export const ROW: string = selection(LISTED);
export const FOUND_ROW: string = selection(FOUND);

/** A row by the names of its values, without those that are null. */
export function named(names: readonly string[], values: Values): Columns {
  const columns: Columns = {};
  for (const [index, name] of names.entries()) {
    const value = values[index] ?? null;
    if (value !== null) columns[name] = value;
  }
  return columns;
}

/** Whole generations, by id or by number. */
export function prepareRows(database: DatabaseSync) {
  const selectById = database.prepare(`SELECT ${selection(STORED)} ${FROM} WHERE g.id = ?`);
  const selectByNumber = database.prepare(`SELECT ${selection(STORED)} ${FROM} WHERE g.number = ?`);
  const selectByNumbers = database.prepare(
    `SELECT ${selection(STORED)} ${FROM} WHERE g.number IN (SELECT value FROM json_each(?))`,
  );
  const selectEvents = database.prepare('SELECT run, event FROM events WHERE generation = ? ORDER BY run, seq');
  for (const statement of [selectById, selectByNumber, selectByNumbers, selectEvents]) statement.setReturnArrays(true);
  const selectPlace = database.prepare(`
    SELECT queue, tag, cost, priority, images, deadline_at AS deadlineAt FROM waiting WHERE generation = ?`);

  function stored(row: Values): StoredColumns {
    const number = Number(row[0]);
    const place = selectPlace.get(number);
    // What waits has no journal yet.
    return { row, place, events: place ? [] : (selectEvents.all(number) as unknown as StoredColumns['events']) };
  }

  return {
    byId(id: string): StoredColumns | undefined {
      const row = selectById.get(id) as Values | undefined;
      return row && stored(row);
    },

    byNumber(number: number): StoredColumns | undefined {
      const row = selectByNumber.get(number) as Values | undefined;
      return row && stored(row);
    },

    /** Those that just stopped waiting, so that their journals are known to be empty; in the order asked. */
    fresh(numbers: readonly number[]): readonly StoredColumns[] {
      const found = selectByNumbers.all(JSON.stringify(numbers)) as unknown as readonly Values[];
      const byNumber = new Map(found.map((row) => [row[0], row]));
      return numbers.flatMap((number) => {
        const row = byNumber.get(number);
        return row ? [{ row, place: undefined, events: [] }] : [];
      });
    },
  };
}

export type Rows = ReturnType<typeof prepareRows>;

function selection(columns: Readonly<Record<string, string>>): string {
  return Object.entries(columns)
    .map(([name, column]) => `${column} AS ${name}`)
    .join(', ');
}
