import type { QueueState } from '../store/store.ts';
import type { AnyLive } from '../tasks/running.ts';

/** What this process works on, apart by whether anything of it was sent. */
export interface Standing {
  /** Sent, at least once; the one that waits longest for its end first. */
  readonly running: readonly AnyLive[];
  /** How many wait for their first turn, by the target they wait for: here, and in the store's queues. */
  readonly waiting: ReadonlyMap<string, number>;
}

export function standingOf(lives: readonly AnyLive[], queues: readonly QueueState[]): Standing {
  const running: AnyLive[] = [];
  const waiting = new Map<string, number>();
  const wait = (queue: string, count: number) => waiting.set(queue, (waiting.get(queue) ?? 0) + count);
  for (const live of lives) {
    if (live.journals.some((events) => events.some(({ type }) => type === 'attempt-started'))) running.push(live);
    else wait(live.plan.targets[0]?.id ?? '', 1);
  }
  for (const { queue, lanes } of queues) {
    wait(
      queue,
      lanes.reduce((sum, lane) => sum + lane.waiting, 0),
    );
  }
  return { running: running.toSorted((one, other) => one.plan.createdAt - other.plan.createdAt), waiting };
}
