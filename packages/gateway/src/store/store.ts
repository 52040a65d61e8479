import type { Event, Plan } from '@onetake/core';

/**
 * The verbs a gateway needs of its database. No SQL and no connection in the interface, and time is always an
 * argument. Every promise of a write resolves when the write survives power loss. Operations take effect in the order
 * they were called, whether or not anybody waits in between. Each implementation passes `store/contract.ts`.
 */
export interface Store {
  /** Writes a new generation with its lease, or says which one an `Idempotency-Key` already belongs to. */
  create(generation: NewGeneration): Promise<Created>;
  /**
   * Appends to one run of a generation. This is the fence: it writes nothing and rejects with `LostRunError` when
   * that run's journal is not `length` events long or the lease belongs to somebody else. Events (one or more) and
   * summary are one transaction; the summary ends the lease.
   */
  append(fence: Fence, events: readonly Event[], summary?: Summary): Promise<void>;
  read(id: string): Promise<StoredGeneration | undefined>;
  /** Newest first; `before` is the cursor a page ended with. */
  list(filter: ListFilter): Promise<readonly GenerationRow[]>;
  /** The generation that owns this key in this scope, unless it expired or its generation finished without a charge. */
  findIdempotent(scope: IdempotencyScope, now: number): Promise<IdempotencyHit | undefined>;
  markDelivered(ids: readonly string[], at: number): Promise<void>;
  /**
   * Generations whose answer never provably reached a caller, unfinished or finished at or after `since`, in the order
   * they were created; without those that cost nothing, which had better run again. `limit` is 1 to 100,000.
   */
  undelivered(since: number, limit: number): Promise<readonly UndeliveredRow[]>;
  /** Takes the lease of unfinished generations whose lease ended at or before `now`, oldest first; `limit` is 1 to 1000. */
  claim(worker: string, now: number, until: number, limit: number): Promise<readonly StoredGeneration[]>;
  renew(worker: string, ids: readonly string[], until: number): Promise<void>;
  /** Removes the oldest finished generations beyond the bounds; returns the assets no generation refers to any more. */
  expire(bounds: RetentionBounds): Promise<Expired>;
  close(): Promise<void>;
}

export class LostRunError extends Error {
  constructor(generation: string, run: number) {
    super(`generation ${generation}, run ${run}: another worker owns it or its journal has grown`);
    this.name = 'LostRunError';
  }
}

export interface NewGeneration {
  readonly id: string;
  readonly caller: string;
  /** The HTTP path it came by: with caller and key the scope of idempotency. */
  readonly endpoint: string;
  /** Hash of the canonical request: what attach and idempotency compare. */
  readonly fingerprint: string;
  readonly requestId: string;
  readonly plan: Plan;
  /** How many runs the plan was split into. */
  readonly runs: number;
  readonly createdAt: number;
  readonly worker: string;
  readonly leaseUntil: number;
  readonly idempotency?: { readonly key: string; readonly expiresAt: number };
  /** Uploads the plan refers to. */
  readonly assets: readonly AssetRow[];
}

export type Created = { readonly kind: 'created' } | ({ readonly kind: 'existing' } & IdempotencyHit);

export interface IdempotencyScope {
  readonly caller: string;
  readonly endpoint: string;
  readonly key: string;
}

export interface IdempotencyHit {
  readonly id: string;
  readonly fingerprint: string;
}

export interface Fence {
  readonly generation: string;
  /** 0 for a generation of one run; its child's number otherwise. */
  readonly run: number;
  readonly length: number;
  readonly worker: string;
}

/** What lists and bills read without opening the journal; written when the last run of a generation finished. */
export interface Summary {
  readonly status: 'completed' | 'failed';
  readonly finishedAt: number;
  /** The failure's code as callers see it. */
  readonly code?: string;
  /** `maybe` marks an outcome nobody knows: a possible charge. */
  readonly billed: 'no' | 'maybe' | 'yes';
  readonly target?: string;
  readonly costUsd?: number;
  /** What the attempts nobody knows the end of would cost. */
  readonly possibleUsd?: number;
  readonly assets: readonly AssetRow[];
}

export interface AssetRow {
  readonly hash: string;
  readonly type: string;
  readonly bytes: number;
}

export interface GenerationRow {
  readonly id: string;
  readonly caller: string;
  readonly endpoint: string;
  readonly route: string;
  readonly prompt: string;
  readonly status: 'processing' | 'completed' | 'failed';
  readonly createdAt: number;
  readonly finishedAt?: number;
  readonly deliveredAt?: number;
  readonly code?: string;
  readonly billed?: 'no' | 'maybe' | 'yes';
  readonly target?: string;
  readonly costUsd?: number;
  /** What the attempts nobody knows the end of would cost. */
  readonly possibleUsd?: number;
}

export interface StoredGeneration extends GenerationRow {
  readonly fingerprint: string;
  readonly requestId: string;
  readonly plan: Plan;
  /** One journal per run, in the runs' order. */
  readonly journals: readonly (readonly Event[])[];
}

export interface UndeliveredRow {
  readonly id: string;
  readonly caller: string;
  readonly fingerprint: string;
  readonly createdAt: number;
  readonly finishedAt?: number;
}

export interface ListFilter {
  /** Absent lists every caller's; only an operator asks that. */
  readonly caller?: string;
  readonly status?: GenerationRow['status'];
  /** Only outcomes that nobody knows. */
  readonly unknown?: true;
  readonly before?: { readonly createdAt: number; readonly id: string };
  /** 1 to 1000. */
  readonly limit: number;
}

export interface Expired {
  /** How many generations went. */
  readonly generations: number;
  /** Assets that no generation refers to any more. */
  readonly assets: readonly AssetRow[];
}

export interface RetentionBounds {
  /** Generations created before this instant go. */
  readonly createdBefore: number;
  /** Then the oldest go until the pictures left fit. */
  readonly maxBytes: number;
  /** At most so many generations per call, 1 to 1000, so that one call never blocks the store for long. */
  readonly limit: number;
}
