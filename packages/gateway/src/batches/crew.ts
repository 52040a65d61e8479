import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Batch, isOver } from './batch.ts';
import type { Book, Entry } from './book.ts';
import { type DriveDeps, drive } from './drive.ts';
import { type Held, hold } from './held.ts';
import type { LinePaths } from './run-lines.ts';

/** Drives open batches in this process, some at once, the oldest first. */
export interface Crew {
  /** Takes it up where there is room and nobody else has it. */
  take(entry: Entry): Promise<void>;
  /** Takes up whatever is open. */
  look(): Promise<void>;
  /** Its cell changed. */
  changed(key: string): Promise<void>;
  stop(): Promise<void>;
}

export interface CrewOptions {
  readonly book: Book;
  readonly deps: DriveDeps;
  /** No other process can have this store open. */
  readonly alone: boolean;
  readonly pathsOf: (id: string) => LinePaths;
  /** It is over: nothing of its work is needed any more. */
  readonly onOver: (batch: Batch) => Promise<void>;
  readonly log: Pick<Logger, 'error'>;
}

const LEASE_MS = 15_000;
const MAX_DRIVEN = 64;
const MAX_DRIVEN_PER_CALLER = 4;
/** For its files to be written after its window; then it is tried no more. */
const LAST_TRIES_MS = 3_600_000;

export function createCrew({ book, deps, alone, pathsOf, onOver, log }: CrewOptions): Crew {
  const holding = { book, io: deps.io, worker: randomUUID(), leaseMs: LEASE_MS, alone };
  /** By the key of its cell. */
  const driven = new Map<string, { readonly held: Held; readonly done: Promise<void> }>();
  const taking = new Map<string, string>();
  let stopped = false;

  async function take(entry: Entry): Promise<void> {
    const { key } = entry;
    if (stopped || driven.has(key) || taking.has(key) || !hasRoom(entry.batch)) return;
    taking.set(key, entry.batch.caller);
    try {
      const held = await hold(entry, holding);
      if (held) driven.set(key, { held, done: work(key, held) });
    } finally {
      taking.delete(key);
    }
  }

  function hasRoom({ caller }: Batch): boolean {
    const callers = [...[...driven.values()].map(({ held }) => held.batch().caller), ...taking.values()];
    return callers.length < MAX_DRIVEN && callers.filter((one) => one === caller).length < MAX_DRIVEN_PER_CALLER;
  }

  async function work(key: string, held: Held): Promise<void> {
    const { id } = held.batch();
    if (stopped) held.leave();
    try {
      await drive(held, pathsOf(id), deps);
    } catch (err) {
      log.error({ err, batch: id }, 'a batch could not go on; it is tried again');
      await giveUp(held, deps.io.now()).catch(() => {});
    }
    await held.release().catch((err) => log.error({ err, batch: id }, 'a batch could not be let go'));
    driven.delete(key);
    if (!isOver(held.batch())) return;
    await onOver(held.batch()).catch((err) => log.error({ err, batch: id }, 'what a batch left could not be removed'));
    await look().catch(() => {});
  }

  async function look(): Promise<void> {
    if (stopped) return;
    const entries = await book.open();
    for (const entry of entries.toSorted((a, b) => a.batch.createdAt - b.batch.createdAt)) await take(entry);
  }

  return {
    take,
    look,
    changed: async (key) => driven.get(key)?.held.look(),
    async stop() {
      stopped = true;
      for (const { held } of driven.values()) held.leave();
      await Promise.all([...driven.values()].map(({ done }) => done));
    },
  };
}

/** What still cannot be written long after its window, as when its input is gone, ends without files; its tasks are there. */
async function giveUp(held: Held, now: number): Promise<void> {
  if (now < held.batch().expiresAt + LAST_TRIES_MS) return;
  const message = 'the files of this batch could not be written; what was made for it is under GET /v1/generations';
  const faults = [{ code: 'internal_error', message, param: null, line: null }];
  await held.update((batch) => ({ ...batch, status: 'failed', faults, endedAt: now }));
}
