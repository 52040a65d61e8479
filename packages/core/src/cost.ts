import type { Generation } from './generation.ts';
import { type Booking, bookingsOf } from './ledger.ts';
import type { RunPlan } from './plan.ts';

/** What a generation cost; what nobody knows is `unknown`, never 0. */
export interface Cost {
  readonly usd: number | undefined;
  /**
   * `none` when every attempt provably did no work, or was made where nothing is billed; `reported` where the answer told
   * the price, `usage` where it told what was used; `estimated` where some of that was counted here.
   */
  readonly basis: 'none' | 'reported' | 'per-image' | 'usage' | 'estimated' | 'unknown';
  /** Attempts that may have been billed without a picture, or an answer, to show for it. */
  readonly possibleCharges: number;
  /** What those would cost; undefined when there are none, or a price is unknown. */
  readonly possibleUsd: number | undefined;
}

/** Adds up the attempts that a provider bills or may bill. */
export function costOf(plan: RunPlan, generation: Generation): Cost {
  const every = bookingsOf(plan, generation);
  const certain = every.filter(({ cost }) => cost.standing === 'certain');
  const unknown = every.filter(({ cost }) => cost.standing === 'possible');
  const possible = {
    possibleCharges: unknown.length,
    possibleUsd: unknown.length === 0 ? undefined : sumOf(unknown),
  };
  const isMadeForNothing = certain.length === 0 && every.some(({ attempt }) => attempt.free && attempt.outcome?.ok);
  if ((certain.length === 0 && unknown.length === 0) || isMadeForNothing) return { usd: 0, basis: 'none', ...possible };
  const usd = certain.length === 0 ? undefined : sumOf(certain);
  return { usd, basis: usd === undefined ? 'unknown' : basisOf(certain), ...possible };
}

function basisOf(certain: readonly Booking[]): Cost['basis'] {
  if (certain.some(({ cost }) => cost.priced === 'estimated')) return 'estimated';
  const priced = certain[0]?.cost.priced;
  return priced === 'reported' || priced === 'usage' ? priced : 'per-image';
}

/** In dollars; undefined as soon as one price is unknown. */
function sumOf(bookings: readonly Booking[]): number | undefined {
  let microUsd = 0;
  for (const { cost } of bookings) {
    if (cost.microUsd === null) return undefined;
    microUsd += cost.microUsd;
  }
  return microUsd / 1e6;
}
