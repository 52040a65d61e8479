import { type Client, DatabaseError } from 'pg';
import type { BatchAnswer } from '../group-commit.ts';
import type { Change } from '../store.ts';
import { lockBudgets } from './budgets.ts';
import { packChanges } from './changes.ts';
import { codeOf } from './connection.ts';
import { type Group, groupOperations } from './grouping.ts';
import type { Counts, Operation, Transaction } from './verb.ts';

/** The connection went while a batch was under way. */
export class LostConnectionError extends Error {
  /** Whether the server may have done all of the batch; otherwise it did nothing of it. */
  readonly maybeDone: boolean;

  constructor(reason: unknown, maybeDone: boolean) {
    super(reason instanceof Error ? reason.message : String(reason));
    this.name = 'LostConnectionError';
    this.maybeDone = maybeDone;
  }
}

export interface BatchResult extends BatchAnswer {
  /** Each once, however often it happened. */
  readonly changes: readonly Change[];
}

const RETRIES = 5;
/** Two transactions that waited for each other, of which this one was sacrificed; nothing of it was done. */
const SACRIFICED: readonly (string | undefined)[] = ['40001', '40P01'];
/** Classes of SQLSTATE that belong to one operation: its values, a constraint, a size. */
const OPERATION_FAULTS = /^(?:21|22|23|54)/;
const NOTIFY = { name: 'tell', text: "SELECT pg_notify('onetake', payload) FROM unnest($1::text[]) AS payload" };

/**
 * Runs operations as one transaction that takes effect in their order; when it resolves, all of them are durable but
 * those in `failures`. First all at once; only when one of them is at fault each by itself, which takes longer. It
 * rejects with the server's error where nothing of the batch was done.
 *
 * @throws {LostConnectionError} the connection can be used no more
 */
export async function runBatch(client: Client, operations: readonly Operation[]): Promise<BatchResult> {
  const groups = groupOperations(operations);
  let perform = performAtOnce;
  for (let tries = 1; ; tries += 1) {
    let committing = false;
    let isOpen = true;
    const begun = client.query('BEGIN').catch((error: unknown) => {
      isOpen = false;
      throw error;
    });
    try {
      const [{ changes, ...answer }] = await Promise.all([perform(client, groups, operations), begun]);
      committing = true;
      return { ...answer, changes: await commit(client, changes) };
    } catch (error) {
      const isAlive = await client.query('ROLLBACK').then(
        () => true,
        () => false,
      );
      // Statements behind a transaction that did not begin are transactions of their own.
      if (!isAlive || !isOpen) throw new LostConnectionError(error, committing || isAlive);
      if (perform === performAtOnce && isOperationFault(error)) perform = performOneByOne;
      else if (tries > RETRIES || !SACRIFICED.includes(codeOf(error))) throw error;
    }
  }
}

interface Performed extends BatchAnswer {
  /** JSON. */
  readonly changes: ReadonlySet<string>;
}

/** Statements follow each other without waiting for answers. */
async function performAtOnce(
  client: Client,
  groups: readonly Group[],
  operations: readonly Operation[],
): Promise<Performed> {
  const results: unknown[] = operations.map(() => undefined);
  const { transaction, changes, firstFailure } = openTransaction(client);
  const done: Promise<unknown>[] = [lockBudgets(transaction, countsOf(operations))];
  done[0]?.catch(() => {});
  try {
    for (const { verb, members } of groups) {
      const values = verb.run(
        transaction,
        members.map(({ args }) => args),
      );
      const placed = values.then((found) => {
        members.forEach(({ index }, position) => {
          results[index] = found[position];
        });
      });
      placed.catch(() => {});
      done.push(placed);
      if (verb.inSteps) await placed;
    }
    await Promise.all(done);
  } catch (error) {
    throw firstFailure() ?? error;
  }
  return { results, failures: [], changes };
}

async function performOneByOne(
  client: Client,
  _groups: readonly Group[],
  operations: readonly Operation[],
): Promise<Performed> {
  const results: unknown[] = [];
  const failures: { index: number; message: string }[] = [];
  const changes = new Set<string>();
  await lockBudgets(openTransaction(client).transaction, countsOf(operations));
  for (const [index, { verb, args }] of operations.entries()) {
    const attempt = openTransaction(client);
    await client.query('SAVEPOINT operation');
    try {
      const [result] = await verb.run(attempt.transaction, [args]);
      await client.query('RELEASE operation');
      for (const change of attempt.changes) changes.add(change);
      results.push(result);
    } catch (error) {
      const reason = attempt.firstFailure() ?? error;
      if (!isOperationFault(reason)) throw reason;
      await client.query('ROLLBACK TO operation');
      results.push(undefined);
      failures.push({ index, message: reason instanceof Error ? reason.message : String(reason) });
    }
  }
  return { results, failures, changes };
}

function countsOf(operations: readonly Operation[]): readonly Counts[] {
  return operations.flatMap(({ verb, args }) => verb.counts?.(args) ?? []);
}

function openTransaction(client: Client) {
  const changes = new Set<string>();
  let failure: unknown;
  const transaction: Transaction = {
    query: (statement, values) => {
      const answer = client.query({ ...statement, values: [...values] }).then(({ rows }) => rows);
      // The statements behind one that failed fail because of it.
      answer.catch((error: unknown) => {
        failure ??= error;
      });
      return answer;
    },
    tell: (change) => changes.add(JSON.stringify(change)),
  };
  return { transaction, changes, firstFailure: () => failure };
}

async function commit(client: Client, changes: ReadonlySet<string>): Promise<readonly Change[]> {
  const told = changes.size === 0 ? undefined : client.query({ ...NOTIFY, values: [packChanges(changes)] });
  const [committed] = await Promise.all([client.query('COMMIT'), told]);
  if (committed.command !== 'COMMIT') throw new Error('the transaction was undone by the server');
  return [...changes].map((change) => JSON.parse(change));
}

/** What is neither of the server nor of the connection is thrown by a verb, or by pg about a value. */
function isOperationFault(error: unknown): boolean {
  if (error instanceof DatabaseError) return OPERATION_FAULTS.test(error.code ?? '');
  return error instanceof RangeError || error instanceof TypeError;
}
