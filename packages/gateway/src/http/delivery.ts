import type { ServerResponse } from 'node:http';
import type { Io } from '@onetake/core';
import type { Store } from '../store/store.ts';
import type { Undelivered, UndeliveredEntry } from '../tasks/undelivered.ts';

/**
 * Whether answers arrived. `finish` alone fires with megabytes unread, so an answer counts as delivered when it
 * finished and its socket showed no error for `confirmMs` after.
 */
export interface Deliveries {
  /** Follows the answer being written to `response`. */
  follow(response: ServerResponse, entry: Omit<UndeliveredEntry, 'since'>): void;
  /** Takes what finished without an error for delivered, and writes it down. */
  close(): Promise<void>;
}

export interface DeliveriesOptions {
  readonly io: Io;
  readonly store: Store;
  readonly undelivered: Undelivered;
  readonly confirmMs: number;
}

const WRITE_EVERY_MS = 1_000;

export function createDeliveries({ io, store, undelivered, confirmMs }: DeliveriesOptions): Deliveries {
  /** Finished answers in the order they become certain. */
  const finished = new Map<string, number>();
  let stopTimer = checkLater();

  function checkLater(): () => void {
    return io.timer(io.now() + WRITE_EVERY_MS, () => {
      confirm(io.now() - confirmMs).catch(() => {});
      stopTimer = checkLater();
    });
  }

  async function confirm(finishedBefore: number): Promise<void> {
    const certain = [...finished].filter(([, at]) => at <= finishedBefore).map(([id]) => id);
    for (const id of certain) {
      finished.delete(id);
      undelivered.remove(id);
    }
    if (certain.length > 0) await store.markDelivered(certain, io.now());
  }

  function follow(response: ServerResponse, entry: Omit<UndeliveredEntry, 'since'>): void {
    const { socket } = response;
    const lose = () => {
      finished.delete(entry.id);
      undelivered.lost({ ...entry, since: io.now() });
    };
    const failed = () => {
      if (finished.has(entry.id)) lose();
    };
    response.once('finish', () => {
      finished.set(entry.id, io.now());
      undelivered.unconfirmed({ ...entry, since: io.now() });
      socket?.once('error', failed);
      io.timer(io.now() + confirmMs, () => socket?.off('error', failed));
    });
    response.once('close', () => {
      if (!response.writableFinished) lose();
    });
  }

  return {
    follow,
    async close() {
      stopTimer();
      await confirm(Number.POSITIVE_INFINITY);
    },
  };
}
