import { foldGeneration, type Io } from '@onetake/core';
import { makesPictures } from '../store/plan-kind.ts';
import type { Store } from '../store/store.ts';
import { type Follow, type Followed, isOver, type Snapshot } from './following.ts';
import type { Worker } from './worker.ts';

export interface QueuePosition {
  /** 1 is next. */
  readonly position: number;
  /** Undefined when nothing is known of how long the ones before take. */
  readonly etaMs: number | undefined;
}

export type Cancellation =
  | { readonly kind: 'unknown' }
  /** It was over before. */
  | { readonly kind: 'finished' }
  /** Ended; `confirmed` when nothing had been sent or the provider said that it gave the job up. */
  | { readonly kind: 'canceled'; readonly confirmed: boolean }
  /** Asked for; its end is not in sight yet. */
  | { readonly kind: 'asked' };

/** What the task endpoints stand on. */
export interface Tasks {
  /** Undefined when there is none of this id, or it is another caller's; without a caller anybody's is read. */
  read(id: string, caller: string | undefined): Promise<Snapshot | undefined>;
  readonly follow: Follow;
  /** Where it waits; undefined when it does not. */
  position(snapshot: Snapshot): Promise<QueuePosition | undefined>;
  /** Waits at most `waitMs` to see how the cancellation ends. */
  cancel(id: string, caller: string | undefined, waitMs: number): Promise<Cancellation>;
  /** Ends it only where it still waits in its queue, so that nothing of it is ever sent; false where it does not. */
  withdraw(id: string): Promise<boolean>;
}

export interface TasksOptions {
  readonly store: Store;
  readonly worker: Worker;
  readonly follow: Follow;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** How long a queue takes for what costs so much; undefined when nothing is known yet. */
  readonly etaMs: (queue: string, cost: number) => number | undefined;
}

export function createTasks({ store, worker, follow, io, etaMs }: TasksOptions): Tasks {
  async function read(id: string, caller: string | undefined): Promise<Snapshot | undefined> {
    const followed = await follow(id, caller);
    followed?.close();
    return followed?.snapshot();
  }

  /** Whoever holds it ends it: this process, by its journal, or the node that works on it, by a note in the store. */
  async function askToEnd(id: string): Promise<void> {
    const here = worker.running.live(id);
    if (here) return here.cancel();
    if (!(await withdraw(id))) await store.requestCancel(id, io.now());
  }

  async function withdraw(id: string): Promise<boolean> {
    const taken = await store.take(id, { worker: worker.id, until: worker.leaseUntil() });
    // Nothing else waits.
    const waiting = taken && makesPictures(taken) ? taken : undefined;
    if (waiting) worker.start({ ...waiting, cancelRequestedAt: io.now() }, false);
    return waiting !== undefined;
  }

  return {
    read,
    follow,
    withdraw,
    async position({ id, place }) {
      if (place === undefined) return undefined;
      const found = await store.place(id);
      return found && { position: found.ahead + 1, etaMs: etaMs(place.queue, found.aheadCost) };
    },
    async cancel(id, caller, waitMs) {
      const followed = await follow(id, caller);
      if (followed === undefined) return { kind: 'unknown' };
      try {
        if (isOver(followed.snapshot())) return { kind: 'finished' };
        await askToEnd(id);
        await waitUntilOver(followed, waitMs, io);
        return howItEnded(followed.snapshot());
      } finally {
        followed.close();
      }
    },
  };
}

/** Resolves when it is over, and after `waitMs` in any case. */
export function waitUntilOver(followed: Followed, waitMs: number, io: Pick<Io, 'now' | 'timer'>): Promise<void> {
  if (isOver(followed.snapshot()) || waitMs <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      stopTimer();
      stopWatching();
      resolve();
    };
    const stopTimer = io.timer(io.now() + waitMs, end);
    const stopWatching = followed.onChange(() => isOver(followed.snapshot()) && end());
  });
}

function howItEnded(snapshot: Snapshot): Cancellation {
  if (!isOver(snapshot)) return { kind: 'asked' };
  if (snapshot.status !== 'canceled') return { kind: 'finished' };
  const { outcome } = foldGeneration(snapshot.journals);
  const failure = outcome?.ok === false ? outcome.failure : undefined;
  return { kind: 'canceled', confirmed: failure?.certainty === 'not_sent' || failure?.cancel === 'confirmed' };
}
