import type { Live } from './live.ts';

/** What runs in this process, by id. */
export interface Running {
  add(live: Live, done: Promise<void>): void;
  remove(id: string): void;
  live(id: string): Live | undefined;
  ids(): readonly string[];
  all(): readonly Live[];
  size(): number;
  /** Calls back for everything that is added; returns the unsubscribe function. */
  onStart(callback: (live: Live) => void): () => void;
  /** Of this queue, started here and not sent yet. */
  unsent(queue: string): number;
  /** Callers who run at least this many here. */
  callersWith(most: number): readonly string[];
  /** Resolves when everything that runs now has ended. */
  ended(): Promise<unknown>;
}

export function createRunning(): Running {
  const running = new Map<string, { live: Live; done: Promise<void> }>();
  const starting = new Set<(live: Live) => void>();
  const all = () => [...running.values()].map(({ live }) => live);
  return {
    add(live, done) {
      running.set(live.id, { live, done });
      for (const callback of [...starting]) callback(live);
    },
    remove: (id) => running.delete(id),
    live: (id) => running.get(id)?.live,
    ids: () => [...running.keys()],
    all,
    size: () => running.size,
    onStart(callback) {
      starting.add(callback);
      return () => starting.delete(callback);
    },
    unsent: (queue) => all().filter((live) => live.plan.targets[0]?.id === queue && isUnsent(live)).length,
    callersWith(most) {
      if (running.size < most) return [];
      const counts = new Map<string, number>();
      for (const { caller } of all()) counts.set(caller, (counts.get(caller) ?? 0) + 1);
      return [...counts].filter(([, count]) => count >= most).map(([caller]) => caller);
    },
    ended: () => Promise.all([...running.values()].map(({ done }) => done)),
  };
}

function isUnsent({ journals }: Live): boolean {
  return journals.every((events) => events.every((event) => event.type !== 'attempt-started'));
}
