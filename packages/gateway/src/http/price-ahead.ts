import { type Plan, type PlannedTarget, spendOf, splitPlan } from '@onetake/core';

/** What a plan costs before anything is sent, at one target. */
export interface PriceAhead {
  /** Null where nobody knows. */
  readonly usd: number | null;
  /** As `price_basis`: `table@date`, `estimated` of tokens, `none` where nothing is billed, `unknown`. */
  readonly basis: string;
  /** How many calls it takes. */
  readonly calls: number;
}

const NEVER_RUN = { length: 0, attempts: [], partialSent: false };

/** At the target it asks first, unless another is named. */
export function priceAhead(plan: Plan, target: PlannedTarget | undefined = plan.targets[0]): PriceAhead {
  const children = splitPlan(plan);
  const calls = children.length;
  let sum = 0;
  for (const child of children) {
    const asked = child.targets.find(({ id }) => id === target?.id);
    const { microUsd } = asked ? spendOf('', child, NEVER_RUN, asked) : {};
    if (microUsd === undefined) return { usd: null, basis: 'unknown', calls };
    sum += microUsd;
  }
  return { usd: sum / 1e6, basis: basisOf(target), calls };
}

function basisOf(target: PlannedTarget | undefined): string {
  if (target?.free) return 'none';
  const { price } = target ?? {};
  if (price === undefined) return 'unknown';
  if ('perMillionTokensUsd' in price) return 'estimated';
  return price.asOf === undefined ? 'table' : `table@${price.asOf}`;
}
