import { randomUUID } from 'node:crypto';
import {
  type AssetStore,
  type Connection,
  createTurns,
  type Event,
  type Failure,
  type FairClock,
  type FirstTurn,
  foldGeneration,
  type HealthBook,
  type HostLoads,
  type Io,
  PARKED,
  type Pacer,
  type Plan,
  RUN_LIMITS,
  type RunEnvironment,
  run,
  splitPlan,
  type Turns,
} from '@onetake/core';
import { endAllInterrupted } from '../chat/interrupted.ts';
import type { Money } from '../money/money.ts';
import { makesChat, makesPictures } from '../store/plan-kind.ts';
import type { Store, Webhook } from '../store/store.ts';
import { storedJournal } from './journal.ts';
import { createLive, type Live } from './live.ts';
import { type AnyLive, createRunning, type Running } from './running.ts';
import { ticketsOf } from './tickets.ts';

/** Runs generations in this process: starts them, keeps their leases, takes up what a dead process left. */
export interface Worker {
  readonly id: string;
  /** When a lease taken now ends (epoch ms). */
  leaseUntil(): number;
  /** `joined`: a caller waits for it from the start. */
  start(work: Work, joined: boolean, first?: FirstTurn): Live;
  /** Keeps the lease of what runs in its own way until that has ended, and ends it with the rest; `park`: start nothing new. */
  host(live: AnyLive, run: (park: AbortSignal) => Promise<void>): void;
  readonly running: Omit<Running, 'add' | 'remove'>;
  /** Takes up every unfinished generation nobody holds; resolves with how many. */
  recover(): Promise<number>;
  /** Leaves what waits, gives what is in flight `graceMs` to end, and stops. */
  stop(graceMs: number): Promise<void>;
}

export interface Work {
  readonly id: string;
  readonly caller: string;
  readonly fingerprint: string;
  readonly requestId: string;
  readonly plan: Plan;
  /** Its start tag at its first target; a new one where it has none. */
  readonly tag?: number;
  readonly webhook?: Webhook;
  readonly cancelRequestedAt?: number;
  /** What happened so far, per run; absent for a new generation. */
  readonly journals?: readonly (readonly Event[])[];
}

export interface WorkerOptions {
  readonly store: Store;
  readonly io: Io;
  readonly assets: AssetStore;
  readonly health: HealthBook;
  readonly pacer: Pacer;
  readonly clock: FairClock;
  readonly loads?: Pick<HostLoads, 'refresh'>;
  readonly connection: (provider: string) => Connection | undefined;
  readonly onFinished: (live: Live) => void;
  /** A run ended without a finish: its journal was lost, or a fault of ours. */
  readonly onError: (error: unknown, live: Live) => void;
  /** An answer of chat that broke off with its process could not be closed; it is tried again when the lease has ended. */
  readonly onInterruptedError: (error: unknown) => void;
  /** One was closed, and its end is about to be told. */
  readonly onInterrupted?: (live: AnyLive) => void;
  readonly leaseMs: number;
  readonly unsentGraceMs: number;
  readonly webhookUrl?: RunEnvironment['webhookUrl'];
  readonly assetsUrl?: RunEnvironment['assetsUrl'];
  readonly look?: RunEnvironment['look'];
  readonly convert?: RunEnvironment['convert'];
  readonly traceHeaders?: RunEnvironment['traceHeaders'];
  /** Keeps a caller to its budget. */
  readonly affordFor?: Money['affordFor'];
  /** Milder words after a refusal. */
  readonly rewriteWith?: (live: Live) => NonNullable<RunEnvironment['rewriteWith']>;
}

type Ending = 'journal-lost' | 'stopping';

const WHY: Readonly<Record<Ending, string>> = {
  'journal-lost': 'the journal of this generation could not be written',
  stopping: 'the gateway is stopping',
};
const COME_BACK_MS = 5_000;

/** What is told of a run whose end this process will not see: whether anything may have been paid decides. */
function brokenOff(live: AnyLive, ending: Ending, now: number): Failure {
  const { runs, paidAttempts } = foldGeneration(live.journals);
  if (paidAttempts === 0) {
    const isFree = runs.some(({ attempts }) => attempts.some(({ free }) => free));
    const message = `${WHY[ending]} and nothing was ${isFree ? 'billed' : 'sent yet'}; send the same request again`;
    return { kind: 'unavailable', certainty: 'not_sent', message, notBefore: now + COME_BACK_MS };
  }
  const message = `${WHY[ending]}; whether the provider did the work, and bills it, cannot be looked up there`;
  return { kind: 'interrupted', certainty: 'ambiguous', message };
}

const RECOVERED_AT_ONCE = 1_000;
/** For what was broken off to be written. */
const LAST_WRITES_MS = 2_000;

