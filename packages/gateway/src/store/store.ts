import type { Event, LedgerLine } from '@onetake/core';
import type { AssetRow } from './asset-row.ts';
import type { DeliveredPicture, Gallery } from './browsing.ts';
import type { PictureCache } from './cache.ts';
import type { SharedState } from './cells.ts';
import type { GenerationRow, ListFilter } from './generation-row.ts';
import type { Ledger } from './ledger.ts';
import type { Webhook, WebhookEvent, Webhooks } from './outbox.ts';
import type { AnyPlan } from './plan-kind.ts';
import type { Retention } from './retention.ts';

export type { AssetRow } from './asset-row.ts';
export type { CacheBounds, CacheClaim, CacheFilter, CacheHolder, CacheUse, Evicted, PictureCache } from './cache.ts';
export type { Cell } from './cells.ts';
export { LostRunError } from './errors.ts';
export type { GenerationRow, ListFilter, Status } from './generation-row.ts';
export type { Webhook, WebhookDelivery, WebhookEvent, WebhookFilter, WebhookResult, WebhookRow } from './outbox.ts';

/**
 * The verbs a gateway needs of its database. No SQL and no connection in the interface, and time is always an
 * argument. Every promise of a write resolves when the write survives power loss. Operations of one `Store` take effect
 * in the order they were called, whether or not anybody waits in between. Several processes may share one database
 * where the implementation says so; what they must not do twice is atomic in the verb. Each implementation passes
 * `store/contract.ts`.
 */
export interface Store extends Generations, Queues, Webhooks, PictureCache, SharedState, Ledger, Retention, Gallery {
  /** `exclusive`: one process owns the data, so what it remembers of it in memory is the truth. */
  readonly ownership: 'exclusive' | 'shared';
  /** Hears of changes, its own too, usually within milliseconds; some may be missed, so nothing relies on it alone. */
  onChange(listener: (change: Change) => void): () => void;
  close(): Promise<void>;
}

export type Change =
  /** A generation began to wait in this queue. */
  | { readonly kind: 'waiting'; readonly queue: string }
  | { readonly kind: 'finished'; readonly id: string }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'cell'; readonly key: string }
  /** A webhook became due. */
  | { readonly kind: 'webhook' };

interface Generations {
  /** Writes a new generation with its lease or its place in a queue, or says which one an `Idempotency-Key` already belongs to. */
  create(generation: NewGeneration): Promise<Created>;
  /**
   * Appends to one run of a generation. This is the fence: it writes nothing and rejects with `LostRunError` when
   * that run's journal is not `length` events long or the lease belongs to somebody else. Events (one or more) and
   * summary are one transaction; the summary ends the lease, and puts the generation's webhook in the outbox.
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
   * they were created; without those that cost nothing, which had better run again, and without tasks, which are
   * fetched by id. `limit` is 1 to 100,000.
   */
  undelivered(since: number, limit: number): Promise<readonly UndeliveredRow[]>;
  /** Its caller is known to be gone: any node may give it to the caller's next identical request. */
  markLost(ids: readonly string[], at: number): Promise<void>;
  /**
   * Takes, for good, the oldest generation of this caller and fingerprint that was lost, or that no node works on or
   * delivers any more: finished before `settledBefore`, or its lease at an end. Never one that was delivered, or whose
   * end and loss both lie before `since`; never one that cost nothing, and no task. What was taken and is lost again
   * may be taken again.
   */
  claimLost(wanted: LostRequest): Promise<string | undefined>;
  /**
   * Takes the lease of unfinished generations whose lease ended at or before `now`, or that waited until their place's
   * `deadlineAt`, oldest first; `limit` is 1 to 1000.
   */
  claim(worker: string, now: number, until: number, limit: number): Promise<readonly StoredGeneration[]>;
  /** Renews leases of this worker; resolves with those of them whose cancellation was asked. */
  renew(worker: string, ids: readonly string[], until: number): Promise<readonly string[]>;
}

interface Queues {
  /**
   * Takes the lease of the first generations waiting in a queue, lowest tag first and of equal tags the first created;
   * they are `processing` from then on.
   */
  claimWaiting(wanted: WaitingRequest, lease: Lease): Promise<WaitingClaim>;
  /** Takes the lease of one that waits, by id; undefined when it does not wait (any more). */
  take(id: string, lease: Lease): Promise<StoredGeneration | undefined>;
  /** Every queue in which something waits, in no order: at start, and when somebody else changed one. */
  queues(): Promise<readonly QueueState[]>;
  /** How many wait before this one in its queue, and what they cost together; undefined when it does not wait. */
  place(id: string): Promise<{ readonly ahead: number; readonly aheadCost: number } | undefined>;
  /** Notes that somebody asked to cancel, the first time if often; its owner hears of it by `onChange` and `renew`. */
  requestCancel(id: string, at: number): Promise<'noted' | 'finished' | 'unknown'>;
}

