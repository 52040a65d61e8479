import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SmallPictures } from '../assets/small-pictures.ts';
import { StoreClosedError, StoreInUseError, StoreSchemaError } from './errors.ts';
import { createGroupCommit } from './group-commit.ts';
import type { Operation } from './sqlite/batch.ts';
import { createBatchChanges } from './sqlite/changes.ts';
import { createSmallPictures, createVerbs } from './sqlite/verbs.ts';
import type { FromWorker, ToWorker } from './sqlite-worker.ts';
import type { Store } from './store.ts';

export interface SqliteStoreOptions {
  /** The database's file, made with its directory where there is none, or `:memory:`. */
  readonly path: string;
  /** Operations that may wait for the disk; more are rejected. Default 100,000. */
  readonly maxQueued?: number;
}

/** A store that also has room for small pictures, which become durable in order with everything else it is told. */
export type SqliteStore = Store & { readonly smallPictures: SmallPictures };

const DEFAULT_MAX_QUEUED = 100_000;

/**
 * Opens a store on SQLite in a thread of its own, with group commit. The file is locked for as long as the store is
 * open. That lock proves that the workers of earlier processes are dead, so their leases end here: `claim` takes
 * their generations at once.
 *
 * @throws {StoreInUseError} another gateway has the file open
 * @throws {StoreSchemaError} a newer version wrote the file
 */
export async function openSqliteStore({
  path,
  maxQueued = DEFAULT_MAX_QUEUED,
}: SqliteStoreOptions): Promise<SqliteStore> {
  // Published code is .js, a clone runs .ts: the thread's file has the extension this file has.
  const file = new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: { path } });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const first = await firstMessage(worker);
  if (first?.kind !== 'opened') {
    await exited;
    throw openingError(path, first);
  }
  const post = (message: ToWorker) => worker.postMessage(message);
  const commit = createGroupCommit<Operation>({ post, maxQueued });
  const changes = createBatchChanges();
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'done') {
      commit.settle(message);
      changes.flush();
    } else if (message.kind === 'failed')
      commit.reject(new Error(`the store cannot write ${path}: ${message.message}`));
  });
  worker.on('error', (error: Error) => commit.end(new StoreClosedError(`its thread failed, ${error.message}`)));
  worker.on('exit', () => commit.end(new StoreClosedError('its thread has ended')));
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= commit.drain(new StoreClosedError('close() was called')).then(async () => {
      post('close');
      await exited;
    });
    return closing;
  };
  return {
    ...createVerbs(commit, changes),
    ownership: 'exclusive',
    onChange: changes.subscribe,
    close,
    smallPictures: createSmallPictures(commit),
  };
}

/** Undefined when the thread ended without a word. */
function firstMessage(worker: Worker): Promise<FromWorker | undefined> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => resolve(undefined));
  });
}

function openingError(path: string, first: FromWorker | undefined): Error {
  if (first?.kind === 'in-use') return new StoreInUseError(path);
  if (first?.kind === 'newer-schema') return new StoreSchemaError(path, first.found, first.known);
  return new Error(`the store cannot open ${path}: ${first?.kind === 'failed' ? first.message : 'no reason given'}`);
}