export function createWorker(options: WorkerOptions): Worker {
  const { store, io } = options;
  const [id, running] = [randomUUID(), createRunning()];
  const park = new AbortController();
  const parked: string[] = [];
  const leaseUntil = () => io.now() + options.leaseMs;
  const stopRenewing = renewLeases(options, async () => {
    for (const one of await store.renew(id, running.ids(), leaseUntil())) running.live(one)?.cancel();
    // A run whose journal broke off holds no lease any more: here it is ended properly.
    return recover();
  });

  function start(work: Work, joined: boolean, first?: FirstTurn): Live {
    const children = splitPlan(work.plan);
    const journals = work.journals ?? children.map(() => []);
    const live = createLive({ ...work, journals, joined, unsentGraceMs: options.unsentGraceMs, now: io.now });
    const ticket = ticketsOf({ ...work, cost: work.plan.request.n }, options.clock);
    const runs = children.map((child, index) => {
      const own = index === 0 && first ? { first } : {};
      const turns = createTurns({ ...options, ...own, ticket });
      const environment = environmentOf(live, options, park.signal, turns);
      const journal = storedJournal(live, index, id, options);
      return run(`${live.id}.${index}`, child, journal, environment).finally(turns.close);
    });
    const done = Promise.allSettled(runs).then((results) => {
      running.remove(live.id);
      if (isParked(results)) parked.push(live.id);
      conclude(live, results, options);
    });
    running.add(live, done);
    if (work.cancelRequestedAt !== undefined) live.cancel();
    return live;
  }

  async function recover(): Promise<number> {
    let recovered = 0;
    while (!park.signal.aborted) {
      const claimed = await store.claim(id, io.now(), leaseUntil(), RECOVERED_AT_ONCE);
      const left = claimed.filter((one) => !running.live(one.id));
      for (const one of left) if (makesPictures(one)) start(one, false);
      endAllInterrupted(left.filter(makesChat), id, options);
      recovered += claimed.length;
      if (claimed.length < RECOVERED_AT_ONCE) break;
    }
    return recovered;
  }

  return {
    id,
    leaseUntil,
    start,
    running,
    recover,

    host(live, begin) {
      const done = begin(park.signal).finally(() => running.remove(live.id));
      running.add(live, done);
    },

    async stop(graceMs) {
      park.abort();
      await endedWithin(running, graceMs, io);
      for (const live of running.all()) live.breakOff(brokenOff(live, 'stopping', io.now()));
      // An answer of chat ends when it is broken off, and nobody takes it up.
      if (running.all().some(makesChat)) await endedWithin(running, LAST_WRITES_MS, io);
      stopRenewing();
      // What was left here others may take up at once.
      await store.renew(id, parked, io.now()).catch(() => {});
    },
  };
}

async function endedWithin(running: Running, ms: number, io: Pick<Io, 'now' | 'timer'>): Promise<void> {
  let stopWaiting = () => {};
  const passed = new Promise<void>((resolve) => {
    stopWaiting = io.timer(io.now() + ms, resolve);
  });
  await Promise.race([running.ended(), passed]);
  stopWaiting();
}

/** A lease that could not be renewed shows at the next append, which the fence refuses. */
function renewLeases({ io, leaseMs }: WorkerOptions, renew: () => Promise<unknown>): () => void {
  let stop = () => {};
  const later = () => {
    stop = io.timer(io.now() + leaseMs / 3, () => {
      renew().catch(() => {});
      later();
    });
  };
  later();
  return () => stop();
}

function environmentOf(live: Live, options: WorkerOptions, park: AbortSignal, turns: Turns): RunEnvironment {
  const { io, assets, health, connection, webhookUrl, assetsUrl, look, convert, rewriteWith, traceHeaders } = options;
  const afford = options.affordFor?.(live);
  return {
    io,
    assets,
    health,
    turns,
    connection,
    onNews: live.onNews,
    ...(webhookUrl && { webhookUrl }),
    ...(assetsUrl && { assetsUrl }),
    ...(look && { look }),
    ...(convert && { convert }),
    ...(traceHeaders && { traceHeaders }),
    ...(rewriteWith && { rewriteWith: rewriteWith(live) }),
    ...(afford && { afford }),
    presence: live.presence,
    onPresence: live.onPresence,
    cancel: live.cancelSignal,
    park,
    limits: RUN_LIMITS,
  };
}

type RunResult = PromiseSettledResult<Awaited<ReturnType<typeof run>>>;

function isParked(results: readonly RunResult[]): boolean {
  return results.some((result) => result.status === 'fulfilled' && result.value === PARKED);
}

function conclude(live: Live, results: readonly RunResult[], { io, onError, onFinished }: WorkerOptions): void {
  const broken = results.find((result) => result.status === 'rejected');
  if (broken) {
    live.breakOff(brokenOff(live, 'journal-lost', io.now()));
    onError(broken.reason, live);
  } else if (isParked(results)) {
    live.breakOff(brokenOff(live, 'stopping', io.now()));
  } else {
    onFinished(live);
  }
}
