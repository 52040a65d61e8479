/** Of a failure `budget`: the budget of the caller's key that does not cover it, and how it stood in its stretch of time. */
export interface BudgetStanding {
  /** The name of the key. */
  readonly key: string;
  readonly per: 'hour' | 'day' | 'week' | 'month' | 'total';
  /** Of the amounts: millionths of a US dollar, or pictures. */
  readonly unit: 'micro_usd' | 'images';
  readonly most: number;
  readonly spent?: number;
  /** By runs that are not over, and by outcomes nobody knows. */
  readonly held?: number;
  /** Epoch ms; absent where it has no end. */
  readonly until?: number;
}
