import { randomInt } from 'node:crypto';
import {
  billed,
  type Catalogue,
  DRAWN_SEEDS,
  type Failure,
  type FairClock,
  foldGeneration,
  type Io,
  type Plan,
  planImage,
  splitPlan,
  wantsCache,
} from '@onetake/core';
import type { CacheEntry } from '../store/cache.ts';
import { makesPictures } from '../store/plan-kind.ts';
import type { Created, IdempotencyHit, Store, StoredGeneration } from '../store/store.ts';
import type { Backlog } from './backlog.ts';
import type { RequestCache } from './cache.ts';
import { followElsewhere } from './elsewhere.ts';
import type { Feeder } from './feeder.ts';
import { type Follow, isOver } from './following.ts';
import type { Live } from './live.ts';
import { asTask, drawId, newGeneration, placeTag, queueOf, type Submission, webhookOf } from './submission.ts';
import type { Undelivered, UndeliveredEntry } from './undelivered.ts';
import type { Worker } from './worker.ts';

export type { Submission } from './submission.ts';

/** What a submission became. */
export type Ticket =
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** The key was used for another body. */
  | { readonly kind: 'mismatch' }
  /** As many wait as may; `retryAfterMs` where it is known how fast they go. */
  | { readonly kind: 'full'; readonly message: string; readonly retryAfterMs?: number }
  | { readonly kind: 'task'; readonly id: string; readonly replayed: boolean }
  /** A generation this process works on, joined: the holder owes its `leave`. */
  | (Origin & { readonly kind: 'live'; readonly live: Live })
  | (Origin & { readonly kind: 'stored'; readonly stored: StoredGeneration<Plan> })
  /** Pictures that were made before, for a plan of which nothing is begun. */
  | { readonly kind: 'cached'; readonly entry: CacheEntry; readonly plan: Plan };

interface Origin {
  /** An earlier caller's, whom it never reached. */
  readonly attached: boolean;
  /** That of the Idempotency-Key. */
  readonly replayed: boolean;
  /** Where the request took part in the cache: made for it, or for another that asked for the same just then. */
  readonly cache?: { readonly state: 'miss' | 'shared'; readonly key: string };
}

export interface GenerationsOptions {
  readonly store: Store;
  readonly worker: Worker;
  readonly undelivered: Undelivered;
  readonly catalogue: Catalogue;
  readonly io: Io;
  readonly clock: FairClock;
  readonly feeder: Pick<Feeder, 'wake'>;
  readonly backlog: Backlog;
  /** How long a queue takes for so many pictures; undefined when nothing is known yet. */
  readonly etaMs: (queue: string, pictures: number) => number | undefined;
  readonly follow: Follow;
  readonly idempotencyMs: number;
  readonly cache: Pick<RequestCache, 'keysOf' | 'answer'>;
  /** What a route says of the cache. */
  readonly routeCache: (route: string) => 'on' | 'off' | undefined;
  /** Generations worked on at once, at most. */
  readonly maxLive: number;
}

export interface Generations {
  submit(submission: Submission): Promise<Ticket>;
}

const FIND_TRIES = 50;
const FIND_PAUSE_MS = 100;
/** From its end until a generation is in the cache, unless its node died in between. */
const KEEPING_MS = 5_000;

/** Admission: the key's own answer, else what an earlier caller never got, else a new generation. */
export function createGenerations(options: GenerationsOptions): Generations {
  const { store, undelivered, io } = options;

  async function submit(submission: Submission): Promise<Ticket> {
    const { caller, endpoint, fingerprint, idempotencyKey: key } = submission;
    if (key !== undefined) {
      const hit = await store.findIdempotent({ caller, endpoint, key }, io.now());
      if (hit) return answerForKey(hit, submission);
    } else if (submission.attach && !submission.asTask) {
      const attached = await takeOver(await undelivered.claim(caller, fingerprint, submission.provenRetry, io.now()));
      if (attached) return attached;
    }
    const planned = planOf(submission, options);
    if (!planned.ok) return { kind: 'refused', failure: planned.failure };
    const begun = await beginOrShare(submission, planned.plan, options);
    return begun.kind === 'existing' ? answerForKey(begun, submission) : begun;
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
    return FULL;
  }

  async function answerForKey(hit: IdempotencyHit, { fingerprint, asTask }: Submission): Promise<Ticket> {
    if (hit.fingerprint !== fingerprint) return { kind: 'mismatch' };
    if (asTask) return { kind: 'task', id: hit.id, replayed: true };
    const found = await findGeneration(options, hit.id);
    return typeof found === 'string' ? FULL : { ...found, attached: false, replayed: true };
  }

  return { submit };
}

function planOf(
  { request, model, settings, regeneratedFrom, trace }: Submission,
  { catalogue, io }: GenerationsOptions,
) {
  const planned = planImage(request, model, catalogue, settings, io.now(), randomInt(DRAWN_SEEDS));
  if (!planned.ok) return planned;
  const noted = { ...(regeneratedFrom !== undefined && { regeneratedFrom }), ...(trace && { trace }) };
  return { ...planned, plan: { ...planned.plan, ...noted } };
}

type Begun = Ticket | Extract<Created, { kind: 'existing' }>;

