import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Sql } from '../ledger-sql.ts';
import type { Columns, Values } from './rows.ts';

/** Statements of as many filters as are asked for at a time. */
const MAX_PREPARED = 100;

/** Asks what is composed when it is asked; statements are kept by their text. */
export function prepareAsked(database: DatabaseSync) {
  const prepared = new Map<string, StatementSync>();

  function statementOf(text: string): StatementSync {
    const known = prepared.get(text);
    if (known) return known;
    if (prepared.size >= MAX_PREPARED) prepared.clear();
    const statement = database.prepare(text);
    prepared.set(text, statement);
    return statement;
  }

  return {
    /** By column. */
    rows({ text, values }: Sql): Columns[] {
      const statement = statementOf(text);
      statement.setReturnArrays(false);
      return statement.all(...values);
    },

    /** By the order of the columns. */
    arrays({ text, values }: Sql): readonly Values[] {
      const statement = statementOf(text);
      statement.setReturnArrays(true);
      return statement.all(...values) as unknown as readonly Values[];
    },
  };
}
