/** How fast queues move, as seen here: what an estimate of a wait is made of. */
export interface Throughput {
  /** So many pictures of this queue were given a turn. */
  started(queue: string, pictures: number, now: number): void;
  /** How long the queue takes for so many pictures; undefined when too little was seen. */
  etaMs(queue: string, pictures: number, now: number): number | undefined;
}

interface Start {
  readonly at: number;
  readonly pictures: number;
}

const REMEMBERED = 64;
const MAX_QUEUES = 1_000;

/** By the turns given last: `pictures ÷ (pictures given since the oldest remembered ÷ time since then)`. */
export function createThroughput(): Throughput {
  const queues = new Map<string, Start[]>();
  return {
    started(queue, pictures, at) {
      const starts = queues.get(queue) ?? [];
      queues.delete(queue);
      queues.set(queue, starts);
      starts.push({ at, pictures });
      if (starts.length > REMEMBERED) starts.shift();
      const oldest = queues.keys().next();
      if (queues.size > MAX_QUEUES && !oldest.done) queues.delete(oldest.value);
    },
    etaMs(queue, pictures, now) {
      const [first, ...later] = queues.get(queue) ?? [];
      const last = later.at(-1);
      if (first === undefined || last === undefined) return undefined;
      const given = later.reduce((sum, start) => sum + start.pictures, 0);
      // A pause that is longer than usual counts; one that has only begun does not.
      const each = Math.max(
        (last.at - first.at) / given,
        now - last.at > last.at - first.at ? (now - first.at) / given : 0,
      );
      return Math.ceil(pictures * each);
    },
  };
}
