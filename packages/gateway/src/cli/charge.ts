import type { JsonObject } from '@onetake/core';
import { priceText } from './text.ts';

/** What was charged, or may have been: `possibly $0.04`. */
export function chargeText({ billed, price_usd: price, possible_usd: possible, status }: JsonObject): string {
  const known = typeof price === 'number' ? priceText(price) : undefined;
  const perhaps = typeof possible === 'number' ? `possibly ${priceText(possible)}` : 'possible, price unknown';
  if (status === 'processing' || status === 'pending') return '-';
  if (billed === 'no') return 'none';
  if (billed === 'maybe') return known === undefined ? perhaps : `${known}; ${perhaps} more`;
  return known ?? priceText(undefined);
}
