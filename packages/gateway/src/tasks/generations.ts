import { randomBytes } from 'node:crypto';
import {
  type Asset,
  billed,
  type Catalogue,
  type Failure,
  foldGeneration,
  type ImageRequest,
  type Io,
  type Plan,
  type PolicySettings,
  planImage,
  splitPlan,
} from '@onetake/core';
import type { IdempotencyHit, Store, StoredGeneration } from '../store/store.ts';
import { assetRow } from './journal.ts';
import type { Live } from './live.ts';
import type { Undelivered, UndeliveredEntry } from './undelivered.ts';
import type { Worker } from './worker.ts';

/** A request as the HTTP edge understood it. */
export interface Submission {
  readonly caller: string;
  readonly endpoint: string;
  readonly requestId: string;
  readonly request: ImageRequest;
  readonly model: string | undefined;
  readonly settings: PolicySettings;
  readonly fingerprint: string;
  readonly attach: boolean;
  readonly provenRetry: boolean;
  readonly idempotencyKey: string | undefined;
}

/** What a submission became. */
export type Ticket =
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** The key was used for another body. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'full' }
  /** A generation this process works on, joined: the holder owes its `leave`. `attached` when an earlier caller's, `replayed` when the key's. */
  | { readonly kind: 'live'; readonly live: Live; readonly attached: boolean; readonly replayed: boolean }
  | {
      readonly kind: 'stored';
      readonly stored: StoredGeneration;
      readonly attached: boolean;
      readonly replayed: boolean;
    };

export interface GenerationsOptions {
  readonly store: Store;
  readonly worker: Worker;
  readonly undelivered: Undelivered;
  readonly catalogue: Catalogue;
  readonly io: Io;
  readonly idempotencyMs: number;
  /** Generations worked on at once, at most. */
  readonly maxLive: number;
}

export interface Generations {
  submit(submission: Submission): Promise<Ticket>;
}

const FIND_TRIES = 50;
const FIND_PAUSE_MS = 100;

/** Admission: the key's own answer, else what an earlier caller never got, else a new generation. */
export function createGenerations(options: GenerationsOptions): Generations {
  const { store, worker, undelivered, io } = options;

  async function submit(submission: Submission): Promise<Ticket> {
    const { caller, endpoint, fingerprint, idempotencyKey: key } = submission;
    if (key !== undefined) {
      const hit = await store.findIdempotent({ caller, endpoint, key }, io.now());
      if (hit) return answerForKey(hit, fingerprint);
    } else if (submission.attach) {
      const attached = await takeOver(undelivered.claim(caller, fingerprint, submission.provenRetry, io.now()));
      if (attached) return attached;
    }
    const planned = planImage(submission.request, submission.model, options.catalogue, submission.settings, io.now());
    if (!planned.ok) return { kind: 'refused', failure: planned.failure };
    if (worker.size() >= options.maxLive) return { kind: 'full' };
    return begin(submission, planned.plan);
  }

  async function begin(submission: Submission, plan: Plan): Promise<Ticket> {
    const { caller, endpoint, fingerprint, requestId, idempotencyKey: key } = submission;
    const id = `gen_${randomBytes(12).toString('hex')}`;
    const created = store.create({
      id,
      caller,
      endpoint,
      fingerprint,
      requestId,
      plan,
      runs: splitPlan(plan).length,
      createdAt: plan.createdAt,
      worker: worker.id,
      leaseUntil: worker.leaseUntil(),
      assets: uploadsOf(submission.request).map(assetRow),
      ...(key !== undefined && { idempotency: { key, expiresAt: plan.createdAt + options.idempotencyMs } }),
    });
    const work = { id, caller, fingerprint, requestId, plan };
    if (key === undefined) {
      // The store works in order: the run's first append becomes durable with its creation or not at all.
      created.catch(() => {});
      return { kind: 'live', live: worker.start(work, true), attached: false, replayed: false };
    }
    const answer = await created;
    if (answer.kind === 'existing') return answerForKey(answer, fingerprint);
    return { kind: 'live', live: worker.start(work, true), attached: false, replayed: false };
  }

  /** A claim that leads nowhere yet goes back: what was paid for must not be forgotten, nor paid for again. */
  async function takeOver(claimed: UndeliveredEntry | undefined): Promise<Ticket | undefined> {
    if (claimed === undefined) return undefined;
    try {
      const found = await findGeneration(options, claimed.id);
      if (found === 'gone') return undefined;
      if (found !== 'busy') return { ...found, attached: true, replayed: false };
    } catch (error) {
      undelivered.lost(claimed);
      throw error;
    }
    undelivered.lost(claimed);
    return { kind: 'full' };
  }

  async function answerForKey(hit: IdempotencyHit, fingerprint: string): Promise<Ticket> {
    if (hit.fingerprint !== fingerprint) return { kind: 'mismatch' };
    const found = await findGeneration(options, hit.id);
    return typeof found === 'string' ? { kind: 'full' } : { ...found, attached: false, replayed: true };
  }

  return { submit };
}

/** By id, running or finished; `busy` is one that is neither yet: being created, or waiting to be taken up. */
async function findGeneration({ store, worker, io }: GenerationsOptions, id: string): Promise<Found | 'gone' | 'busy'> {
  for (let tries = 0; tries < FIND_TRIES; tries += 1) {
    const live = worker.live(id);
    if (live) {
      live.join();
      return { kind: 'live', live };
    }
    const stored = await store.read(id);
    if (stored === undefined) return 'gone';
    if (stored.status !== 'processing') return { kind: 'stored', stored };
    await new Promise<void>((resolve) => io.timer(io.now() + FIND_PAUSE_MS, resolve));
  }
  return 'busy';
}

type Found =
  | { readonly kind: 'live'; readonly live: Live }
  | { readonly kind: 'stored'; readonly stored: StoredGeneration };

function uploadsOf({ images = [], mask }: ImageRequest): readonly Asset[] {
  return mask ? [...images, mask] : images;
}

/** A result is worth keeping for its caller when it is a picture, or when it may have cost one. */
export function isWorthKeeping({ journals }: Pick<Live, 'journals'>): boolean {
  const { outcome } = foldGeneration(journals);
  return outcome === undefined || outcome.ok || billed(outcome.failure) !== 'no';
}
