import type { Window } from '../store/ledger.ts';
import type { ManagedKey, Period } from './key.ts';

/** A window of a budget, and what may be spent and held in it: millionths of a dollar, or pictures. */
export interface BoundedWindow extends Window {
  readonly most: number;
}

type Budgets = Pick<ManagedKey, 'budget' | 'images' | 'createdAt'>;
type Stretch = Pick<Window, 'since' | 'until'>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** The first Monday of the epoch: 1970-01-05. */
const MONDAY_MS = 4 * DAY_MS;
const DATE_CHARS = { hour: 13, day: 10, month: 7 } as const;

/** The windows that run at `now` (epoch ms) for a key: of its money, of its pictures, of both or none. */
export function windowsOf({ budget, images, createdAt }: Budgets, now: number): readonly BoundedWindow[] {
  const windows: BoundedWindow[] = [];
  if (budget) {
    const { microUsd, per } = budget;
    windows.push({ ...stretchOf('budget', per, now, createdAt), unit: 'micro_usd', most: microUsd });
  }
  if (images) windows.push({ ...stretchOf('images', images.per, now, createdAt), unit: 'images', most: images.count });
  return windows;
}

/** A stretch of the calendar (UTC) around `now`, weeks from Monday; `total` has no end and begins with the key. */
function stretchOf(what: string, per: Period, now: number, createdAt: number): Pick<Window, 'name'> & Stretch {
  const stretch = per === 'total' ? { since: createdAt } : calendarStretch(per, now);
  if (per === 'total') return { name: `${what} total`, ...stretch };
  const characters = DATE_CHARS[per === 'week' ? 'day' : per];
  return { name: `${what} ${per} ${new Date(stretch.since).toISOString().slice(0, characters)}`, ...stretch };
}

function calendarStretch(per: Exclude<Period, 'total'>, now: number): Stretch {
  if (per === 'month') {
    const [year, month] = [new Date(now).getUTCFullYear(), new Date(now).getUTCMonth()];
    return { since: Date.UTC(year, month), until: Date.UTC(year, month + 1) };
  }
  const [length, first] = { hour: [HOUR_MS, 0], day: [DAY_MS, 0], week: [WEEK_MS, MONDAY_MS] }[per] as [number, number];
  // Days have no leap second in epoch ms, so whole lengths from one of their beginnings are the calendar's.
  const since = first + Math.floor((now - first) / length) * length;
  return { since, until: since + length };
}
