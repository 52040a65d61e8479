import type { DatabaseSync } from 'node:sqlite';
import type { BatchAnswer } from '../group-commit.ts';
import { resultCode } from './database.ts';
import { preparePictures } from './pictures.ts';
import { prepareReads } from './reads.ts';
import { prepareRetention } from './retention.ts';
import { prepareWrites } from './writes.ts';

/** What the store's thread can do, by name. Arguments and results cross threads, so they are plain data. */
export type Operations = ReturnType<typeof prepareOperations>;

export type Operation = {
  [Name in keyof Operations]: readonly [Name, ...Parameters<Operations[Name]>];
}[keyof Operations];

/** Runs operations in order as one transaction; when it returns, all of them are durable but those in `failures`. */
export type RunBatch = (operations: readonly Operation[]) => BatchAnswer;

/**
 * Errors that belong to one operation: a constraint, a value too large or of the wrong type. Any other result code
 * says that the disk or the file fails, and then nothing of the batch can be trusted.
 */
const OPERATION_FAULTS: readonly (number | undefined)[] = [undefined, 18, 19, 20, 25];

/** Prepares every statement once. The batch throws, and has done nothing, when the disk fails. */
export function prepareBatch(database: DatabaseSync): RunBatch {
  const operations = prepareOperations(database);
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const save = database.prepare('SAVEPOINT operation');
  const undo = database.prepare('ROLLBACK TO operation');
  const release = database.prepare('RELEASE operation');

  function attempt(operation: Operation): unknown {
    if (isOneStatement(operation)) return perform(operations, operation);
    save.run();
    try {
      return perform(operations, operation);
    } catch (error) {
      if (database.isTransaction) undo.run();
      throw error;
    } finally {
      if (database.isTransaction) release.run();
    }
  }

  return (batch) => {
    const results: unknown[] = [];
    const failures: { index: number; message: string }[] = [];
    begin.run();
    try {
      for (const [index, operation] of batch.entries()) {
        try {
          results.push(attempt(operation));
        } catch (error) {
          if (!OPERATION_FAULTS.includes(resultCode(error))) throw error;
          results.push(undefined);
          failures.push({ index, message: error instanceof Error ? error.message : String(error) });
        }
      }
      commit.run();
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
    return { results, failures };
  };
}

function prepareOperations(database: DatabaseSync) {
  return {
    ...prepareWrites(database),
    ...prepareReads(database),
    ...prepareRetention(database),
    ...preparePictures(database),
  };
}

/** SQLite undoes a failed statement by itself, so the hottest operations need no savepoint. */
function isOneStatement(operation: Operation): boolean {
  return (
    operation[0] === 'putPicture' ||
    (operation[0] === 'append' && operation[5].length === 1 && operation[6] === undefined)
  );
}

function perform(operations: Operations, [name, ...args]: Operation): unknown {
  return (operations[name] as (...args: readonly unknown[]) => unknown)(...args);
}
