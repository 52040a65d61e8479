import {
  cachedGeneration,
  costOf,
  type Failure,
  foldGeneration,
  type Io,
  type Plan,
  type PolicySettings,
  TIMEOUTS,
} from '@onetake/core';
import type { FastifyReply } from 'fastify';
import type { Degrade } from '../degrade/degrading.ts';
import type { AnsweredBook } from '../money/answered-before.ts';
import { makesPictures } from '../store/plan-kind.ts';
import { isOver } from '../tasks/following.ts';
import { type Generations, isWorthKeeping, type Submission, type Ticket } from '../tasks/generations.ts';
import type { Live } from '../tasks/live.ts';
import type { Undelivered } from '../tasks/undelivered.ts';
import {
  type Answering,
  answerJson,
  answerStream,
  type ImageStream,
  openImageStream,
  type Result,
} from './answering.ts';
import type { Deliveries } from './delivery.ts';
import { FailureProblem, RequestProblem } from './problem.ts';
import type { PictureReader } from './segments.ts';
import { sendTask, type TaskAnswerDeps, waitForEnd } from './task-answer.ts';
import { waitToTell } from './waiting.ts';

/** What the image endpoints work with. */
export interface ImageDeps extends TaskAnswerDeps {
  readonly io: Io;
  readonly assets: PictureReader & { size(hash: string, type: string): Promise<number | undefined> };
  readonly generations: Generations;
  readonly undelivered: Undelivered;
  readonly deliveries: Deliveries;
  readonly degrade: Degrade;
  /** What was answered without asking anybody. */
  readonly answeredBook: Pick<AnsweredBook, 'note'>;
}

/** A request the edge has read and checked; nothing was spent on it yet. */
export interface ImageCall {
  readonly submission: Submission;
  readonly form: 'b64_json' | 'url';
  readonly onDisconnect: 'keep' | 'cancel';
  /** Something may be shown where nothing can be made; undefined leaves it to the route. Not for tasks. */
  readonly degrade?: boolean | undefined;
  /** How a task is handed over; ignored for others. */
  readonly handOver: HandOver;
}

export interface HandOver {
  /** How long the caller waits for the result before it is handed the task; undefined hands it over at once. */
  readonly waitMs: number | undefined;
  /** What was done of what `Prefer` asked. */
  readonly applied: string;
  /** The answer is the task, finished in time or not. */
  readonly alwaysTask: boolean;
}

type TaskTicket = Extract<Ticket, { kind: 'task' }>;
type LiveTicket = Extract<Ticket, { kind: 'live' }>;
type StoredTicket = Extract<Ticket, { kind: 'stored' }>;
type CachedTicket = Extract<Ticket, { kind: 'cached' }>;
type Found = LiveTicket | StoredTicket;

interface AnswerOrigin extends Pick<Found, 'attached' | 'replayed'> {
  readonly cache?: { readonly state: 'hit' | 'shared' | 'miss'; readonly key?: string };
}

/** Runs one image request to its answer; throws a problem for what ends before a generation exists. */
export async function answerImages(call: ImageCall, reply: FastifyReply, deps: ImageDeps): Promise<FastifyReply> {
  const ticket = await deps.generations.submit(call.submission);
  switch (ticket.kind) {
    case 'refused':
      throw new FailureProblem(ticket.failure);
    case 'mismatch':
      throw new RequestProblem(422, 'idempotency_mismatch', MISMATCH, { param: 'Idempotency-Key' });
    case 'full':
      throw new FailureProblem({
        kind: 'queue_full',
        certainty: 'not_sent',
        message: ticket.message,
        notBefore: deps.io.now() + Math.min(Math.max(ticket.retryAfterMs ?? FULL_RETRY_MS, 1_000), MAX_FULL_RETRY_MS),
      });
    case 'task':
      return answerTask(call, ticket, reply, deps);
    case 'stored':
      await answerStored(call, ticket, reply, deps);
      return reply;
    case 'live':
      await answerLive(call, ticket, reply, deps);
      return reply;
    case 'cached':
      await answerCached(call, ticket, reply, deps);
      return reply;
  }
}

const MISMATCH =
  'Idempotency-Key: it was used for another request body within 24 hours; send a new key, or the same body';
const MAX_FULL_RETRY_MS = 300_000;
const FULL_RETRY_MS = 5_000;

