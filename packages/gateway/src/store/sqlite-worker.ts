/** The thread that owns the database: it opens it, answers each batch with its results, and closes it. */
import { parentPort, workerData } from 'node:worker_threads';
import { StoreInUseError, StoreSchemaError } from './errors.ts';
import type { BatchAnswer } from './group-commit.ts';
import { type Operation, prepareBatch } from './sqlite/batch.ts';
import { openDatabase } from './sqlite/database.ts';

export type ToWorker = readonly Operation[] | 'close';

/** First `opened` or a reason why not; then one `done` or `failed` per batch. Errors lose their class between threads. */
export type FromWorker =
  | { readonly kind: 'opened' }
  | { readonly kind: 'in-use' }
  | { readonly kind: 'newer-schema'; readonly found: number; readonly known: number }
  | ({ readonly kind: 'done' } & BatchAnswer)
  | { readonly kind: 'failed'; readonly message: string };

function serve(path: string, send: (message: FromWorker) => void): ((message: ToWorker) => void) | undefined {
  try {
    const database = openDatabase(path);
    const runBatch = prepareBatch(database);
    send({ kind: 'opened' });
    return (message) => {
      if (message === 'close') {
        database.close();
        parentPort?.close();
      } else send(answer(() => ({ kind: 'done', ...runBatch(message) })));
    };
  } catch (error) {
    send(refusal(error));
    return undefined;
  }
}

function answer(run: () => FromWorker): FromWorker {
  try {
    return run();
  } catch (error) {
    return failed(error);
  }
}

function refusal(error: unknown): FromWorker {
  if (error instanceof StoreInUseError) return { kind: 'in-use' };
  if (error instanceof StoreSchemaError) return { kind: 'newer-schema', found: error.found, known: error.known };
  return failed(error);
}

function failed(error: unknown): FromWorker {
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
}

const receive = serve(workerData.path, (message) => parentPort?.postMessage(message));
if (receive) parentPort?.on('message', receive);
