import type { Certainty, FailureKind } from './failure.ts';

/**
 * One attempt of a generation as the bill has it, or the request itself where none was made: what it was for, how it
 * ended, and what it cost. A fold of plan and journals, so the ledger can always be written anew. Money is in whole
 * millionths of a US dollar (`microUsd`), so that sums are exact.
 */
export interface LedgerLine {
  /** Of the generation's runs, from 0. */
  readonly run: number;
  /** From 1 in its run; 0 where the request ended without any. */
  readonly attempt: number;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** `provider/model`; absent where nobody was asked. */
  readonly target?: string;
  /** `retry`: the same target again in its run. `fallback`: a later target. `cached`: answered without asking anybody. */
  readonly role: 'first' | 'retry' | 'fallback' | 'cached';
  /** Pictures that it made and that are billed; 0 of chat. */
  readonly images: number;
  /** Certainly billed; null where it is and nobody knows the price, 0 where it is not. */
  readonly spentMicroUsd: number | null;
  /** What an attempt whose end nobody knows may have cost; null where that price is unknown, 0 where nothing is in doubt. */
  readonly possibleMicroUsd: number | null;
  /** Pictures that such an attempt was for. */
  readonly possibleImages: number;
  /** Of `cached`: what the same cost when it was made; null where that is unknown. */
  readonly savedMicroUsd?: number | null;
  /**
   * How the money was found: `reported` by the provider, from the `usage` that it told, by `table@2026-11-01` (the date
   * of the price data; `table@config` where the user's own), `estimated`, `unknown`, or `none` where nothing is billed.
   */
  readonly priced: string;
  /** Of a failure. */
  readonly kind?: FailureKind;
  readonly certainty?: Certainty;
  /** The code that callers are told. */
  readonly code?: string;
  /** At most 300 characters, with nothing secret in them. */
  readonly message?: string;
  /** The provider's own HTTP status and request id, where there were any. */
  readonly status?: number;
  readonly providerRequestId?: string;
}

/** What one run may cost until its end, as far as that is known before the next attempt of it is sent. */
export interface Spend {
  readonly runId: string;
  /** `provider/model` of the next attempt. */
  readonly target: string;
  /** What the attempts before may have cost and the next one will, together; undefined where a price is unknown. */
  readonly microUsd: number | undefined;
  /** The pictures of all of them. */
  readonly images: number;
}
