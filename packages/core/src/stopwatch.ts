/** Adds up how long something went on; what overlaps counts once. */
export interface Stopwatch {
  /** Runs it, and counts the time until it has ended. */
  time<Done>(work: () => Promise<Done>): Promise<Done>;
  /** Milliseconds so far, without what still goes on; undefined where nothing was timed. */
  ms(): number | undefined;
}

/** `now` is an Io's clock. */
export function createStopwatch(now: () => number): Stopwatch {
  let [going, since] = [0, 0];
  let total: number | undefined;
  return {
    async time(work) {
      if (going === 0) since = now();
      going += 1;
      try {
        return await work();
      } finally {
        going -= 1;
        if (going === 0) total = (total ?? 0) + Math.max(0, now() - since);
      }
    },
    ms: () => total,
  };
}
