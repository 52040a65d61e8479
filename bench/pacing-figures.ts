import { isThrottled, type LedgerEntry } from '../tests/rig/ledger.ts';

/** What a provider enforces in a scenario. */
export type Enforced =
  | { readonly kind: 'concurrency'; readonly count: number; readonly callMs: number }
  | { readonly kind: 'images'; readonly count: number; readonly windowMs: number };

export interface PacingFigures {
  /** Pictures that the provider made, and so charged. */
  readonly made: number;
  readonly requests: number;
  /** From the first request to the last. */
  readonly tookMs: number;
  /** After the first tenth: the least time in which the limit allows the pictures made ÷ the time they took. */
  readonly usedShare: number | undefined;
  /** After the first tenth: refused by the limit ÷ requests. */
  readonly refusedShare: number;
}

/** Reads a provider's bill of a batch of `wanted` pictures, one per request. */
export function figuresOf(entries: readonly LedgerEntry[], wanted: number, enforced: Enforced): PacingFigures {
  const madeAt = entries.filter(({ images }) => images > 0).map(({ at }) => at);
  const tenth = Math.floor(wanted / 10);
  const startsAt = madeAt[tenth] ?? Number.POSITIVE_INFINITY;
  const later = entries.filter(({ at }) => at >= startsAt);
  return {
    made: madeAt.length,
    requests: entries.length,
    tookMs: (entries.at(-1)?.at ?? 0) - (entries[0]?.at ?? 0),
    usedShare: usedShare(madeAt, tenth, enforced),
    refusedShare: later.length === 0 ? 0 : later.filter(isThrottled).length / later.length,
  };
}

/** Undefined where too little was made to say. */
function usedShare(madeAt: readonly number[], tenth: number, enforced: Enforced): number | undefined {
  const [startsAt, endsAt] = [madeAt[tenth], madeAt.at(-1)];
  if (startsAt === undefined || endsAt === undefined) return undefined;
  const unitMs = enforced.kind === 'concurrency' ? enforced.callMs : enforced.windowMs;
  if (endsAt - startsAt < unitMs) return undefined;
  return leastTimeMs(madeAt, tenth, enforced) / (endsAt - startsAt);
}

/** The least time in which the limit allows what was made after the first tenth, that tenth being as it was. */
function leastTimeMs(madeAt: readonly number[], tenth: number, enforced: Enforced): number {
  const startsAt = madeAt[tenth] ?? 0;
  const following = madeAt.length - 1 - tenth;
  if (enforced.kind === 'concurrency') return (following * enforced.callMs) / enforced.count;
  const { count, windowMs } = enforced;
  const best = madeAt.slice(0, tenth + 1);
  for (let made = 0; made < following; made += 1) {
    best.push(Math.max(startsAt, (best.at(-count) ?? Number.NEGATIVE_INFINITY) + windowMs));
  }
  return (best.at(-1) ?? startsAt) - startsAt;
}
