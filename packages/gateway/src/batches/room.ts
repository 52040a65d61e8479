/** So many places, taken in the order in which they are asked for. */
export interface Room {
  /** False when the signal was aborted before there was one; a place that was taken is owed back. */
  take(signal: AbortSignal): Promise<boolean>;
  giveBack(): void;
}

export function createRoom(places: number): Room {
  const waiting = new Set<() => void>();
  let free = places;
  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(false);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const got = () => {
          signal.removeEventListener('abort', gaveUp);
          resolve(true);
        };
        const gaveUp = () => {
          waiting.delete(got);
          resolve(false);
        };
        waiting.add(got);
        signal.addEventListener('abort', gaveUp, { once: true });
      });
    },
    giveBack() {
      const [next] = waiting;
      if (next === undefined) free += 1;
      else {
        waiting.delete(next);
        next();
      }
    },
  };
}
