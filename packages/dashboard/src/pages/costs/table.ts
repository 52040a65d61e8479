import {
  type CostRow,
  type CostSums,
  type Costs,
  DIMENSIONS,
  type Dimension,
  type TimeDimension,
} from '../../api/costs.ts';
import { count, usd } from '../../ui/format.ts';

export const PERIODS = [
  ['1h', 'last hour'],
  ['24h', 'last 24 hours'],
  ['7d', 'last 7 days'],
  ['30d', 'last 30 days'],
  ['90d', 'last 90 days'],
  ['52w', 'last year'],
] as const;

const USUAL_PERIOD = '7d';

/** What is looked at, as it stands in the address. */
export interface View {
  readonly since: string;
  readonly by: readonly Dimension[];
}

/** What an address asks for; what it does not say, or says wrong, is as usual. */
export function viewOf(query: URLSearchParams): View {
  const since = PERIODS.find(([period]) => period === query.get('period'))?.[0] ?? USUAL_PERIOD;
  const asked = query.get('by')?.split(',') ?? ['model'];
  return { since, by: DIMENSIONS.filter((one) => asked.includes(one)) };
}

/** A stretch of up to two days is drawn by the hour. */
export function stepOf(since: string): TimeDimension {
  return since.endsWith('h') ? 'hour' : 'day';
}

const HOUR_MS = 3_600_000;
const STEP_MS = { hour: HOUR_MS, day: 24 * HOUR_MS } as const;
/** More than any period has. */
const MAX_STEPS = 400;

/** When a group of a day (`2026-11-21`) or an hour (`2026-11-21T14`, with or without more behind it) of UTC begins. */
export function instantOf(group: string): number {
  return Date.parse(
    `${group.slice(0, 'yyyy-mm-ddThh'.length)}${group.length > 'yyyy-mm-dd'.length ? ':00Z' : 'T00:00Z'}`,
  );
}

export interface OverTime {
  /** Epoch ms. */
  readonly at: readonly number[];
  readonly spent: readonly number[];
  readonly possible: readonly number[];
}

/** Every step of the stretch (epoch ms); of steps with no row nothing was spent. */
export function overTime(
  rows: readonly CostRow[],
  step: TimeDimension,
  { since, until }: Pick<Costs, 'since' | 'until'>,
): OverTime {
  const sums = new Map<number, CostSums>(rows.map((row) => [instantOf(row[step] ?? ''), row]));
  const [first, last] = [since, until - 1].map((at) => Math.floor(at / STEP_MS[step]));
  const length = Math.min(MAX_STEPS, (last ?? 0) - (first ?? 0) + 1);
  const at = Array.from({ length }, (_, index) => ((last ?? 0) - length + 1 + index) * STEP_MS[step]);
  return {
    at,
    spent: at.map((one) => sums.get(one)?.spent_usd ?? 0),
    possible: at.map((one) => sums.get(one)?.possible_usd ?? 0),
  };
}

/** A count with the money it stands for; nothing where there is none. */
export function counted(times: number, amount: number): string {
  return times === 0 ? '–' : `${count(times)} · ${usd(amount)}`;
}

export function amountOrNone(amount: number): string {
  return amount === 0 ? '–' : usd(amount);
}

const SUMS: readonly (keyof CostSums)[] = [
  ...([
    'requests',
    'attempts',
    'images',
    'spent_usd',
    'retried_usd',
    'fallback_usd',
    'refused',
    'refused_usd',
  ] as const),
  ...(['cached', 'saved_usd', 'unknown', 'possible_usd', 'unpriced'] as const),
];

/** The rows for a spreadsheet. A text that it would take for a formula gets an apostrophe before it. */
export function csvOf(rows: readonly CostRow[], by: readonly Dimension[]): string {
  const lines = rows.map((row) => [
    ...by.map((one) => textCell(row[one] ?? '')),
    ...SUMS.map((one) => String(row[one])),
  ]);
  return [[...by, ...SUMS], ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

function textCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
