import type { LimitReport, Limits, Rate } from '@onetake/core';

/** At most `count` in any `window_ms`. */
export interface ModelRate {
  readonly count: number;
  readonly window_ms: number;
}

/** Limits as the wire tells them; what is absent is not known. */
export interface ModelLimits {
  readonly images?: readonly ModelRate[];
  readonly requests?: readonly ModelRate[];
  readonly tokens?: readonly ModelRate[];
  /** Requests in flight. */
  readonly concurrency?: number;
}

/** The limits at a target, over all its keys; undefined where nothing is known. */
export type LimitsOf = (target: string) => Limits | undefined;

/** What the pacer holds a target to now, its keys added up; what is configured where it has not been used yet. */
export function limitsInForce(report: () => readonly LimitReport[], configured: LimitsOf): LimitsOf {
  return (target) => {
    const keys = report().filter((one) => one.target === target);
    return keys.length === 0 ? configured(target) : sumOf(keys.map((one) => one.limits));
  };
}

export function limitsView({ images, requests, tokens, concurrency }: Limits): ModelLimits {
  return {
    ...(images && { images: images.map(rateView) }),
    ...(requests && { requests: requests.map(rateView) }),
    ...(tokens && { tokens: tokens.map(rateView) }),
    ...(concurrency !== undefined && { concurrency }),
  };
}

function rateView({ count, windowMs }: Rate): ModelRate {
  return { count, window_ms: windowMs };
}

/** A dimension that one key does not know is not known of them all. */
function sumOf(all: readonly Limits[]): Limits {
  const [images, requests, tokens] = [
    all.map((one) => one.images),
    all.map((one) => one.requests),
    all.map((one) => one.tokens),
  ].map(sumOfRates);
  const concurrency = all.reduce((sum, one) => sum + (one.concurrency ?? Number.NaN), 0);
  return {
    ...(images && { images }),
    ...(requests && { requests }),
    ...(tokens && { tokens }),
    ...(!Number.isNaN(concurrency) && { concurrency }),
  };
}

function sumOfRates(all: readonly (readonly Rate[] | undefined)[]): readonly Rate[] | undefined {
  const counts = new Map<number, number>();
  for (const rates of all) {
    if (rates === undefined) return undefined;
    for (const { count, windowMs } of rates) counts.set(windowMs, (counts.get(windowMs) ?? 0) + count);
  }
  return [...counts].map(([windowMs, count]) => ({ count, windowMs }));
}
