import type { LimitReport } from '@onetake/core';

/** What a target allows in one dimension and one window, over all its keys, and how much of it is used now. */
export interface LimitUse {
  readonly target: string;
  readonly dimension: 'images' | 'requests' | 'tokens' | 'concurrency';
  readonly count: number;
  /** Undefined of `concurrency`, which is what may be in flight. */
  readonly windowMs: number | undefined;
  readonly used: number;
  /** `used` of `count`, from 0; above 1 where a limit was lowered. */
  readonly share: number;
  /** Requests that wait for a turn at the target, whatever it is that binds. */
  readonly waiting: number;
}

/** The fullest first: of those with something waiting, the first is what binds. */
export function limitUses(reports: readonly LimitReport[]): readonly LimitUse[] {
  const sums = new Map<string, LimitUse>();
  for (const { target, limits, rates, inFlight, waiting } of reports) {
    const add = (one: Pick<LimitUse, 'dimension' | 'windowMs' | 'count' | 'used'>) => {
      const id = `${target} ${one.dimension} ${one.windowMs}`;
      const known = sums.get(id);
      const [count, used] = [(known?.count ?? 0) + one.count, (known?.used ?? 0) + one.used];
      sums.set(id, { ...one, target, waiting, count, used, share: count > 0 ? used / count : 1 });
    };
    for (const { dimension, count, windowMs, used } of rates) add({ dimension, count, windowMs, used });
    const { concurrency } = limits;
    if (concurrency !== undefined) {
      add({ dimension: 'concurrency', windowMs: undefined, count: concurrency, used: inFlight });
    }
  }
  return [...sums.values()].toSorted((one, other) => other.share - one.share || other.waiting - one.waiting);
}
