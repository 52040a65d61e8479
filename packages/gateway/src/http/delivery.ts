import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Io } from '@onetake/core';
import type { Store } from '../store/store.ts';
import type { Undelivered, UndeliveredEntry } from '../tasks/undelivered.ts';

/**
 * Whether answers arrived. `finish` alone fires with megabytes unread, so an answer counts as delivered when it
 * finished and its socket showed no error for `confirmMs` after.
 */
export interface Deliveries {
  /** Follows the answer being written to `response`. */
  follow(response: ServerResponse, entry: Delivered): void;
  /** Takes what finished without an error for delivered, and writes it down. */
  close(): Promise<void>;
}

type Delivered = Omit<UndeliveredEntry, 'since'>;

interface Answered {
  readonly entry: Delivered;
  readonly at: number;
  readonly onSocket: Set<string>;
}

export interface DeliveriesOptions {
  readonly io: Io;
  readonly store: Store;
  readonly undelivered: Undelivered;
  readonly confirmMs: number;
  readonly onError: (error: unknown) => void;
}

const WRITE_EVERY_MS = 1_000;

export function createDeliveries({ io, store, undelivered, confirmMs, onError }: DeliveriesOptions): Deliveries {
  /** Finished answers in the order they become certain. */
  const finished = new Map<string, Answered>();
  /** Of each connection, the answers that an error on it would undo; many share one kept alive. */
  const bySocket = new WeakMap<Socket, Set<string>>();
  let stopTimer = checkLater();

  function checkLater(): () => void {
    return io.timer(io.now() + WRITE_EVERY_MS, () => {
      confirm(io.now() - confirmMs).catch(onError);
      stopTimer = checkLater();
    });
  }

  async function confirm(finishedBefore: number): Promise<void> {
    const certain = [...finished.values()].filter(({ at }) => at <= finishedBefore).map(({ entry }) => entry.id);
    for (const id of certain) {
      forget(id);
      undelivered.remove(id);
    }
    if (certain.length > 0) await store.markDelivered(certain, io.now());
  }

  function forget(id: string): void {
    finished.get(id)?.onSocket.delete(id);
    finished.delete(id);
  }

  function answersOn(socket: Socket): Set<string> {
    const known = bySocket.get(socket);
    if (known) return known;
    const ids = new Set<string>();
    bySocket.set(socket, ids);
    socket.once('error', () => {
      for (const id of ids) {
        const answered = finished.get(id);
        if (answered) lose(answered.entry);
      }
    });
    return ids;
  }

  function lose(entry: Delivered): void {
    forget(entry.id);
    undelivered.lost({ ...entry, since: io.now() });
  }

  return {
    follow(response, entry) {
      const { socket } = response;
      // The caller left while its answer was being looked up.
      if (response.destroyed) return lose(entry);
      if (socket && !response.shouldKeepAlive) lingerAfterEnd(socket, io, confirmMs);
      response.once('finish', () => {
        const onSocket = socket ? answersOn(socket).add(entry.id) : new Set<string>();
        finished.set(entry.id, { entry, at: io.now(), onSocket });
        undelivered.unconfirmed({ ...entry, since: io.now() });
      });
      response.once('close', () => {
        if (!response.writableFinished) lose(entry);
      });
    },

    async close() {
      stopTimer();
      await confirm(Number.POSITIVE_INFINITY);
    },
  };
}

/**
 * Node destroys a connection that is not kept alive as soon as its last byte is handed to the kernel, and would never
 * hear that the caller reset it unread. Half closed, it waits for the caller's own end, which normally comes at once.
 */
function lingerAfterEnd(socket: Socket, io: Io, confirmMs: number): void {
  socket.destroySoon = () => {
    socket.end();
    const stopTimer = io.timer(io.now() + confirmMs, () => socket.destroy());
    socket.once('close', stopTimer);
  };
}
