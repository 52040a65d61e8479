/** A clock that stands still until it is told to go on. */
export interface VirtualClock {
  now(): number;
  timer(at: number, callback: () => void): () => void;
  /** Lets everything ready run, then jumps from timer to timer, until `work` settles. */
  drive<Result>(work: Promise<Result>): Promise<Result>;
}

const MAX_JUMPS = 1_000_000;

/** Timers fire in order of their instant, then of their making; nothing waits in real time. */
export function createVirtualClock(startAt = 0): VirtualClock {
  const timers = new Map<number, { at: number; callback: () => void }>();
  let current = startAt;
  let nextId = 0;

  function fireNext(): boolean {
    let found: [number, { at: number; callback: () => void }] | undefined;
    for (const entry of timers) if (found === undefined || entry[1].at < found[1].at) found = entry;
    if (found === undefined) return false;
    timers.delete(found[0]);
    current = Math.max(current, found[1].at);
    found[1].callback();
    return true;
  }

  return {
    now: () => current,
    timer(at, callback) {
      const id = nextId;
      nextId += 1;
      timers.set(id, { at, callback });
      return () => timers.delete(id);
    },
    async drive(work) {
      let settled = false;
      const mark = () => {
        settled = true;
      };
      work.then(mark, mark);
      for (let jumps = 0; jumps < MAX_JUMPS; jumps += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        if (settled) return work;
        if (!fireNext()) throw new Error(`nothing is left to happen at ${current}, and the work has not settled`);
      }
      throw new Error(`the work did not settle within ${MAX_JUMPS} timers`);
    },
  };
}