/** Hands over the task, or what it came to while its caller waited. */
async function answerTask(call: ImageCall, ticket: TaskTicket, reply: FastifyReply, deps: ImageDeps) {
  const { caller } = call.submission;
  const { waitMs, applied, alwaysTask } = call.handOver;
  const headers = { 'preference-applied': applied };
  const followed = await deps.tasks.follow(ticket.id, caller);
  if (followed === undefined) throw new RequestProblem(404, 'not_found', EXPIRED);
  try {
    if (waitMs !== undefined) await waitForEnd(followed, { waitMs, response: reply.raw }, deps);
  } finally {
    followed.close();
  }
  const snapshot = followed.snapshot();
  const isLeft = reply.raw.destroyed && !ticket.replayed && call.onDisconnect === 'cancel';
  if (isLeft) await deps.tasks.cancel(ticket.id, caller, 0);
  const isInTime = waitMs !== undefined && isOver(snapshot);
  if (isInTime && !alwaysTask) {
    const { replayed } = ticket;
    if (!makesPictures(snapshot)) throw new RequestProblem(404, 'not_found', EXPIRED);
    await answerStored(call, { kind: 'stored', stored: snapshot, attached: false, replayed }, reply, deps, headers);
    return reply;
  }
  const location = `/v1/tasks/${ticket.id}`;
  reply.headers({ ...headers, location, 'x-onetake-generation': ticket.id, ...replayHeader(ticket) });
  return sendTask(reply, isInTime ? 200 : 202, snapshot, deps);
}

async function answerLive(call: ImageCall, ticket: LiveTicket, reply: FastifyReply, deps: ImageDeps): Promise<void> {
  const { live } = ticket;
  const owed = {
    ...answeringOf(call, ticket, live, reply, deps),
    ...degradeOf(call, live, deps),
    onResult: () => {},
  };
  const isShared = ticket.cache?.state === 'shared';
  // Who shares what another asked for may have asked for it to be handed over in another way.
  const { stream: isStreamed } = isShared ? call.submission.request : live.plan.request;
  const stream = isStreamed ? openImageStream(owed, live.plan) : undefined;
  const joinedLater = ticket.attached || ticket.replayed || isShared;
  const deadlineAt = joinedLater ? ownDeadline(call.submission.settings, deps.io) : live.plan.deadlineAt;
  const waiting = { live, response: reply.raw, deadlineAt, joinedLater, io: deps.io };
  const told = await waitToTell(waiting, stream?.sendPartial);
  const telling = told && {
    id: live.id,
    requestId: live.requestId,
    plan: live.plan,
    ...cacheStateOf(ticket, live.plan),
    ...told,
  };
  if (telling === undefined) stream?.close();
  if (telling === undefined || telling.overdue) {
    live.leave({ cancel: telling === undefined && !joinedLater && call.onDisconnect === 'cancel' });
    // An answer that a clock cut short is not the result: like the one whose caller left, that is kept for the
    // caller's next identical request.
    keep(live, deps);
    return telling && answer(telling, owed, stream);
  }
  const onResult = () => {
    if (isWorthKeeping(live)) deps.deliveries.follow(reply.raw, entryOf(live));
  };
  if (isShared) bookShared(call, telling, deps);
  try {
    await answer(telling, { ...owed, onResult }, stream);
  } finally {
    live.leave();
  }
}

async function answerStored(
  call: ImageCall,
  ticket: StoredTicket,
  reply: FastifyReply,
  deps: ImageDeps,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { id, requestId, plan, journals } = ticket.stored;
  const generation = foldGeneration(journals);
  const images = generation.outcome?.ok ? generation.outcome.images : [];
  for (const { asset } of images) {
    const size = await deps.assets.size(asset.hash, asset.type);
    if (size === undefined) throw new RequestProblem(404, 'not_found', EXPIRED);
  }
  const onResult = () => {
    // A task is fetched by its id, as often as its caller likes.
    if (!ticket.stored.task && isWorthKeeping(ticket.stored)) deps.deliveries.follow(reply.raw, entryOf(ticket.stored));
  };
  const degrade = ticket.stored.task ? {} : degradeOf(call, ticket.stored, deps);
  const answering = { ...answeringOf(call, ticket, ticket.stored, reply, deps, headers), ...degrade, onResult };
  const { stream: isStreamed } = ticket.cache?.state === 'shared' ? call.submission.request : plan.request;
  const stream = isStreamed ? openImageStream(answering, plan) : undefined;
  const telling = { id, requestId, plan, generation, ...cacheStateOf(ticket, plan), overdue: undefined };
  if (telling.cache === 'shared') bookShared(call, telling, deps);
  await answer(telling, answering, stream);
}

