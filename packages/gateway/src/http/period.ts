import { invalidValue } from './problem.ts';

/** From its first instant to the one after its last (epoch ms). */
export interface Stretch {
  readonly since: number;
  readonly until: number;
}

const USUAL_MS = 7 * 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const DAY_MS = 86_400_000;

/**
 * Reads `since` and `until`: so long ago (`30m`, `12h`, `7d`, `4w`), a day of UTC (`2026-11-21`, as `until` to its
 * end), or an instant (`2026-11-21T14:00:00Z`). Without `since` it is the last 7 days, without `until` it ends now.
 */
export function stretchOf(given: { readonly since?: string; readonly until?: string }, now: number): Stretch {
  const since = given.since === undefined ? now - USUAL_MS : instantOf('since', given.since, now, 0);
  const until = given.until === undefined ? now + 1 : instantOf('until', given.until, now, DAY_MS);
  if (since < until) return { since, until };
  const told = `it is ${new Date(since).toISOString()}, and until is ${new Date(until).toISOString()}`;
  throw invalidValue('since', `${told}; it must be earlier`);
}

/** A day means its beginning, and `dayMs` later. */
function instantOf(param: string, text: string, now: number, dayMs: number): number {
  const [, amount, unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, now - Number(amount) * (UNIT_MS[unit] ?? 0));
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const at = isDay || ISO_INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || !isInCalendar(text.slice(0, 'yyyy-mm-dd'.length)))
    throw invalidValue(param, `${JSON.stringify(text.slice(0, 50))} ${RULE}`);
  return at + (isDay ? dayMs : 0);
}

/** The 30th of February would be taken for a day of March. */
function isInCalendar(day: string): boolean {
  const at = Date.parse(day);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}

const ISO_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;
const RULE =
  'is neither so long ago, such as 7d or 12h, nor a day or an instant, such as 2026-11-21 or 2026-11-21T14:00:00Z';
