import type { BudgetUse } from '../api/now.ts';
import { count, usd } from './format.ts';

/** What of a budget is gone, 0 to 1 or more: spent, and held for what runs. */
export function budgetShare({ most, spent, held }: BudgetUse): number {
  return most > 0 ? (spent + held) / most : 1;
}

/** `$1.20 of $5.00 a day, $0.04 held`. */
export function budgetText(budget: BudgetUse): string {
  const { most, spent, held } = budget;
  const part = held > 0 ? `, ${written(budget, held)} held` : '';
  return `${written(budget, spent)} of ${written(budget, most)}${periodText(budget)}${part}`;
}

/** `$5.00 a day`. */
export function budgetBound(budget: BudgetUse): string {
  return `${written(budget, budget.most)}${periodText(budget)}`;
}

/** A window is called by what it bounds, its period and when it began: `budget day 2026-11-22`. */
function periodText({ name }: BudgetUse): string {
  const period = name.split(' ')[1];
  if (period === undefined || period === 'total') return ' in all';
  return period === 'hour' ? ' an hour' : ` a ${period}`;
}

function written({ unit }: BudgetUse, amount: number): string {
  return unit === 'usd' ? usd(amount) : `${count(amount)} ${amount === 1 ? 'image' : 'images'}`;
}
