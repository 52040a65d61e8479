import type { DatabaseSync } from 'node:sqlite';
import type { BatchAnswer } from '../group-commit.ts';
import { prepareBrowsing } from './browsing.ts';
import { prepareCache } from './cache.ts';
import { prepareCells } from './cells.ts';
import { prepareCreation } from './creation.ts';
import { resultCode } from './database.ts';
import { prepareJournals } from './journals.ts';
import { prepareLeases } from './leases.ts';
import { prepareLedger } from './ledger.ts';
import { prepareLost } from './lost.ts';
import { preparePictures } from './pictures.ts';
import { prepareQueues } from './queues.ts';
import { prepareReads } from './reads.ts';
import { prepareReferences, prepareUnreferenced } from './references.ts';
import { prepareRetention } from './retention.ts';
import { prepareRows } from './rows.ts';
import { prepareWebhooks } from './webhooks.ts';

/** What the store's thread can do, by name. Arguments and results cross threads, so they are plain data. */
export type Operations = ReturnType<typeof prepareOperations>['operations'];

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

/**
 * Prepares every statement once. The batch throws, and has done nothing, when the disk fails.
 *
 * A savepoint copies every page that its operation touches, which costs as much as the operation. Operations hardly
 * ever fail, so a batch first runs without; when one does fail, the batch is undone and runs again with savepoints.
 */
export function prepareBatch(database: DatabaseSync): RunBatch {
  const { operations, forget } = prepareOperations(database);
  const transact = prepareTransaction(database, forget);
  const save = database.prepare('SAVEPOINT operation');
  const undo = database.prepare('ROLLBACK TO operation');
  const release = database.prepare('RELEASE operation');

  function attempt(operation: Operation): unknown {
    save.run();
    try {
      return perform(operations, operation);
    } catch (error) {
      if (database.isTransaction) undo.run();
      forget();
      throw error;
    } finally {
      if (database.isTransaction) release.run();
    }
  }

  function runEach(batch: readonly Operation[]): BatchAnswer {
    const failures: { index: number; message: string }[] = [];
    const results = batch.map((operation, index) => {
      try {
        return attempt(operation);
      } catch (error) {
        if (!isOperationFault(error)) throw error;
        failures.push({ index, message: error instanceof Error ? error.message : String(error) });
        return undefined;
      }
    });
    return { results, failures };
  }

  return (batch) => {
    try {
      return transact(() => ({ results: batch.map((operation) => perform(operations, operation)), failures: [] }));
    } catch (error) {
      if (!isOperationFault(error)) throw error;
      return transact(() => runEach(batch));
    }
  };
}

function isOperationFault(error: unknown): boolean {
  return OPERATION_FAULTS.includes(resultCode(error));
}

/** Runs as one transaction, undone as a whole when anything is thrown; `forget` hears of that. */
function prepareTransaction(database: DatabaseSync, forget: () => void) {
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  return <Result>(run: () => Result): Result => {
    begin.run();
    try {
      const result = run();
      commit.run();
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      forget();
      throw error;
    }
  };
}

function prepareOperations(database: DatabaseSync) {
  const rows = prepareRows(database);
  const refer = prepareReferences(database);
  const removeUnreferenced = prepareUnreferenced(database);
  const { wait, ...queues } = prepareQueues(database, rows);
  const { put, ...webhooks } = prepareWebhooks(database);
  const { forget, record, expireLedger, operations: ledger } = prepareLedger(database);
  const operations = {
    ...prepareCreation(database, refer, wait),
    ...prepareJournals(database, refer, put, record),
    ...prepareReads(database, rows),
    ...prepareBrowsing(database),
    ...prepareLeases(database, rows),
    ...prepareLost(database),
    ...prepareRetention(database, removeUnreferenced, expireLedger),
    ...prepareCache(database, removeUnreferenced),
    ...preparePictures(database),
    ...prepareCells(database),
    ...queues,
    ...webhooks,
    ...ledger,
  };
  return { operations, forget };
}

function perform(operations: Operations, [name, ...args]: Operation): unknown {
  return (operations[name] as (...args: readonly unknown[]) => unknown)(...args);
}
