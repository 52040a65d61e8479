/**
 * How long things took, counted in bins that each are a sixteenth of a doubling wide: whatever the number of them, it
 * takes bounded room, can be added up over minutes, and a quantile is off by 5 % at most.
 */
export interface Durations {
  readonly count: number;
  /** Milliseconds, by the bin's number. */
  readonly bins: ReadonlyMap<number, number>;
}

const PER_DOUBLING = 16;
/** A day; what took longer is counted there. */
const MOST_MS = 86_400_000;

export function binOf(ms: number): number {
  return Math.round(Math.log2(Math.min(Math.max(ms, 1), MOST_MS)) * PER_DOUBLING);
}

/** The milliseconds at or below which this share (0 to 1) of them lie; undefined of none. */
export function quantileMs(all: readonly Durations[], share: number): number | undefined {
  const bins = new Map<number, number>();
  for (const one of all) for (const [bin, count] of one.bins) bins.set(bin, (bins.get(bin) ?? 0) + count);
  const total = all.reduce((sum, { count }) => sum + count, 0);
  let left = Math.max(1, Math.ceil(total * share));
  for (const [bin, count] of [...bins].toSorted(([one], [other]) => one - other)) {
    left -= count;
    if (left <= 0) return Math.round(2 ** (bin / PER_DOUBLING));
  }
  return undefined;
}
