import { ceilingTold } from './ceiling.ts';
import { rateTold } from './learned-limits.ts';
import type { LimitState } from './limit-state.ts';
import type { LimitReading } from './limit-words.ts';
import { type RateDimension, recorded, type Units, unitsOf } from './sliding-window.ts';

/** Calls sent so shortly after one may have been counted before it. */
const ORDER_MS = 500;

/**
 * Takes in what an answer told. A limit told is held to. `remaining` only ever adds to what was used: it is as old as
 * the call, and what it counts beyond our own calls is others' use of the key, gone by its reset.
 */
export function told(before: LimitState, readings: readonly LimitReading[], sentAt: number, now: number): LimitState {
  return readings.reduce((state, reading) => toldOne(state, reading, sentAt, now), before);
}

function toldOne(before: LimitState, reading: LimitReading, sentAt: number, now: number): LimitState {
  const { dimension, limit, source = 'headers' } = reading;
  if (limit !== undefined && !(limit >= 1)) return before;
  if (dimension === 'concurrency') return limit === undefined ? before : ceilingTold(before, limit, source, now);
  const windowMs = reading.windowMs ?? knownWindow(before, reading);
  // The reset was told relative to when the call was let in, which may be long ago.
  const resetAt = reading.resetAt === undefined ? undefined : reading.resetAt - (now - sentAt);
  if (limit === undefined || windowMs === undefined)
    return reading.remaining === 0 ? closedUntil(before, dimension, resetAt, now) : before;
  const state = rateTold(before, { dimension, windowMs, source, count: limit }, now);
  if (reading.remaining === undefined) return state;
  // Tokens are only estimated until an answer tells them, so a difference proves nothing.
  if (dimension === 'tokens') return reading.remaining === 0 ? closedUntil(state, dimension, resetAt, now) : state;
  const own = usedAround(state, dimension, sentAt, windowMs);
  const foreign = limit - reading.remaining - own;
  if (foreign <= 0) return state;
  const leavesAt = Math.min(resetAt ?? sentAt + windowMs, sentAt + windowMs);
  const units: Units = { requests: 0, images: 0, tokens: 0, [dimension]: foreign };
  return { ...state, uses: recorded(state.uses, leavesAt - windowMs, units, windowMs) };
}

function knownWindow(state: LimitState, { dimension, limit, source = 'headers' }: LimitReading): number | undefined {
  return state.rates.find((one) => one.dimension === dimension && one.source === source && one.climb.count === limit)
    ?.windowMs;
}

function usedAround(state: LimitState, dimension: RateDimension, sentAt: number, windowMs: number): number {
  return state.uses.reduce(
    (sum, use) => (use[1] > sentAt - windowMs && use[0] <= sentAt + ORDER_MS ? sum + unitsOf(use, dimension) : sum),
    0,
  );
}

function closedUntil(state: LimitState, dimension: string, until: number | undefined, now: number): LimitState {
  if (until === undefined || until <= Math.max(now, state.closed?.until ?? 0)) return state;
  return { ...state, closed: { until, reason: `the provider says that no ${dimension} are left` } };
}