/** Whoever asked first has it on their bill; this one was spared it. */
function bookShared({ submission }: ImageCall, { id, plan, generation }: Result, { answeredBook }: ImageDeps): void {
  if (!generation.outcome?.ok) return;
  const { caller, requestId } = submission;
  const made = { generation: id, target: generation.targets[0], costUsd: costOf(plan, generation).usd };
  answeredBook.note({ caller, requestId, route: plan.route, ...made });
}

/** Nothing was begun for it: there is nothing to keep for a caller whom it does not reach. */
async function answerCached(
  call: ImageCall,
  { entry, plan }: CachedTicket,
  reply: FastifyReply,
  deps: ImageDeps,
): Promise<void> {
  const id = entry.generation;
  const origin = { attached: false, replayed: false, cache: { state: 'hit', key: entry.key } } as const;
  const answering = { ...answeringOf(call, origin, { id, plan }, reply, deps), onResult: () => {} };
  const stream = plan.request.stream ? openImageStream(answering, plan) : undefined;
  const { caller, requestId } = call.submission;
  const generation = cachedGeneration(entry);
  const { target, costUsd } = entry;
  deps.answeredBook.note({ caller, requestId, route: plan.route, generation: id, target, costUsd });
  await answer({ id, requestId, plan, generation, cache: 'hit', overdue: undefined }, answering, stream);
}

/** A result that is told again took part as it did the first time. */
function cacheStateOf({ cache }: AnswerOrigin, plan: Plan): Pick<Result, 'cache'> {
  const state = cache?.state ?? (plan.cached && 'miss');
  return state === undefined ? {} : { cache: state };
}

function answer(result: Result, answering: Answering, stream: ImageStream | undefined): Promise<void> {
  return stream ? answerStream(result, answering, stream) : answerJson(result, answering);
}

function answeringOf(
  call: ImageCall,
  origin: AnswerOrigin,
  { id, plan }: Pick<Live, 'id' | 'plan'>,
  reply: FastifyReply,
  deps: ImageDeps,
  headers: Readonly<Record<string, string>> = {},
): Omit<Answering, 'onResult'> {
  const { cache } = cacheStateOf(origin, plan);
  return {
    reply,
    assets: deps.assets,
    io: deps.io,
    delivery: call.form === 'url' ? { form: 'url', assetsUrl: deps.assetsUrl() } : { form: 'b64_json' },
    headers: {
      ...headers,
      'x-onetake-generation': id,
      ...(origin.attached && { 'x-onetake-attached': id }),
      ...replayHeader(origin),
      ...(cache && { 'x-onetake-cache': cache }),
      ...(origin.cache?.key !== undefined && { 'x-onetake-cache-key': origin.cache.key }),
    },
  };
}

function degradeOf({ submission, degrade: wish }: ImageCall, { plan }: Pick<Live, 'plan'>, deps: ImageDeps) {
  const { caller } = submission;
  return { degrade: (failure: Failure) => deps.degrade({ caller, plan, failure, wish }) };
}

function replayHeader({ replayed }: Pick<Ticket & { replayed: boolean }, 'replayed'>): Record<string, string> {
  return replayed ? { 'idempotent-replayed': 'true' } : {};
}

const EXPIRED = 'the picture of this generation was removed by retention; send the request with a new Idempotency-Key';

/** Unless somebody else waits for it, or it is not worth it. */
function keep(live: Live, deps: ImageDeps): void {
  if (live.presence().absentSince !== undefined && isWorthKeeping(live))
    deps.undelivered.lost({ ...entryOf(live), since: deps.io.now() });
}

function entryOf({ id, caller, fingerprint }: Pick<Live, 'id' | 'caller' | 'fingerprint'>) {
  return { id, caller, fingerprint };
}

/** Who joins a run later brings a deadline of their own. */
function ownDeadline(settings: PolicySettings, io: Io): number {
  return io.now() + (settings.totalTimeoutMs ?? TIMEOUTS.totalMs);
}
