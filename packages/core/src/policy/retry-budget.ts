import type { Failure } from '../failure.ts';

/**
 * How many attempts at one target may be repeats: a pool of units that repeats draw from and successes fill (AWS
 * standard retry mode), and a share of what is open there (Envoy). Both must allow, so that a provider in trouble is
 * not called more for it. Pure functions over a plain state.
 */
export interface RetryBudget {
  /** Units left at `at` (epoch ms). */
  readonly units: number;
  readonly at: number;
  /** Attempts in flight, and how many of them are repeats. */
  readonly open: number;
  readonly openRepeats: number;
}

export interface RetryBudgetPolicy {
  readonly capacity: number;
  /** What a repeat draws, after a refusal for too many calls and after anything else. */
  readonly throttledCost: number;
  readonly transientCost: number;
  /** What a success gives that needed no repeat; a repeat that succeeds gives back what it drew. */
  readonly successGain: number;
  readonly refillPerSecond: number;
  /** Repeats in flight at most, as a part of all attempts in flight; so many always. */
  readonly openShare: number;
  readonly minOpen: number;
}

/**
 * AWS's capacity and costs. Theirs never fills with time, so that an outage which used it up leaves no repeats until
 * something succeeds without one. One unit a second allows a repeat every 14 s: nothing beside the calls of a busy
 * target (0.07 repeats a second), and all that a target needs which is called once a minute. Twenty may always be open:
 * when a provider dies, all that it had in hand falls back in one moment, and with Envoy's floor of three most of it
 * would fail although the next provider is well; against storms stands the pool.
 */
export const RETRY_BUDGET_POLICY: RetryBudgetPolicy = {
  capacity: 500,
  throttledCost: 5,
  transientCost: 14,
  successGain: 1,
  refillPerSecond: 1,
  openShare: 0.2,
  minOpen: 20,
};

export function fullBudget(now: number, policy: RetryBudgetPolicy): RetryBudget {
  return { units: policy.capacity, at: now, open: 0, openRepeats: 0 };
}

export type Draw =
  | { readonly allowed: true; readonly budget: RetryBudget; readonly cost: number }
  /** `count`: too many failed lately; `concurrency`: too many repeats are in flight. */
  | { readonly allowed: false; readonly by: 'count' | 'concurrency' };

/** Draws one repeat, or nothing where either bound is met. */
export function drawRepeat(budget: RetryBudget, after: Failure, now: number, policy: RetryBudgetPolicy): Draw {
  const refilled = refilledAt(budget, now, policy);
  const cost = after.kind === 'throttled' ? policy.throttledCost : policy.transientCost;
  if (refilled.units < cost) return { allowed: false, by: 'count' };
  const mayBeOpen = Math.max(policy.minOpen, Math.floor(policy.openShare * (budget.open + 1)));
  if (budget.openRepeats + 1 > mayBeOpen) return { allowed: false, by: 'concurrency' };
  return { allowed: true, budget: { ...refilled, units: refilled.units - cost }, cost };
}

export function attemptBegan(budget: RetryBudget, isRepeat: boolean): RetryBudget {
  return { ...budget, open: budget.open + 1, openRepeats: budget.openRepeats + (isRepeat ? 1 : 0) };
}

/** `drawn`: what it drew, where it was a repeat. */
export function attemptEnded(
  budget: RetryBudget,
  drawn: number | undefined,
  isSuccess: boolean,
  now: number,
  policy: RetryBudgetPolicy,
): RetryBudget {
  const refilled = refilledAt(budget, now, policy);
  const gain = isSuccess ? (drawn ?? policy.successGain) : 0;
  return {
    ...refilled,
    units: Math.min(policy.capacity, refilled.units + gain),
    open: Math.max(0, budget.open - 1),
    openRepeats: Math.max(0, budget.openRepeats - (drawn === undefined ? 0 : 1)),
  };
}

/** A clock that was set back adds nothing. */
function refilledAt(budget: RetryBudget, now: number, policy: RetryBudgetPolicy): RetryBudget {
  const seconds = Math.max(0, now - budget.at) / 1_000;
  return { ...budget, units: Math.min(policy.capacity, budget.units + seconds * policy.refillPerSecond), at: now };
}