export interface NewGeneration {
  readonly id: string;
  readonly caller: string;
  /** The HTTP path it came by: with caller and key the scope of idempotency. */
  readonly endpoint: string;
  /** Hash of the canonical request: what attach and idempotency compare. */
  readonly fingerprint: string;
  readonly requestId: string;
  readonly plan: AnyPlan;
  /** How many runs the plan was split into. */
  readonly runs: number;
  readonly createdAt: number;
  /** Somebody works on it at once, or it waits for a worker. */
  readonly begin: { readonly lease: Lease } | { readonly place: Place };
  /** It is fetched by its id, not by who waits for it. */
  readonly task?: true;
  readonly webhook?: Webhook;
  readonly idempotency?: { readonly key: string; readonly expiresAt: number };
  /** The set of candidates that it is one of. */
  readonly candidates?: string;
  /** Uploads the plan refers to. */
  readonly assets: readonly AssetRow[];
}

export interface Lease {
  readonly worker: string;
  /** Epoch ms. */
  readonly until: number;
}

/** Where a generation waits. */
export interface Place {
  /** The target whose turn it waits for. */
  readonly queue: string;
  /** Start tag of fair queueing: the lowest goes first. */
  readonly tag: number;
  /** What it counts for in fairness; its finish tag is `tag + cost`. */
  readonly cost: number;
  readonly priority: 'interactive' | 'batch';
  /** What its first run takes of the limits. */
  readonly images: number;
  /** Nobody wants it after this instant (epoch ms). */
  readonly deadlineAt: number;
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
  readonly status: 'completed' | 'failed' | 'canceled';
  readonly finishedAt: number;
  /** The failure's code as callers see it. */
  readonly code?: string;
  /** `maybe` marks an outcome nobody knows: a possible charge. */
  readonly billed: 'no' | 'maybe' | 'yes';
  readonly target?: string;
  readonly costUsd?: number;
  /** What the attempts nobody knows the end of would cost. */
  readonly possibleUsd?: number;
  /** What each attempt did and cost: the ledger has them from here on, and the generation's holds end. */
  readonly lines?: readonly LedgerLine[];
  readonly assets: readonly AssetRow[];
  /** What was handed over, in order: what the gallery shows. */
  readonly pictures?: readonly DeliveredPicture[];
  /** The final event for the generation's webhook; whether it is one of the `events` wanted is for the writer to see. */
  readonly webhook?: WebhookEvent;
}

export interface StoredGeneration<Made extends AnyPlan = AnyPlan> extends GenerationRow {
  readonly fingerprint: string;
  readonly requestId: string;
  readonly plan: Made;
  /** There while it waits. */
  readonly place?: Place;
  /** Of the place it has or had: also once it waits no more, so that a later turn is taken in the same order. */
  readonly tag?: number;
  readonly task?: true;
  readonly webhook?: Webhook;
  /** Epoch ms; somebody asked for its end before it came. */
  readonly cancelRequestedAt?: number;
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

export interface LostRequest {
  readonly caller: string;
  readonly fingerprint: string;
  readonly since: number;
  readonly settledBefore: number;
  readonly now: number;
}

export interface WaitingRequest {
  readonly queue: string;
  /** 1 to 1000. */
  readonly most: number;
  /** Callers who run as much as they may. */
  readonly exceptCallers: readonly string[];
  /** Only those before this tag. */
  readonly beforeTag?: number;
}

export interface WaitingClaim {
  readonly claimed: readonly StoredGeneration[];
  /** What waits first now of the callers not excepted, whatever its tag; undefined when nothing of them does. */
  readonly next: QueueHead | undefined;
}

export interface QueueHead {
  readonly tag: number;
  readonly images: number;
}

export interface QueueState {
  readonly queue: string;
  readonly head: QueueHead;
  /** Per caller and priority, in no order: how many wait, and their highest finish tag. */
  readonly lanes: readonly {
    readonly caller: string;
    readonly priority: Place['priority'];
    readonly waiting: number;
    readonly lastFinish: number;
  }[];
}