/** Made anew only where it is not cached, nor being made just now: for a request that takes part in the cache. */
async function beginOrShare(submission: Submission, plan: Plan, options: GenerationsOptions): Promise<Begun> {
  const { cache, routeCache } = options;
  const takesPart =
    !submission.asTask && wantsCache(plan, { request: submission.cache, route: routeCache(plan.route) });
  if (!takesPart) return begin(submission, plan, options);
  const id = submission.id ?? drawId();
  const asked = cache.keysOf(plan, submission.caller, id);
  if (asked === undefined) return begin(submission, plan, options);
  const answered = await cache.answer<Begun, Found>(asked, {
    begin: () => begin({ ...submission, id }, { ...plan, cached: true }, options),
    isBegun: ({ kind }) => kind === 'live',
    follow: (other) => followInFlight(options, other),
  });
  const { key } = asked;
  switch (answered.kind) {
    case 'hit':
      return { kind: 'cached', entry: answered.entry, plan };
    case 'shared':
      return { ...answered.found, attached: false, replayed: false, cache: { state: 'shared', key } };
    case 'busy':
      return { kind: 'full', message: SHARED_IS_ENDING };
    case 'begun':
      return answered.begun.kind === 'live' ? { ...answered.begun, cache: { state: 'miss', key } } : answered.begun;
  }
}

/** What has just ended is about to be found in the cache, or to make way: neither its failure nor its end is shared. */
async function followInFlight(options: GenerationsOptions, id: string): Promise<Found | 'gone' | 'busy'> {
  const live = options.worker.running.live(id);
  if (live && (live.cancelSignal.aborted || foldGeneration(live.journals).outcome)) return 'busy';
  const found = await findGeneration(options, id);
  if (typeof found === 'string' || found.kind === 'live') return found;
  const { status, finishedAt = 0 } = found.stored;
  if (status !== 'completed') return 'gone';
  return options.io.now() - finishedAt < KEEPING_MS ? 'busy' : found;
}

/** A new generation, or the one its key already belongs to. */
function begin(submission: Submission, plan: Plan, options: GenerationsOptions): Promise<Begun> {
  return submission.asTask
    ? enqueue(submission, asTask(plan, submission.settings, submission.priority), options)
    : lease(submission, plan, options);
}

/** Worked on here and at once: its caller waits for it. */
async function lease(submission: Submission, plan: Plan, options: GenerationsOptions): Promise<Begun> {
  const { store, worker } = options;
  if (worker.running.size() >= options.maxLive) return FULL;
  const { caller, fingerprint, requestId, idempotencyKey: key } = submission;
  const generation = newGeneration(submission, plan, options.idempotencyMs);
  const begin = { lease: { worker: worker.id, until: worker.leaseUntil() } };
  const created = store.create({ ...generation, begin });
  const tag = placeTag(submission, plan, options.clock).tag;
  const work = { id: generation.id, caller, fingerprint, requestId, plan, tag, ...webhookOf(submission) };
  if (key === undefined) {
    // The store works in order: the run's first append becomes durable with its creation or not at all.
    created.catch(() => {});
    return { kind: 'live', live: worker.start(work, true), attached: false, replayed: false };
  }
  const answer = await created;
  if (answer.kind === 'existing') return answer;
  return { kind: 'live', live: worker.start(work, true), attached: false, replayed: false };
}

/** Durable before it is acknowledged, and then whoever has a turn for it takes it from the store. */
async function enqueue(submission: Submission, plan: Plan, options: GenerationsOptions): Promise<Begun> {
  const { store } = options;
  const queue = queueOf(plan);
  const full = options.backlog.refuses(submission.caller);
  if (full !== undefined) {
    const retryAfterMs = options.etaMs(queue, plan.request.n);
    return { kind: 'full', message: full, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  const { tag, cost } = placeTag(submission, plan, options.clock);
  const images = splitPlan(plan)[0]?.request.n ?? 1;
  const { priority, caller } = submission;
  const place = { queue, tag, cost, priority, images, deadlineAt: plan.deadlineAt };
  const generation = newGeneration(submission, plan, options.idempotencyMs);
  const answer = await store.create({ ...generation, begin: { place }, task: true });
  if (answer.kind === 'existing') return answer;
  options.backlog.added(caller);
  options.feeder.wake(queue, { tag, images });
  return { kind: 'task', id: generation.id, replayed: false };
}

const FULL: Ticket = {
  kind: 'full',
  message: 'this gateway works on as many generations as it may; repeat after Retry-After',
};

const SHARED_IS_ENDING = 'the same request is being made and cannot be joined any more; repeat after Retry-After';

/** By id, running or finished; `busy` is one that is neither yet: being created, or waiting to be taken up. */
async function findGeneration(
  { store, worker, follow, io }: GenerationsOptions,
  id: string,
): Promise<Found | 'gone' | 'busy'> {
  for (let tries = 0; tries < FIND_TRIES; tries += 1) {
    const live = worker.running.live(id);
    if (live && !makesPictures(live)) return 'gone';
    if (live) {
      live.join();
      return { kind: 'live', live };
    }
    const stored = await store.read(id);
    if (stored === undefined || !makesPictures(stored)) return 'gone';
    if (isOver(stored)) return { kind: 'stored', stored };
    if (store.ownership === 'shared' || stored.status === 'pending') {
      const elsewhere = await followElsewhere(stored, follow, io);
      if (elsewhere) return { kind: 'live', live: elsewhere };
    }
    await new Promise<void>((resolve) => io.timer(io.now() + FIND_PAUSE_MS, resolve));
  }
  return 'busy';
}

type Found =
  | { readonly kind: 'live'; readonly live: Live }
  | { readonly kind: 'stored'; readonly stored: StoredGeneration<Plan> };

/** A result is worth keeping for its caller when it is a picture, or when it may have cost one. */
export function isWorthKeeping({ journals }: Pick<Live, 'journals'>): boolean {
  const { outcome } = foldGeneration(journals);
  return outcome === undefined || outcome.ok || billed(outcome.failure) !== 'no';
}
