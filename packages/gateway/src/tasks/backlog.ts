import type { QueueState } from '../store/store.ts';

/** How much waits in the store, as far as this process knows, and whether more may. */
export interface Backlog {
  /** Why this caller may not add to the queues now; undefined when it may. */
  refuses(caller: string): string | undefined;
  added(caller: string): void;
  removed(caller: string): void;
  /** What the store says, instead of what was counted. */
  reset(queues: readonly QueueState[]): void;
}

export interface BacklogBounds {
  readonly maxQueued: number;
  readonly maxQueuedPerKey: number;
}

export function createBacklog({ maxQueued, maxQueuedPerKey }: BacklogBounds): Backlog {
  const byCaller = new Map<string, number>();
  let all = 0;

  function count(caller: string, change: number): void {
    const next = Math.max(0, (byCaller.get(caller) ?? 0) + change);
    if (next === 0) byCaller.delete(caller);
    else byCaller.set(caller, next);
    all = Math.max(0, all + change);
  }

  return {
    refuses(caller) {
      const own = byCaller.get(caller) ?? 0;
      if (own >= maxQueuedPerKey)
        return `${own} requests of this key wait already, as many as may (queue.max_queued_per_key); repeat after Retry-After`;
      return all >= maxQueued
        ? `${all} requests wait already, as many as may (queue.max_queued); repeat after Retry-After`
        : undefined;
    },
    added: (caller) => count(caller, 1),
    removed: (caller) => count(caller, -1),
    reset(queues) {
      byCaller.clear();
      all = 0;
      for (const { lanes } of queues) for (const { caller, waiting } of lanes) count(caller, waiting);
    },
  };
}
