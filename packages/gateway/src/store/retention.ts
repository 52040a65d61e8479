import type { AssetRow } from './asset-row.ts';

/** The verbs that forget, and that say how much there is to keep. */
export interface Retention {
  /**
   * Removes the oldest finished generations beyond the bounds, and forgets addresses that were disabled before
   * `createdBefore`; returns the assets that nothing refers to any more.
   */
  expire(bounds: RetentionBounds): Promise<Expired>;
  /**
   * Bytes of the pictures that generations hold; reads a row per picture. What is cached stays whatever expires, and has
   * a bound of its own, so it does not count.
   */
  storedBytes(): Promise<number>;
}

export interface Expired {
  /** How many generations went. */
  readonly generations: number;
  /** Assets that no generation and no cached picture refers to any more. */
  readonly assets: readonly AssetRow[];
}

export interface RetentionBounds {
  /** Generations created before this instant go. */
  readonly createdBefore: number;
  /** Then the oldest go until so many bytes of pictures went; 0 or less: none. */
  readonly excessBytes: number;
  /** Lines of the ledger from before this instant go, and budgets' windows that ended before it; absent keeps them. */
  readonly ledgerBefore?: number;
  /** At most so many generations per call, 1 to 1000, so that one call never blocks the store for long. */
  readonly limit: number;
}
