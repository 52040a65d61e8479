import type { Hold, Window } from './ledger.ts';

/** Epoch ms that no window passes: the end of those that have none. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** What the ledger has of one caller in a window: all four are expressions, such as parameters. */
export function ledgerUseSql({
  caller,
  unit,
  since,
  until,
}: Readonly<Record<'caller' | 'unit' | 'since' | 'until', string>>): string {
  const columns = `
    CASE ${unit} WHEN 'images' THEN images ELSE coalesce(spent, 0) END AS spent,
    CASE ${unit} WHEN 'images' THEN possible_images ELSE coalesce(possible, kept, 0) END AS held`;
  return `
    SELECT CAST(coalesce(sum(spent), 0) AS bigint) AS spent, CAST(coalesce(sum(held), 0) AS bigint) AS held FROM (
      SELECT ${columns} FROM ledger
      WHERE caller = ${caller} AND started_at >= ${since} AND started_at < ${until} AND counted_at = started_at
      UNION ALL
      SELECT ${columns} FROM ledger
      WHERE caller = ${caller} AND counted_at >= ${since} AND counted_at < ${until} AND counted_at <> started_at
    ) counted`;
}

/** One bound of a hold with what is in its window. */
export interface BoundUse {
  readonly bound: Hold['bounds'][number];
  readonly amount: number;
  /** What this run holds of it already. */
  readonly before: number;
  readonly spent: number;
  readonly held: number;
}

/** The bound that refuses a hold, if any does: of several the one that ends last, since before that asking is idle. */
export function refusing(uses: readonly BoundUse[]): { readonly window: string; readonly left: number } | undefined {
  const [last] = uses
    .filter(({ bound, amount, before, spent, held }) => amount > 0 && spent + held - before + amount > bound.most)
    .toSorted((one, other) => (other.bound.until ?? NEVER) - (one.bound.until ?? NEVER));
  if (last === undefined) return undefined;
  const { bound, before, spent, held } = last;
  return { window: bound.name, left: Math.max(0, bound.most - (spent + held - before)) };
}

/**
 * Where a line counts in budgets: when it started, or, where that lies outside of what its run holds (the day ended
 * while it waited for its turn), when the hold was made.
 */
export function countedAt(
  startedAt: number,
  held: { readonly at: number; readonly since: number; readonly until: number } | undefined,
): number {
  if (held === undefined) return startedAt;
  return startedAt >= held.since && startedAt < held.until ? startedAt : held.at;
}

/** @throws {RangeError} a hold that no budget can be asked for */
export function checkHold({ microUsd, images, bounds }: Hold): void {
  for (const [name, amount] of Object.entries({ microUsd, images })) {
    if (Number.isSafeInteger(amount) && amount >= 0) continue;
    throw new RangeError(`${name} is ${amount}; it must be a whole number from 0`);
  }
  if (bounds.length < 1 || bounds.length > 8) {
    throw new RangeError(`bounds: ${bounds.length} of them; a hold has 1 to 8`);
  }
  const names = new Set(bounds.map(({ name, unit }) => `${unit} ${name}`));
  if (names.size < bounds.length)
    throw new RangeError('bounds: two have the same name and unit; a window is bound once');
}

/** When a hold counts: its own time, which nodes whose clocks differ may put outside of its windows. */
export function heldAt({ at, bounds }: Hold): number {
  const { since, until } = commonStretch(bounds);
  return Math.min(Math.max(at, since), until - 1);
}

/** The time that lies in all of these windows. */
export function commonStretch(
  windows: readonly Pick<Window, 'since' | 'until'>[],
): Required<Pick<Window, 'since' | 'until'>> {
  return {
    since: Math.max(...windows.map(({ since }) => since)),
    until: Math.min(...windows.map(({ until = NEVER }) => until)),
  };
}
