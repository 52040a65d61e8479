import type { AlertRow, AlertRule, Unit } from '../../api/alerts.ts';
import { count, duration, percent } from '../../ui/format.ts';

/** A value of a rule, or its threshold, as people write it. */
export function amountText(value: number | null, unit: Unit): string {
  if (value === null) return '–';
  if (unit === 'share') return percent(value);
  if (unit === 'ms') return duration(value);
  return unit === 'days' ? `${count(value)} ${value === 1 ? 'day' : 'days'}` : count(value);
}

/** `failure_rate` is `failure rate`. */
export function ruleWords(name: string): string {
  return name.replaceAll('_', ' ');
}

/** When a rule says something: `20 % or more within 5 min, for 2 min`. */
export function conditionText({ is, above, unit, for_ms: forMs, window_ms: windowMs }: AlertRule): string {
  const within = windowMs === null || windowMs === undefined ? '' : ` within ${duration(windowMs)}`;
  const held = forMs > 0 ? `, for ${duration(forMs)}` : ', at once';
  return `${amountText(above, unit)} or ${is === 'above' ? 'more' : 'less'}${within}${held}`;
}

/** How a rule stands over all its subjects: the value that is nearest to its threshold, and how long it is silent. */
export function standingOf(
  { name, is }: Pick<AlertRule, 'name' | 'is'>,
  rows: readonly AlertRow[],
): { readonly value: number | null; readonly silencedUntil: number | null } {
  const own = rows.filter(({ rule }) => rule === name);
  const values = own.flatMap(({ value }) => value ?? []);
  const ends = own.flatMap(({ silenced_until: until }) => until ?? []);
  return {
    value: values.length === 0 ? null : is === 'above' ? Math.max(...values) : Math.min(...values),
    silencedUntil: ends.length === 0 ? null : Math.max(...ends),
  };
}

const STATES: readonly AlertRow['state'][] = ['firing', 'pending', 'silenced', 'ok'];
const SEVERITIES: readonly AlertRow['severity'][] = ['critical', 'warning', 'notice', null];

/** What fires first, the gravest first, then the longest. */
export function byUrgency(rows: readonly AlertRow[]): readonly AlertRow[] {
  return rows.toSorted(
    (one, other) =>
      STATES.indexOf(one.state) - STATES.indexOf(other.state) ||
      SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
      (one.since ?? 0) - (other.since ?? 0),
  );
}
