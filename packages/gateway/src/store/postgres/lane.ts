import type { Client } from 'pg';
import { createGroupCommit } from '../group-commit.ts';
import type { Change } from '../store.ts';
import { type BatchResult, LostConnectionError, runBatch } from './batch.ts';
import { connect, connectPatiently, type Database, disconnect } from './connection.ts';
import type { Operation, Verb } from './verb.ts';

/** One connection that performs operations in the order they were submitted, as many as there are in one transaction. */
export interface Lane {
  submit<Args, Result, Value>(verb: Verb<Args, Result>, args: Args, convert: (result: Result) => Value): Promise<Value>;
  /** Resolves when everything submitted before is done, well or badly. */
  settled(): Promise<void>;
  /** Whether notifications of this server process are this lane's own. */
  isOwn(processId: number): boolean;
  /** Does what was submitted and takes no more; that is rejected with `error`. */
  close(error: Error): Promise<void>;
}

export interface LaneOptions {
  readonly database: Database;
  readonly maxQueued: number;
  /** Hears what a batch changed, before its operations are answered. */
  readonly onChanges: (changes: readonly Change[]) => void;
  /** Used first, where there is one already. */
  readonly client?: Client;
}

export function createLane({ database, maxQueued, onChanges, client }: LaneOptions): Lane {
  const commit = createGroupCommit<Operation>({ post, maxQueued });
  const connection = createConnection(database, client);
  let last: Promise<unknown> = Promise.resolve();

  function post(batch: readonly Operation[]): void {
    perform(batch).then((result) => {
      onChanges(result.changes);
      commit.settle(result);
    }, commit.reject);
  }

  async function perform(batch: readonly Operation[], isRetry = false): Promise<BatchResult> {
    const open = await connection.open();
    try {
      return await runBatch(open, batch);
    } catch (error) {
      if (!(error instanceof LostConnectionError)) throw database.fault('nothing was done', error);
      connection.leave(open);
      if (!error.maybeDone && !isRetry) return perform(batch, true);
      const outcome = error.maybeDone ? 'whether these operations were done is unknown' : 'nothing was done';
      throw database.fault(`the connection was lost, and ${outcome}`, error, error.maybeDone);
    }
  }

  return {
    submit(verb, args, convert) {
      const answer = commit.submit({ verb, args }, convert);
      const before = last;
      // One that was refused at once says nothing of those before it.
      last = answer.then(
        () => {},
        () => before,
      );
      return answer;
    },

    settled: async () => {
      await last;
    },

    isOwn: (processId) => connection.processId() === processId,

    async close(error) {
      await commit.drain(error);
      await connection.close();
    },
  };
}

/** One connection at a time: the next is opened when the last is gone and somebody asks. */
function createConnection(database: Database, first: Client | undefined) {
  let current: Client | undefined;
  let isPatient = true;
  if (first !== undefined) adopt(first);

  function adopt(client: Client): Client {
    current = client;
    const forget = () => {
      if (current === client) current = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    return client;
  }

  return {
    /** Waits a while for a server that is gone, such as one that starts again; not once more before it came back. */
    async open(): Promise<Client> {
      if (current !== undefined) return current;
      const wait = isPatient;
      isPatient = false;
      const client = await (wait ? connectPatiently : connect)(database, { pipeline: true });
      isPatient = true;
      return adopt(client);
    },

    /** Of the server's process; the types of pg leave it out. */
    processId: () => (current && 'processID' in current ? current.processID : undefined),

    leave(client: Client): void {
      if (current === client) current = undefined;
      void disconnect(client);
    },

    async close(): Promise<void> {
      if (current !== undefined) await disconnect(current);
    },
  };
}
