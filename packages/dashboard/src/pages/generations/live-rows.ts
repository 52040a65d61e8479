interface Row {
  readonly id: string;
}

/** The rows that are shown, and how many newer ones wait to be. */
export interface Shown<Of extends Row> {
  readonly rows: readonly Of[];
  readonly newer: number;
}

/**
 * What to show of a list that was fetched again. While somebody reads (`isHeld`) the same rows stay in the same places,
 * with what is new about them, and those that came in are counted.
 */
export function shownRows<Of extends Row>(before: readonly Of[], fresh: readonly Of[], isHeld: boolean): Shown<Of> {
  if (!isHeld || before.length === 0) return { rows: fresh, newer: 0 };
  const known = new Map(fresh.map((row) => [row.id, row]));
  const ids = new Set(before.map(({ id }) => id));
  const firstKnown = fresh.findIndex(({ id }) => ids.has(id));
  return {
    rows: before.map((row) => known.get(row.id) ?? row),
    newer: firstKnown < 0 ? fresh.length : firstKnown,
  };
}
