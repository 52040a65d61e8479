import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Io } from '@onetake/core';
import type { Logger } from 'pino';
import { createDirectorySync } from '../assets/directory-sync.ts';
import type { Store } from '../store/store.ts';
import { type Batch, WINDOW_MS } from './batch.ts';
import { type Book, createBook } from './book.ts';
import { createCrew } from './crew.ts';
import type { DriveDeps } from './drive.ts';
import { createEnds } from './ends.ts';
import type { StoredFile } from './files.ts';
import { cancelIn } from './held.ts';
import { createRoom } from './room.ts';
import type { LinePaths } from './run-lines.ts';

/** Many requests from one file, each a task or a question, their answers in another. */
export interface Batches {
  /** Undefined when as many are open as may be. */
  create(wanted: WantedBatch): Promise<Batch | undefined>;
  /** Oldest first. */
  list(caller: string): Promise<readonly Batch[]>;
  find(caller: string, id: string): Promise<Batch | undefined>;
  /** What it is then; undefined when there is none. What is over stays as it is. */
  cancel(caller: string, id: string): Promise<Batch | undefined>;
  /** Takes up what earlier processes left. */
  start(): Promise<void>;
  /** Begins nothing more, and lets go of what it has. */
  stop(): Promise<void>;
}

export interface WantedBatch
  extends Pick<Batch, 'caller' | 'fromBrowser' | 'endpoint' | 'metadata' | 'idempotencyKey' | 'outputMs'> {
  readonly input: StoredFile;
}

export interface BatchesOptions extends Omit<DriveDeps, 'ends' | 'store' | 'room'> {
  readonly store: Store;
  /** For what is needed while they run; the nodes of a cluster share it. */
  readonly directory: string;
  readonly log: Pick<Logger, 'error'>;
}

/** Lines of chat in flight at once, of all batches together: a part of what this process may work on. */
const MAX_ASKED = 2_000;
const LOOK_EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 3_600_000;

export async function createBatches(options: BatchesOptions): Promise<Batches> {
  const { store, io, directory, files, log } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const sync = createDirectorySync();
  const book = createBook(store);
  const ends = createEnds({ store, io });
  const homeOf = (id: string) => join(directory, id);
  const pathsOf = (id: string): LinePaths => ({
    input: join(homeOf(id), 'input.jsonl'),
    log: join(homeOf(id), 'lines.jsonl'),
    answers: join(homeOf(id), 'answers.log'),
  });
  const clear = (id: string) => rm(homeOf(id), { recursive: true, force: true });
  const alone = store.ownership === 'exclusive';
  const crew = createCrew({
    book,
    deps: { ...options, ends, room: createRoom(MAX_ASKED) },
    alone,
    pathsOf,
    onOver: ({ id }) => clear(id),
    log,
  });
  const stops: (() => void)[] = [];

  return {
    async create({ input, ...wanted }) {
      const batch = newBatch(wanted, input, io.now());
      await mkdir(homeOf(batch.id), { mode: 0o700 });
      await linkOrCopy(files.pathOf(input.caller, input.id), pathsOf(batch.id).input);
      await sync(homeOf(batch.id));
      await sync(directory);
      const entry = await book.add(batch);
      if (entry === undefined) await clear(batch.id);
      else await crew.take(entry);
      return entry?.batch;
    },
    list: (caller) => book.list(caller),
    find: async (caller, id) => (await book.find(caller, id))?.batch,
    async cancel(caller, id) {
      const entry = await book.find(caller, id);
      if (entry === undefined) return undefined;
      const batch = await cancelIn(book, entry, io.now());
      await crew.changed(entry.key);
      return batch;
    },
    async start() {
      const failed = (what: string) => (err: unknown) => log.error({ err }, what);
      stops.push(
        book.onChange((key) => void crew.changed(key).catch(() => {})),
        repeat(LOOK_EVERY_MS, io, () => crew.look().catch(failed('the open batches could not be read'))),
        repeat(SWEEP_EVERY_MS, io, () => sweep(options, book).catch(failed('expired files could not be removed'))),
      );
      await book.recover();
      await crew.look();
    },
    async stop() {
      for (const stop of stops) stop();
      await crew.stop();
      ends.stop();
    },
  };
}

function newBatch(wanted: Omit<WantedBatch, 'input'>, input: StoredFile, now: number): Batch {
  return {
    ...wanted,
    id: newBatchId(now),
    inputFileId: input.id,
    status: 'validating',
    createdAt: now,
    expiresAt: now + WINDOW_MS,
    counts: { total: 0, completed: 0, failed: 0 },
    settled: { lines: 0, completed: 0 },
  };
}

/** Its time is in it, so that a directory without a batch tells its age. */
function newBatchId(now: number): string {
  return `batch_${now.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;
}

function createdAt(id: string): number {
  return Number.parseInt(id.slice('batch_'.length, 'batch_'.length + 12), 16);
}

/** Files that expired, and directories of batches that are over or never were: a crash kept them. */
async function sweep({ files, directory, io }: BatchesOptions, book: Book): Promise<void> {
  await files.expire(io.now());
  const openIds = new Set((await book.open()).map(({ batch }) => batch.id));
  for (const id of await readdir(directory)) {
    const isOld = createdAt(id) < io.now() - WINDOW_MS;
    if (isOld && !openIds.has(id)) await rm(join(directory, id), { recursive: true, force: true });
  }
}

/** A caller may delete its file while the batch runs. Not every file system links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async () => {
    await copyFile(from, to);
    const copy = await open(to, 'r+');
    await copy.datasync().finally(() => copy.close());
  });
}

function repeat(everyMs: number, io: Pick<Io, 'now' | 'timer'>, task: () => void): () => void {
  let stop = () => {};
  const later = () => {
    stop = io.timer(io.now() + everyMs, () => {
      later();
      task();
    });
  };
  later();
  return () => stop();
}
