import type { Outcome } from './journal.ts';
import type { LimitReading } from './policy/limit-words.ts';
import type { Limits, Rate } from './rate.ts';

export type { Limits, Rate } from './rate.ts';

/** What one attempt takes of the limits. */
export interface Claim {
  readonly images: number;
  /** An estimate; settled by the usage that the answer reports. */
  readonly tokens?: number;
}

/** Whose turn it is: the lowest tag first, and never more turns at once for a caller than it may have. */
export interface Ticket {
  readonly caller: string;
  /** Start tag of fair queueing (start-time fair queueing, Goyal et al. 1996): comparable within one target. */
  readonly tag: number;
}

export interface TurnRequest {
  /** The target's id: one queue each. */
  readonly target: string;
  /** Keys that may be used now, asked whenever a turn could be given; none means to wait. */
  readonly credentials: () => readonly string[];
  readonly claim: Claim;
  readonly ticket: Ticket;
  /** How many turns to take at most, with the same claim each; default 1. */
  readonly most?: number;
  /** Ends the wait without a turn. */
  readonly signal?: AbortSignal;
}

/** Permission for one attempt: a place under the limits of its target, and the credential to go with. */
export interface Turn {
  readonly credential: string;
  /** Its request is leaving: from here on it counts. */
  sent(): void;
  /** The attempt's answer told something of the limits. */
  observe(readings: readonly LimitReading[]): void;
  /** The attempt is over: its place in flight is free, and what it says of the limits is learned. */
  settle(outcome: Outcome): void;
  /** It was never used: everything it took is given back. */
  giveBack(): void;
}

/** Why a target gives no turn at once, and when it is expected to. */
export interface Delay {
  readonly until: number;
  readonly reason: string;
}

/**
 * Gives turns at targets, in fair order and within their limits. One per client or gateway; runs share it. The limits
 * themselves live in cells, which the nodes of a cluster share.
 */
export interface Pacer {
  /** At once where the target has room; else when it has, in the order of the tickets. Empty only when `signal` aborted. */
  take(request: TurnRequest): Promise<readonly Turn[]>;
  /** A turn for a job that an earlier process began and that is still in flight: it counts, whatever the limits. */
  adopt(target: string, credential: string, caller: string): Turn;
  /** When a turn asked for now would be given; undefined for at once. Never later than what is known. */
  expect(target: string, claim: Claim, ticket: Ticket | undefined): Delay | undefined;
  report(): readonly LimitReport[];
}

export interface RateUse extends Rate {
  readonly dimension: 'requests' | 'images' | 'tokens';
  readonly used: number;
}

/** One target and credential, as `GET /v1/targets` shows its limits. */
export interface LimitReport {
  readonly target: string;
  readonly credential: string;
  /** In force now: configured, or learned from the provider. */
  readonly limits: Limits;
  readonly source: 'configured' | 'tier' | 'headers' | 'refusals';
  /** Used of each within its window now. */
  readonly used: { readonly requests: number; readonly images: number; readonly tokens: number };
  /** Every rate of `limits`, with what is used of it now: a dimension may have several windows. */
  readonly rates: readonly RateUse[];
  readonly inFlight: number;
  readonly waiting: number;
}

/**
 * Plain JSON kept by key, which several processes may change: `change` is applied to the newest value, and again when
 * somebody else was faster. In memory it is applied at once.
 */
export interface Cells {
  /**
   * `change` must be pure: it may be called more than once. `undefined` as the value means that nothing is known yet.
   * When it returns the value it was given, nothing need be written.
   */
  update<Value, Result>(
    key: string,
    change: (value: Value | undefined) => { readonly value: Value; readonly result: Result },
  ): Result | Promise<Result>;
  /** The last value seen here; it may be a moment old. */
  peek<Value>(key: string): Value | undefined;
  /** Somebody else changed this key. */
  onChange(listener: (key: string) => void): () => void;
}
