import { useQuery } from '@tanstack/react-query';
import { json, withQuery } from './client.ts';

/** What rows can be told apart by. */
export const DIMENSIONS = ['model', 'provider', 'route', 'key', 'kind'] as const;
export type Dimension = (typeof DIMENSIONS)[number];
export type TimeDimension = 'day' | 'hour';

export interface CostSums {
  readonly requests: number;
  readonly attempts: number;
  readonly images: number;
  readonly spent_usd: number;
  /** Of `spent_usd`: for attempts after the first. */
  readonly retried_usd: number;
  /** Of `spent_usd`: at another target than the first. */
  readonly fallback_usd: number;
  readonly refused: number;
  readonly refused_usd: number;
  readonly cached: number;
  readonly saved_usd: number;
  /** Outcomes that nobody knows, and what they may have cost. */
  readonly unknown: number;
  readonly possible_usd: number;
  /** Attempts that cost something nobody knows the price of. */
  readonly unpriced: number;
}

/** Sums with the group they are of; null where it has none of that dimension. */
export type CostRow = CostSums & Readonly<Partial<Record<Dimension | TimeDimension, string | null>>>;

export interface Costs {
  readonly since: number;
  readonly until: number;
  readonly by: readonly (Dimension | TimeDimension)[];
  readonly data: readonly CostRow[];
  readonly total: CostSums;
  /** There are more rows than are told. */
  readonly truncated?: true;
}

export interface WantedCosts {
  readonly by: readonly (Dimension | TimeDimension)[];
  readonly since: string;
  readonly until?: string;
}

export function useCosts({ by, since, until }: WantedCosts) {
  const path = withQuery('/v1/costs', { by: by.join(','), since, until });
  return useQuery({ queryKey: ['costs', path], queryFn: () => json<Costs>(path), placeholderData: (last) => last });
}
