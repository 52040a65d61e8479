import type { JsonObject } from '@onetake/core';
import { InvalidArgumentError } from 'commander';

const PERIODS = ['hour', 'day', 'week', 'month', 'total'];
const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads `5/day`, `$0.50/hour` or `20` (in total) as the wire has it: `{"usd": 5, "per": "day"}`. */
export function budgetOption(text: string): JsonObject {
  const [, amount, per = 'total'] = /^\$?(\d{1,7}(?:\.\d{1,6})?)(?:\/([a-z]+))?$/.exec(text) ?? [];
  if (amount !== undefined && PERIODS.includes(per)) return { usd: Number(amount), per };
  throw new InvalidArgumentError(
    `expected US dollars and a period of ${PERIODS.join(', ')}, such as 5/day or 0.50/hour`,
  );
}

/** Reads `100/day` or `20` (in total). */
export function imagesOption(text: string): JsonObject {
  const [, count, per = 'total'] = /^(\d{1,9})(?:\/([a-z]+))?$/.exec(text) ?? [];
  if (count !== undefined && PERIODS.includes(per)) return { count: Number(count), per };
  throw new InvalidArgumentError(`expected a count and a period of ${PERIODS.join(', ')}, such as 100/day`);
}

/** Reads `30d`, `12h`, `90m` or `2w`, in ms. */
export function durationOption(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (count !== undefined && unitMs !== undefined && Number(count) > 0) return Number(count) * unitMs;
  throw new InvalidArgumentError('expected a number of minutes, hours, days or weeks, such as 90m, 12h, 30d or 2w');
}

/** Collects what is given several times, or with commas between. */
export function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((one) => one.trim())].filter((one) => one !== '');
}
