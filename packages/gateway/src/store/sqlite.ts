import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Event } from '@onetake/core';
import type { SmallPictures } from '../assets/small-pictures.ts';
import { StoreClosedError, StoreInUseError, StoreSchemaError } from './errors.ts';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';
import type { Operation, Operations } from './sqlite/batch.ts';
import type { Columns, StoredColumns } from './sqlite/reads.ts';
import type { FromWorker, ToWorker } from './sqlite-worker.ts';
import { type GenerationRow, LostRunError, type Store, type StoredGeneration, type UndeliveredRow } from './store.ts';

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
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'done') commit.settle(message);
    else if (message.kind === 'failed') commit.reject(new Error(`the store cannot write ${path}: ${message.message}`));
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
  return { ...createVerbs(commit, close), smallPictures: createSmallPictures(commit) };
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

/** The verbs as operations. JSON is made and read on this side: the other thread only stores text. */
function createVerbs(commit: GroupCommit<Operation>, close: () => Promise<void>): Store {
  type Result<Name extends keyof Operations> = ReturnType<Operations[Name]>;
  const nothing = () => {};
  return {
    create: ({ plan, ...generation }) => {
      const row = { ...generation, route: plan.route, prompt: plan.request.prompt, plan: JSON.stringify(plan) };
      return commit.submit(['create', row], (created: Result<'create'>) => created);
    },
    append: ({ generation, run, length, worker }, events, summary) => {
      if (events.length === 0) return Promise.reject(new RangeError('events: append takes one or more'));
      const texts = events.map((event) => JSON.stringify(event));
      return commit.submit(['append', generation, run, length, worker, texts, summary], (held: Result<'append'>) => {
        if (!held) throw new LostRunError(generation, run);
      });
    },
    read: (id) => commit.submit(['read', id], (found: Result<'read'>) => found && storedGeneration(found)),
    list: async (filter) => {
      checkLimit(filter.limit, 1_000);
      return commit.submit(['list', filter], (rows: Result<'list'>) => rows.map((row) => present<GenerationRow>(row)));
    },
    findIdempotent: (scope, now) =>
      commit.submit(['findIdempotent', scope, now], (hit: Result<'findIdempotent'>) => hit),
    markDelivered: (ids, at) => commit.submit(['markDelivered', ids, at], nothing),
    undelivered: async (since, limit) => {
      checkLimit(limit, 100_000);
      return commit.submit(['undelivered', since, limit], (rows: Result<'undelivered'>) =>
        rows.map((row) => present<UndeliveredRow>(row)),
      );
    },
    claim: async (worker, now, until, limit) => {
      checkLimit(limit, 1_000);
      return commit.submit(['claim', worker, now, until, limit], (rows: Result<'claim'>) => rows.map(storedGeneration));
    },
    renew: (worker, ids, until) => commit.submit(['renew', worker, ids, until], nothing),
    expire: async (bounds) => {
      checkLimit(bounds.limit, 1_000);
      return commit.submit(['expire', bounds], (expired: Result<'expire'>) => expired);
    },
    close,
  };
}

function createSmallPictures(commit: GroupCommit<Operation>): SmallPictures {
  const nothing = () => {};
  return {
    put: ({ hash, type }, bytes, at) => commit.submit(['putPicture', hash, type, bytes, at], nothing),
    read: ({ hash, type }) =>
      commit.submit(['readPicture', hash, type], (found: ReturnType<Operations['readPicture']>) => found),
    remove: ({ hash, type }, writtenBefore) => commit.submit(['removePicture', hash, type, writtenBefore], nothing),
  };
}

function checkLimit(limit: number, max: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return;
  throw new RangeError(`limit is ${limit}; it must be a whole number from 1 to ${max}`);
}

function storedGeneration({ row, events }: StoredColumns): StoredGeneration {
  const { number: _, runs, plan, ...columns } = row;
  const journals = Array.from({ length: Number(runs) }, (): Event[] => []);
  for (const [run, event] of events) journals[run]?.push(JSON.parse(event));
  return { ...present<Omit<StoredGeneration, 'plan' | 'journals'>>(columns), plan: JSON.parse(String(plan)), journals };
}

/** The columns are named and typed by the queries; what is null there is absent here. */
function present<Row>(columns: Columns): Row {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null)) as Row;
}
