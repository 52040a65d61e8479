import type { Io } from '@onetake/core';
import { type Batch, cancelling, isOver } from './batch.ts';
import type { Book, Entry } from './book.ts';

/** A batch that this process works on, under a lease that it renews. */
export interface Held {
  /** As it was last seen. */
  batch(): Batch;
  /** Throws `LostBatchError` when somebody else has it. */
  update(change: (batch: Batch) => Batch): Promise<Batch>;
  /** Nothing more of it is to be begun: it is being canceled, or its time is over. */
  readonly ending: AbortSignal;
  /** This process is to let go of it, as it stands. */
  readonly leaving: AbortSignal;
  /** Somebody changed its cell. */
  look(): Promise<void>;
  /** Renews the lease; `progress` is written with it. */
  renew(progress: Partial<Batch>): Promise<void>;
  leave(): void;
  /** Whoever holds it owes this; others may take it at once. */
  release(): Promise<void>;
}

export class LostBatchError extends Error {
  constructor(id: string) {
    super(`batch ${id}: another process works on it`);
    this.name = 'LostBatchError';
  }
}

export interface HeldOptions {
  readonly book: Book;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly worker: string;
  readonly leaseMs: number;
  /** No other process can have this store open: who holds a lease is dead. */
  readonly alone: boolean;
}

/** Takes the lease where nobody holds it; undefined when somebody does, or it is over. */
export async function hold({ key, batch }: Entry, options: HeldOptions): Promise<Held | undefined> {
  const { book, io, worker, leaseMs, alone } = options;
  const lease = () => ({ worker, until: io.now() + leaseMs });
  const taken = await book.update(key, (found) => {
    const isFree = alone || found.lease === undefined || found.lease.until <= io.now();
    return found.id !== batch.id || isOver(found) || !isFree ? found : { ...found, lease: lease() };
  });
  if (taken.id !== batch.id || isOver(taken) || taken.lease?.worker !== worker) return undefined;
  return heldOf(key, taken, options);
}

function heldOf(key: string, first: Batch, { book, io, worker, leaseMs }: HeldOptions): Held {
  const ending = new AbortController();
  const leaving = new AbortController();
  let batch = first;
  const stopTimer = io.timer(first.expiresAt, () => ending.abort());

  function see(found: Batch | undefined): void {
    if (found?.id !== first.id || found.lease?.worker !== worker) {
      leaving.abort();
      return;
    }
    batch = found;
    if (found.status === 'cancelling' || found.expiresAt <= io.now()) ending.abort();
  }

  async function update(change: (batch: Batch) => Batch): Promise<Batch> {
    let isOurs = true;
    const next = await book.update(key, (found) => {
      isOurs = found.id === first.id && found.lease?.worker === worker;
      return isOurs ? change(found) : found;
    });
    if (!isOurs) leaving.abort();
    if (!isOurs) throw new LostBatchError(first.id);
    batch = next;
    if (batch.status === 'cancelling') ending.abort();
    return batch;
  }

  see(first);
  return {
    batch: () => batch,
    update,
    ending: ending.signal,
    leaving: leaving.signal,
    look: async () => see(await book.read(key)),
    async renew(progress) {
      await update((found) => ({ ...found, ...progress, lease: { worker, until: io.now() + leaseMs } }));
    },
    leave: () => leaving.abort(),
    async release() {
      stopTimer();
      await update(({ lease: _, ...rest }) => rest).catch((error) => {
        if (!(error instanceof LostBatchError)) throw error;
      });
    },
  };
}

export function cancelIn(book: Book, { key, batch }: Entry, now: number): Promise<Batch> {
  return book.update(key, (found) => (found.id === batch.id ? cancelling(found, now) : found));
}
