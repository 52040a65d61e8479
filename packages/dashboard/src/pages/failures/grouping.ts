import type { FailureGroup } from '../../api/failures.ts';

export const PERIODS = [
  ['1h', 'last hour'],
  ['24h', 'last 24 hours'],
  ['7d', 'last 7 days'],
  ['30d', 'last 30 days'],
] as const;

const USUAL_PERIOD = '7d';

export function periodOf(text: string | null): string {
  return PERIODS.find(([period]) => period === text)?.[0] ?? USUAL_PERIOD;
}

/** What `explain` is to read: the words and the code, as an answer would have them. */
export function explainable({ code, message }: Pick<FailureGroup, 'code' | 'message'>): string {
  return JSON.stringify({ error: { message, ...(code !== null && { code }) } });
}

export type Order = 'latest' | 'most';

/** Those that have the text anywhere in what is shown of them. */
export function chosen(groups: readonly FailureGroup[], text: string, order: Order): readonly FailureGroup[] {
  const wanted = text.trim().toLowerCase();
  const found = groups.filter(({ message, target, code, kind, keys }) =>
    [message, target, code, kind, ...keys].some((one) => one?.toLowerCase().includes(wanted)),
  );
  return found.toSorted((one, other) =>
    order === 'most' ? other.count - one.count || other.last_at - one.last_at : other.last_at - one.last_at,
  );
}
