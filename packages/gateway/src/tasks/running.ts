import { type AnyPlan, makesPictures } from '../store/plan-kind.ts';
import type { Live } from './live.ts';

/** A generation of any kind that this process works on. */
export type AnyLive = Live<AnyPlan>;

/** What runs in this process, by id. */
export interface Running {
  add(live: AnyLive, done: Promise<void>): void;
  remove(id: string): void;
  live(id: string): AnyLive | undefined;
  ids(): readonly string[];
  all(): readonly AnyLive[];
  size(): number;
  /** Calls back for everything that is added; returns the unsubscribe function. */
  onStart(callback: (live: AnyLive) => void): () => void;
  /** Of this queue, taken from the store and not sent yet. */
  unsent(queue: string): number;
  /** Callers who run at least this many here; calls of chat do not count. */
  callersWith(most: number): readonly string[];
  /** How many more every caller below this many may run here, whichever it is. */
  roomBelow(most: number): number;
  /** Resolves when everything that runs now has ended. */
  ended(): Promise<unknown>;
}

export function createRunning(): Running {
  const running = new Map<string, { live: AnyLive; done: Promise<void> }>();
  const starting = new Set<(live: AnyLive) => void>();
  const all = () => [...running.values()].map(({ live }) => live);
  const counts = () => {
    const byCaller = new Map<string, number>();
    for (const live of all().filter(makesPictures)) byCaller.set(live.caller, (byCaller.get(live.caller) ?? 0) + 1);
    return [...byCaller];
  };
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
    unsent: (queue) => all().filter((live) => wasQueued(live, queue) && isUnsent(live)).length,
    callersWith: (most) =>
      running.size < most
        ? []
        : counts()
            .filter(([, count]) => count >= most)
            .map(([caller]) => caller),
    roomBelow: (most) => most - counts().reduce((top, [, count]) => (count < most ? Math.max(top, count) : top), 0),
    ended: () => Promise.all([...running.values()].map(({ done }) => done)),
  };
}

/** What a caller waits for came without the store's queue, however much of it waits for a turn. */
function wasQueued(live: AnyLive, queue: string): boolean {
  const { plan } = live;
  return makesPictures(live) && plan.unattended === true && plan.targets[0]?.id === queue;
}

function isUnsent({ journals }: AnyLive): boolean {
  return journals.every((events) => events.every((event) => event.type !== 'attempt-started'));
}
