import {
  type AssetStore,
  type ChatAsked,
  type ChatBody,
  type ChatPlan,
  type ChatSink,
  type Connection,
  createTurns,
  type Event,
  type Failure,
  type FairClock,
  type HealthBook,
  type HostLoads,
  type Io,
  type Journal,
  type Outcome,
  PARKED,
  type Pacer,
  QueueFullError,
  type Repeats,
  RUN_LIMITS,
  type RunEnvironment,
  runChat,
} from '@onetake/core';
import type { Money } from '../money/money.ts';
import type { Store } from '../store/store.ts';
import { type Beat, createBeat } from '../tasks/beat.ts';
import { journalBehind } from '../tasks/journal.ts';
import { createLive, type Live } from '../tasks/live.ts';
import { drawId } from '../tasks/submission.ts';
import { ticketsOf } from '../tasks/tickets.ts';
import type { Worker } from '../tasks/worker.ts';
import { createdFirst } from './creation.ts';
import { endOf } from './interrupted.ts';

/** A request of chat that was read and planned; nothing was spent on it yet. */
export interface ChatWork {
  readonly caller: string;
  /** The HTTP path it came by. */
  readonly endpoint: string;
  readonly requestId: string;
  readonly plan: ChatPlan;
  readonly body: ChatBody;
  /** Where the answer goes; asked once, before anything is sent. */
  readonly sink: (live: Live<ChatPlan>) => ChatSink;
}

export interface RunningChat {
  readonly live: Live<ChatPlan>;
  /** What its caller is told; never rejects. Nothing is written to the sink after it. */
  readonly outcome: Promise<Outcome>;
}

/** Answers of chat: worked on by this process from beginning to end, because their caller's connection is here. */
export interface Chats {
  /** Joined by its caller, who owes a `leave`; undefined when as many generations run as may. */
  begin(work: ChatWork): RunningChat | undefined;
}

export interface ChatsOptions {
  readonly store: Store;
  readonly worker: Pick<Worker, 'id' | 'host' | 'leaseUntil' | 'running'>;
  readonly io: Io;
  readonly assets: AssetStore;
  readonly health: HealthBook;
  readonly pacer: Pacer;
  readonly clock: FairClock;
  readonly loads?: Pick<HostLoads, 'refresh'>;
  readonly repeats: Repeats;
  readonly connection: (provider: string) => Connection | undefined;
  readonly traceHeaders?: RunEnvironment['traceHeaders'];
  /** Keeps a caller to its budget. */
  readonly affordFor?: Money['affordFor'];
  /** Generations worked on at once, at most, pictures among them. */
  readonly maxLive: number;
  readonly unsentGraceMs: number;
  /** The journal of an answer could not be written. The answer went on. */
  readonly onStoreError: (error: unknown) => void;
  /** A fault of ours ended an answer. */
  readonly onError: (error: unknown, live: Live<ChatPlan>) => void;
}

/** How long what happened may not be durable yet: nothing of it is done again for that. */
const WRITE_EVERY_MS = 50;

export function createChats(options: ChatsOptions): Chats {
  const { worker, io } = options;
  const beat = createBeat(io, WRITE_EVERY_MS);
  return {
    begin(work) {
      if (worker.running.size() >= options.maxLive) return undefined;
      const live = createLive({
        ...{ id: drawId(), caller: work.caller, requestId: work.requestId, plan: work.plan },
        ...{ fingerprint: '', journals: [[]], joined: true },
        ...{ unsentGraceMs: options.unsentGraceMs, now: io.now },
      });
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const end = (outcome: Outcome) => resolve(outcome);
      live.brokenSignal.addEventListener('abort', () => {
        end({ ok: false, failure: live.brokenSignal.reason });
        live.cancel();
      });
      const asked = { body: work.body, sink: work.sink(live) };
      const chat: Chat = { live, endpoint: work.endpoint, asked, beat, end };
      worker.host(live, (park) => answer(chat, park, options));
      return { live, outcome: promise };
    },
  };
}

interface Chat {
  readonly live: Live<ChatPlan>;
  readonly endpoint: string;
  /** Taken by its run, so that what waits for the store does not keep it. */
  asked: ChatAsked | undefined;
  readonly beat: Beat;
  readonly end: (outcome: Outcome) => void;
}

