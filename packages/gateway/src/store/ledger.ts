import type { FailureKind, LedgerLine } from '@onetake/core';
import type { AssetRow } from './asset-row.ts';

/**
 * What was paid, reserved and possibly paid. Money is in whole millionths of a US dollar, so that sums are exact. The
 * lines of a generation are written with its summary, in the same transaction, and outlive it.
 */
export interface Ledger {
  /**
   * Sets what one run holds of its caller's budgets, in the place of what it held before; refused, and nothing changed,
   * where in any window what is spent and held would pass `most`. The same hold again changes nothing, so it may be
   * repeated when its answer was lost; an amount of 0 is never refused. A window that is used for the first time begins
   * with what the ledger has of its caller since `since`. The summary of the generation replaces its holds by what its
   * lines say.
   *
   * @throws {LostRunError} the generation is finished, another caller's, or not there, so that nothing would end the hold
   */
  hold(hold: Hold): Promise<HoldAnswer>;
  /** What is spent and held in these windows; a window that was never used has what the ledger has of it. */
  uses(caller: string, windows: readonly Window[]): Promise<readonly WindowUse[]>;
  /** Lines of what has no generation of its own: what the cache answered. */
  book(lines: readonly BookedLine[]): Promise<void>;
  /** Sums, in no order. */
  costs(filter: CostFilter): Promise<readonly CostRow[]>;
  /** The latest seen first. */
  failures(filter: FailureFilter): Promise<readonly FailureGroup[]>;
  /** Generations that one of our request ids, or one of a provider's, belongs to; the newest first, at most 10. */
  findByRequestId(requestId: string): Promise<readonly string[]>;
  /**
   * Ends an outcome nobody knows: what it possibly cost is spent, or is free. Changes its row, its lines and its
   * caller's windows in one transaction. Of `charged` at an unknown price `microUsd` says what it was.
   */
  settle(settlement: Settlement): Promise<'settled' | 'not_unknown' | 'not_found'>;
  /** Stored pictures, the newest first. */
  listAssets(filter: AssetFilter): Promise<readonly AssetListing[]>;
}

/** A stretch of time in which a budget holds; the same one for a caller where name, unit and `since` are the same. */
export interface Window {
  /** Names the budget and its stretch, such as `budget day 2026-11-21`. */
  readonly name: string;
  readonly unit: 'micro_usd' | 'images';
  /** Epoch ms; the first instant in it, and the first one after it (absent: it has no end). */
  readonly since: number;
  readonly until?: number;
}

export interface Hold {
  readonly generation: string;
  readonly run: number;
  readonly caller: string;
  readonly at: number;
  /** What the run holds then: millionths of a dollar, and pictures. */
  readonly microUsd: number;
  readonly images: number;
  /** 1 to 8, no two of the same name and unit. */
  readonly bounds: readonly (Window & { readonly most: number })[];
}

export type HoldAnswer =
  | { readonly kind: 'held' }
  /** `left` in the unit of the window, without what this run held before; of several windows the one that ends last. */
  | { readonly kind: 'refused'; readonly window: string; readonly left: number };

export interface WindowUse {
  readonly name: string;
  readonly spent: number;
  /** Held by runs that are not over, and by outcomes nobody knows. */
  readonly held: number;
}

/** Where a line stands when its generation does not say so. */
export interface BookedLine extends LedgerLine {
  readonly generation: string;
  readonly caller: string;
  readonly route: string;
  readonly requestId: string;
}

export type CostDimension = 'model' | 'provider' | 'route' | 'key' | 'day' | 'hour' | 'kind';

export interface CostFilter {
  /** None: one row for all. `kind` is pictures or chat. Days and hours are UTC. */
  readonly by: readonly CostDimension[];
  readonly since: number;
  readonly until: number;
  readonly caller?: string;
  /** At most so many rows, those with most spent, 1 to 10,000. */
  readonly limit: number;
}

/** Money that stands in two columns stands in both: `retried` and `fallback` are parts of `spent`. */
export interface CostRow {
  /** By the dimensions asked for; `model` is `provider/model`, a day `2026-11-21`, an hour `2026-11-21T14`. */
  readonly group: Readonly<Partial<Record<CostDimension, string>>>;
  /** Generations; of `cached`, requests. */
  readonly requests: number;
  readonly attempts: number;
  readonly images: number;
  readonly spentMicroUsd: number;
  /** Of attempts that repeat one at the same target, and of those at a later target. */
  readonly retriedMicroUsd: number;
  readonly fallbackMicroUsd: number;
  /** Attempts that were refused for their content, and what of them is billed. */
  readonly refused: number;
  readonly refusedMicroUsd: number;
  readonly cached: number;
  readonly savedMicroUsd: number;
  /** Outcomes nobody knows, and what they possibly cost beside `spent`. */
  readonly unknown: number;
  readonly possibleMicroUsd: number;
  /** Attempts that are or may be billed at a price nobody knows: the sums are too small by them. */
  readonly unpriced: number;
}

export interface FailureFilter {
  readonly since: number;
  readonly until: number;
  readonly caller?: string;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** Failures that are the same: of one target, kind and code, in the same words but for numbers and ids. */
export interface FailureGroup {
  readonly fingerprint: string;
  readonly target?: string;
  readonly kind: FailureKind;
  readonly code?: string;
  /** Of the latest one. */
  readonly message: string;
  readonly count: number;
  /** Epoch ms. */
  readonly first: number;
  readonly last: number;
  /** At most 20, in alphabetical order. */
  readonly callers: readonly string[];
  /** The latest one's. */
  readonly generation: string;
}

export interface Settlement {
  readonly generation: string;
  readonly verdict: 'charged' | 'free';
  readonly microUsd?: number;
  readonly at: number;
}

export interface AssetFilter {
  /** Only those of this caller's generations. */
  readonly caller?: string;
  /** Only those whose hash begins so. */
  readonly hashFrom?: string;
  readonly before?: { readonly createdAt: number; readonly hash: string };
  /** 1 to 1,000. */
  readonly limit: number;
}

export interface AssetListing extends AssetRow {
  /** Epoch ms. */
  readonly createdAt: number;
  /** The latest that refers to it; absent where only the cache does. */
  readonly generation?: string;
}
