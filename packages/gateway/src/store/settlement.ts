import type { Settlement } from './ledger.ts';

/** A finished generation of which something is in doubt, and its lines that are. */
export interface Doubtful {
  readonly costUsd: number | null;
  readonly possibleUsd: number | null;
  /** Some line of it is certainly billed. */
  readonly isBilled: boolean;
  readonly lines: readonly DoubtfulLine[];
}

export interface DoubtfulLine {
  readonly number: number;
  /** Where it counts in budgets. */
  readonly at: number;
  readonly possible: number | null;
  /** What is held for it where its price is unknown. */
  readonly kept: number | null;
  readonly images: number;
}

/** What becomes of the generation and each of those lines. */
export interface Settled {
  readonly billed: 'no' | 'yes';
  /** Null where nobody says. */
  readonly costUsd: number | null;
  readonly lines: readonly {
    readonly number: number;
    readonly at: number;
    /** What it cost, null where nobody says. */
    readonly spent: number | null;
    readonly images: number;
    /** What budgets hold for it no more. */
    readonly released: number;
    readonly releasedImages: number;
  }[];
}

export function settled({ lines, costUsd, possibleUsd, isBilled }: Doubtful, settlement: Settlement): Settled {
  const { verdict, microUsd } = settlement;
  const isCharged = verdict === 'charged';
  const amounts = settledAmounts(
    lines.map(({ possible }) => possible),
    settlement,
  );
  const sum = amounts.reduce<number>((all, amount) => all + (amount ?? 0), 0);
  // A generation older than the ledger has no lines, and its row alone says what it may have cost.
  const known =
    lines.length > 0 || microUsd !== undefined ? usd(lines.length > 0 ? sum : (microUsd ?? 0)) : possibleUsd;
  const wasBilled = isBilled || (costUsd ?? 0) > 0;
  return {
    billed: isCharged || wasBilled ? 'yes' : 'no',
    costUsd: isCharged && known !== null ? (costUsd ?? 0) + known : costUsd,
    lines: lines.map(({ number, at, possible, kept, images }, index) => ({
      ...{ number, at, spent: amounts[index] ?? null, images: isCharged ? images : 0 },
      ...{ released: possible ?? kept ?? 0, releasedImages: images },
    })),
  };
}

/**
 * What doubtful attempts turn out to have cost, in their order, null where nobody says. `microUsd` is what all of them
 * cost together: each gets its own price as far as that reaches, and what is left goes to the first whose is unknown.
 */
export function settledAmounts(
  possible: readonly (number | null)[],
  { verdict, microUsd }: Pick<Settlement, 'verdict' | 'microUsd'>,
): readonly (number | null)[] {
  if (verdict === 'free') return possible.map(() => 0);
  if (microUsd === undefined) return possible;
  let left = microUsd;
  const amounts = possible.map((price) => {
    const amount = Math.min(price ?? 0, left);
    left -= amount;
    return amount;
  });
  const takes = Math.max(0, possible.indexOf(null));
  return amounts.map((amount, index) => (index === takes ? amount + left : amount));
}

const usd = (microUsd: number) => microUsd / 1_000_000;