type Bounds = Pick<RunEnvironment, 'park' | 'afford'>;

/** Resolves when the answer is over and its journal is written. */
async function answer(chat: Chat, park: AbortSignal, options: ChatsOptions): Promise<void> {
  const { live, beat } = chat;
  const { worker, io, onStoreError } = options;
  const afford = options.affordFor?.(live);
  const startsDurably = afford !== undefined;
  // What is held is held for a generation that is there: the store works in order.
  const store = createdFirst(options.store, () => create(chat, options, { atOnce: startsDurably }));
  const journal = journalBehind(live, worker.id, { store, io, beat, onError: onStoreError, startsDurably });
  await runToEnd(chat, journal, { park, ...(afford && { afford }) }, options);
  await journal.settled();
}

async function runToEnd(chat: Chat, journal: Journal, bounds: Bounds, options: ChatsOptions): Promise<void> {
  const { live, asked, end } = chat;
  const { io } = options;
  if (asked === undefined) return;
  chat.asked = undefined;
  const turns = createTurns({
    ...options,
    ticket: ticketsOf({ caller: live.caller, plan: live.plan, cost: 1 }, options.clock),
  });
  const told: Journal = {
    ...journal,
    append: (events) => journal.append(events.map((event) => toldOf(event, live.brokenSignal))),
  };
  const environment: RunEnvironment = {
    ...{ io, assets: options.assets, health: options.health, turns, connection: options.connection },
    ...{ presence: live.presence, onPresence: live.onPresence, cancel: live.cancelSignal, ...bounds },
    // A task has the time to come back when it may.
    ...(!live.plan.unattended && { repeats: options.repeats }),
    ...(options.traceHeaders && { traceHeaders: options.traceHeaders }),
    limits: RUN_LIMITS,
  };
  const close = async (failure: Failure): Promise<Outcome> => {
    const events = endOf(journal.events, live.plan, io.now(), failure);
    await journal.append(events);
    return outcomeOf(events, failure);
  };
  try {
    const ended = await runChat(`${live.id}.0`, live.plan, told, environment, asked);
    end(ended === PARKED ? await close(stopping(io.now())) : ended);
  } catch (error) {
    if (!(error instanceof QueueFullError)) options.onError(error, live);
    end(await close(faultOf(error, io.now())));
  } finally {
    turns.close();
  }
}

/** What broke an answer off is why its last attempt was canceled. */
function toldOf(event: Event, { aborted, reason }: AbortSignal): Event {
  if (!aborted || (event.type !== 'attempt-ended' && event.type !== 'finished') || event.outcome.ok) return event;
  const { failure } = event.outcome;
  if (failure.kind !== 'canceled') return event;
  return { ...event, outcome: { ...event.outcome, failure: { ...reason, certainty: failure.certainty } } };
}

/** Kept like a task, so that nobody is ever given it in the place of an answer of their own. */
async function create(
  { live, endpoint, beat }: Chat,
  { store, worker }: ChatsOptions,
  { atOnce }: { readonly atOnce: boolean },
): Promise<void> {
  if (!atOnce) await beat.next();
  const { id, caller, fingerprint, requestId, plan } = live;
  await store.create({
    ...{ id, caller, fingerprint, requestId, plan, endpoint, runs: 1, createdAt: plan.createdAt },
    begin: { lease: { worker: worker.id, until: worker.leaseUntil() } },
    task: true,
    assets: [],
  });
}

function outcomeOf(events: readonly Event[], failure: Failure): Outcome {
  const finished = events.find((event) => event.type === 'finished');
  return finished?.outcome ?? { ok: false, failure };
}

const COME_BACK_MS = 5_000;

function stopping(now: number): Failure {
  const message = 'the gateway is stopping and nothing of the answer was begun; send the same request again';
  return { kind: 'unavailable', certainty: 'not_sent', message, notBefore: now + COME_BACK_MS };
}

function faultOf(error: unknown, now: number): Failure {
  if (error instanceof QueueFullError)
    return { kind: 'queue_full', certainty: 'not_sent', message: error.message, notBefore: now + COME_BACK_MS };
  const message = 'the gateway met a fault of its own; its log has the generation';
  return { kind: 'interrupted', certainty: 'not_sent', message };
}
