/**
 * A bound that is looked for from below: lowered at once by a refusal, raised a little whenever it was kept without one
 * for a period while more was wanted. What a failed raise proves makes the next one wait twice as long; raises that
 * hold follow each other faster and in larger steps.
 */
export interface Climb {
  readonly count: number;
  /** The highest count that was kept for a period. */
  readonly proven: number;
  readonly step: number;
  /** Epoch ms. */
  readonly changedAt: number;
  readonly periodMs: number;
}

export interface Pace {
  readonly periodMs: number;
  /** What failed raises lengthen the period to at most. */
  readonly maxPeriodMs: number;
}

export function startClimb(count: number, periodMs: number, now: number): Climb {
  return { count, proven: count, step: 1, changedAt: now, periodMs };
}

/** More than is proven is being tried. */
export function isTrying(climb: Climb): boolean {
  return climb.count > climb.proven;
}

export function lowered(climb: Climb, count: number, pace: Pace, now: number): Climb {
  const failedRaise = isTrying(climb) && count >= climb.proven * FAILED_RAISE_SHARE;
  const periodMs = failedRaise
    ? Math.min(Math.max(climb.periodMs, pace.periodMs) * 2, pace.maxPeriodMs)
    : pace.periodMs;
  return { count, proven: count, step: 1, changedAt: now, periodMs };
}

/** Below this share of what was proven, the provider allows less than before. */
const FAILED_RAISE_SHARE = 0.9;

/** The bound raised, when it is time; undefined when it is not. */
export function raised(climb: Climb, pace: Pace, now: number): Climb | undefined {
  if (now - climb.changedAt < climb.periodMs) return undefined;
  const held = isTrying(climb);
  const step = held ? climb.step * 2 : 1;
  const periodMs = held ? Math.max(pace.periodMs / 4, climb.periodMs / 2) : climb.periodMs;
  return { count: climb.count + step, proven: climb.count, step, changedAt: now, periodMs };
}
