import { fitsAt, type RateDimension, type Units, type UseLog, unitsOf } from './sliding-window.ts';

/** The windows that providers count in. Each further one costs a refusal to tell it from its neighbours. */
export const USUAL_WINDOWS_MS: readonly number[] = [1, 5, 10, 15, 30, 60, 300, 3_600, 86_400].map(
  (seconds) => seconds * 1_000,
);

/** Not sooner after a window's end than this: what was sent in order need not arrive in order. */
export function guardMs(windowMs: number, lateMs = 0): number {
  return Math.max(Math.min(Math.max(20, windowMs * 0.005), 2_000), Math.min(lateMs, windowMs * 0.05));
}

/** A call that a provider refused because of a limit it did not name. */
export interface Refusal extends Units {
  /** When it was sent (epoch ms). */
  readonly at: number;
  /** What may be limited, as far as the provider said. */
  readonly dimensions: readonly RateDimension[];
}

/** A limit that explains all that was accepted and refused. */
export interface Explanation {
  readonly dimension: RateDimension;
  readonly windowMs: number;
  readonly count: number;
}

export interface Evidence {
  readonly uses: UseLog;
  readonly refusals: readonly Refusal[];
  /** What was accepted before this instant may have been under another limit. */
  readonly since: number;
  /** What was sent later may still be refused. */
  readonly settledUntil: number;
}

/**
 * Every limit of a usual window that agrees with the evidence: at each refusal the window held too much for the call
 * (an upper bound of the count), at each acceptance it did not (a lower one). Where arrival may differ from sending by
 * the guard, both bounds give way.
 */
export function explanations(evidence: Evidence): readonly Explanation[] {
  const { refusals } = evidence;
  const dimensions = DIMENSIONS.filter((one) => refusals.every((refusal) => refusal.dimensions.includes(one)));
  return dimensions.flatMap((dimension) =>
    USUAL_WINDOWS_MS.flatMap((windowMs) => {
      const count = Math.min(...refusals.map((refusal) => atMost(evidence.uses, dimension, windowMs, refusal)));
      return count >= Math.max(1, atLeast(evidence, dimension, windowMs)) ? [{ dimension, windowMs, count }] : [];
    }),
  );
}

/** In the order of preference where nothing tells them apart. */
const DIMENSIONS: readonly RateDimension[] = ['requests', 'images', 'tokens'];

function atMost(uses: UseLog, dimension: RateDimension, windowMs: number, refusal: Refusal): number {
  const guard = guardMs(windowMs);
  let used = 0;
  for (const use of uses) {
    if (use[1] > refusal.at - windowMs - guard && use[0] <= refusal.at + guard) used += unitsOf(use, dimension);
  }
  return used + refusal[dimension] - 1;
}

function atLeast({ uses, since, settledUntil }: Evidence, dimension: RateDimension, windowMs: number): number {
  const length = windowMs - guardMs(windowMs);
  let [most, used, first] = [0, 0, 0];
  for (const use of uses) {
    used += unitsOf(use, dimension);
    for (let oldest = uses[first]; oldest && oldest[0] <= use[1] - length && oldest !== use; oldest = uses[first]) {
      used -= unitsOf(oldest, dimension);
      first += 1;
    }
    if (use[0] >= since && use[1] <= settledUntil && use[1] - use[0] < length) most = Math.max(most, used);
  }
  return most;
}

/** The explanation that allows the most: the first to be proven wrong if it is, and the least loss if it is not. */
export function mostGenerous(found: readonly Explanation[], uses: UseLog): Explanation | undefined {
  const total = (dimension: RateDimension) => uses.reduce((sum, use) => sum + unitsOf(use, dimension), 0);
  const requests = total('requests');
  const perRequest = { requests: 1, images: total('images') / requests, tokens: total('tokens') / requests };
  const rate = (one: Explanation) => one.count / one.windowMs / (perRequest[one.dimension] || 1);
  return found.reduce<Explanation | undefined>(
    (best, one) => (best === undefined || rate(one) > rate(best) * 1.000_001 ? one : best),
    undefined,
  );
}

/**
 * When to send one call to see: at the end of the window thought of, since a limit of many calls frees nothing sooner.
 * After a long silence there is no sign that it is right, so no pause is much longer than the search has taken.
 */
export function probeAt(
  found: readonly Explanation[],
  uses: UseLog,
  refused: Units,
  searchedMs: number,
  now: number,
): number {
  const best = mostGenerous(found, uses);
  const patient = now + Math.min(Math.max(searchedMs * GROWTH, MIN_PAUSE_MS), MAX_PAUSE_MS);
  if (best === undefined) return patient;
  const guarded = { count: best.count, windowMs: best.windowMs + probeGuardMs(best.windowMs) };
  const soonest = now + Math.min(Math.max(searchedMs / 4, MIN_PROBE_MS), MAX_PROBE_MS);
  const freeAt = Math.max(fitsAt(uses, best.dimension, guarded, refused[best.dimension], now), soonest);
  return best.windowMs <= SHORT_WINDOW_MS ? freeAt : Math.min(freeAt, Math.max(patient, now + SHORT_WINDOW_MS));
}

/** A burst over new connections arrives later than a call over an open one; a probe too early would prove too much. */
function probeGuardMs(windowMs: number): number {
  return Math.max(guardMs(windowMs), Math.min(250, windowMs / 10), Math.min(windowMs / 100, 2_000));
}

const GROWTH = 1.6;
const MIN_PAUSE_MS = 1_000;
const MIN_PROBE_MS = 100;
const MAX_PROBE_MS = 5_000;
const SHORT_WINDOW_MS = 60_000;
const MAX_PAUSE_MS = 15 * 60_000;
