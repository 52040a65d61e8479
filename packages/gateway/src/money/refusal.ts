import type { BudgetStanding, Failure, Spend } from '@onetake/core';
import type { ManagedKey, Period } from '../keys/key.ts';
import type { BoundedWindow } from '../keys/windows.ts';
import { usdText } from './usd.ts';

/** What a run holds and what of that a window had left for it. */
export interface Beyond {
  readonly key: ManagedKey;
  readonly bound: BoundedWindow;
  /** What the run would hold, in the unit of the bound. */
  readonly wanted: number;
  readonly left: number;
  /** What is spent and held in the window, where that could be read. */
  readonly use: { readonly spent: number; readonly held: number } | undefined;
}

const PER: Readonly<Record<Period, string>> = {
  hour: ' an hour',
  day: ' a day',
  week: ' a week',
  month: ' a month',
  total: ' in all',
};

/** The 402 of a request that a budget has no room for; `notBefore` only where its next window has. */
export function beyondBudget({ target }: Spend, { key, bound, wanted, left, use }: Beyond): Failure {
  const { unit, most, until } = bound;
  const amount = (value: number) => amountText(value, unit);
  const per = periodOf(key, unit);
  const budget = `the budget of key "${key.name}" is ${amount(most)}${PER[per]}`;
  const never = wanted > most;
  const wayOut =
    until === undefined || never
      ? 'use another key, or ask for something cheaper'
      : `it starts anew at ${instantText(until)}`;
  const asked = `and with ${target} this request may come to ${amount(wanted)}`;
  return {
    kind: 'budget',
    certainty: 'not_sent',
    message: `${budget}; ${amount(Math.max(0, left))} of it is left ${asked}: ${wayOut}`,
    ...(until !== undefined && !never && { notBefore: until }),
    budget: {
      ...{ key: key.name, per, unit, most },
      ...(use && { spent: use.spent, held: use.held }),
      ...(until !== undefined && { until }),
    },
  };
}

/** `2026-11-22T00:00:00Z`: windows begin with a whole second. */
function instantText(at: number): string {
  return new Date(at).toISOString().replace('.000', '');
}

function periodOf({ budget, images }: ManagedKey, unit: BoundedWindow['unit']): BudgetStanding['per'] {
  return (unit === 'micro_usd' ? budget?.per : images?.per) ?? 'total';
}

function amountText(value: number, unit: BoundedWindow['unit']): string {
  return unit === 'micro_usd' ? usdText(value) : `${value} ${value === 1 ? 'picture' : 'pictures'}`;
}

/** A budget cannot be kept by guessing. */
export function unpriced({ target }: Spend, { name }: ManagedKey): Failure {
  const message = `nobody knows what ${target} costs, and key "${name}" has a budget: say its price in onetake.yaml, under models: ${target}, or use a key made with --allow-unknown-price`;
  return { kind: 'budget', certainty: 'not_sent', message };
}

/** Without its answer nothing may be spent. */
export function unasked({ name }: ManagedKey, notBefore: number): Failure {
  const message = `the budget of key "${name}" cannot be looked up because the gateway’s database does not answer; nothing was sent, send the same request again`;
  return { kind: 'unavailable', certainty: 'not_sent', message, notBefore };
}
