import { foldGeneration, type Io, type PolicySettings, TIMEOUTS } from '@onetake/core';
import type { FastifyReply } from 'fastify';
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
}

/** A request the edge has read and checked; nothing was spent on it yet. */
export interface ImageCall {
  readonly submission: Submission;
  readonly form: 'b64_json' | 'url';
  readonly onDisconnect: 'keep' | 'cancel';
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
type Found = LiveTicket | StoredTicket;

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
    await answerStored(call, { kind: 'stored', stored: snapshot, attached: false, replayed }, reply, deps, headers);
    return reply;
  }
  const location = `/v1/tasks/${ticket.id}`;
  reply.headers({ ...headers, location, 'x-onetake-generation': ticket.id, ...replayHeader(ticket) });
  return sendTask(reply, isInTime ? 200 : 202, snapshot, deps);
}

async function answerLive(call: ImageCall, ticket: LiveTicket, reply: FastifyReply, deps: ImageDeps): Promise<void> {
  const { live } = ticket;
  const owed = { ...answeringOf(call, ticket, live.id, reply, deps), onResult: () => {} };
  const stream = live.plan.request.stream ? openImageStream(owed, live.plan) : undefined;
  const joinedLater = ticket.attached || ticket.replayed;
  const deadlineAt = joinedLater ? ownDeadline(call.submission.settings, deps.io) : live.plan.deadlineAt;
  const waiting = { live, response: reply.raw, deadlineAt, joinedLater, io: deps.io };
  const told = await waitToTell(waiting, stream?.sendPartial);
  const telling = told && { id: live.id, requestId: live.requestId, plan: live.plan, ...told };
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
  const answering = { ...answeringOf(call, ticket, id, reply, deps, headers), onResult };
  const stream = plan.request.stream ? openImageStream(answering, plan) : undefined;
  await answer({ id, requestId, plan, generation, overdue: undefined }, answering, stream);
}

function answer(result: Result, answering: Answering, stream: ImageStream | undefined): Promise<void> {
  return stream ? answerStream(result, answering, stream) : answerJson(result, answering);
}

function answeringOf(
  call: ImageCall,
  ticket: Found,
  id: string,
  reply: FastifyReply,
  deps: ImageDeps,
  headers: Readonly<Record<string, string>> = {},
): Omit<Answering, 'onResult'> {
  return {
    reply,
    assets: deps.assets,
    io: deps.io,
    delivery: call.form === 'url' ? { form: 'url', assetsUrl: deps.assetsUrl() } : { form: 'b64_json' },
    headers: {
      ...headers,
      'x-onetake-generation': id,
      ...(ticket.attached && { 'x-onetake-attached': id }),
      ...replayHeader(ticket),
    },
  };
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
