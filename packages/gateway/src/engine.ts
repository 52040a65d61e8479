import {
  type AssetStore,
  type Catalogue,
  createRepeats,
  type Io,
  keysOf,
  type Limits,
  type RunEnvironment,
} from '@onetake/core';
import type { Logger } from 'pino';
import { reachableAt } from './addresses.ts';
import { createAsk } from './chat/ask.ts';
import { createChats } from './chat/chats.ts';
import { createRewriting, type Rewriting } from './chat/rewriting.ts';
import type { Config } from './config.ts';
import { createDeliveries } from './http/delivery.ts';
import { aboutLive } from './log/generations.ts';
import type { Money } from './money/money.ts';
import { type Pacing, startPacing } from './pacing.ts';
import type { Looker } from './pictures/looker.ts';
import type { Signals } from './signals/signals.ts';
import { makesPictures } from './store/plan-kind.ts';
import type { Store } from './store/store.ts';
import { announce } from './tasks/announce.ts';
import type { RequestCache } from './tasks/cache.ts';
import { createFeeder } from './tasks/feeder.ts';
import { createFollow } from './tasks/following.ts';
import { createGenerations, isWorthKeeping } from './tasks/generations.ts';
import { createJobNews, type JobNewsOptions } from './tasks/job-news.ts';
import type { Live } from './tasks/live.ts';
import { createTasks } from './tasks/tasks.ts';
import { createSharedUndelivered, createUndelivered, type Undelivered } from './tasks/undelivered.ts';
import { createWorker } from './tasks/worker.ts';
import { traceHeadersFor } from './tracing/trace-context.ts';

export interface EngineOptions {
  readonly config: Config;
  readonly store: Store;
  readonly assets: AssetStore;
  readonly cache: RequestCache;
  readonly money: Money;
  readonly io: Io;
  readonly catalogue: Catalogue;
  readonly log: Logger;
  readonly signals: Pick<Signals, 'watch'>;
  readonly addresses: JobNewsOptions['addresses'];
  /** Without it pictures are judged by what needs no decoding. */
  readonly looker?: Looker;
  /** Writes pictures in the format that was asked for. */
  readonly convert?: RunEnvironment['convert'];
}

const LEASE_MS = 15_000;
const UNSENT_GRACE_MS = 10_000;
const IDEMPOTENCY_MS = 24 * 3_600_000;
const CONFIRM_MS = 5_000;
const MAX_LIVE = 10_000;
const MAX_UNDELIVERED = 100_000;
/** Other nodes say what they do; what they said to nobody is found by looking. */
const LOOK_EVERY_MS = 5_000;
const RECOUNT_EVERY_MS = 30_000;

/** What turns requests into generations; it has taken up what an earlier process left when this resolves. */
export async function startEngine(options: EngineOptions) {
  const { store, io, log } = options;
  const onStoreError = (err: unknown) => log.error({ err }, 'the store could not be written');
  const pacing = await startPacing(options, onStoreError);
  const undelivered = await openUndelivered(options, onStoreError);
  const { worker, news } = startWorker(options, pacing, undelivered, (live) => asking.rewriting(live));
  const feeder = startFeeder(options, pacing, worker);
  const { running } = worker;
  const follow = createFollow({ store, running, io });
  const etaMs = (queue: string, pictures: number) =>
    longer(pacing.throughput.etaMs(queue, pictures, io.now()), windowsMs(pacing.limitsAt(queue), pictures));
  const tasks = createTasks({ store, worker, follow, io, etaMs });
  const generations = createGenerations({
    ...{ store, worker, undelivered, feeder, follow, io, clock: pacing.clock, backlog: pacing.backlog, etaMs },
    catalogue: options.catalogue,
    cache: options.cache,
    routeCache: (route) => options.config.cache.routes[route],
    idempotencyMs: IDEMPOTENCY_MS,
    maxLive: MAX_LIVE,
  });
  const asking = startChats(options, pacing, worker, onStoreError);
  const deliveries = createDeliveries({ io, store, undelivered, confirmMs: CONFIRM_MS, onError: onStoreError });
  running.onStart(options.signals.watch);
  running.onStart((live) => announce(live, { store, io, onError: onStoreError }));
  const stopListening = store.onChange((change) => {
    if (change.kind === 'waiting' && store.ownership === 'shared') feeder.wake(change.queue);
    if (change.kind === 'cancel') running.live(change.id)?.cancel();
  });
  await worker.recover();
  await feeder.look();
  const stopLooking = lookAgain(options, pacing, feeder);
  return {
    ...{
      health: pacing.health,
      targetOperations: pacing.operations,
      pacer: pacing.pacer,
      limitsAt: pacing.limitsAt,
      etaMs,
      undelivered,
      worker,
      deliveries,
      generations,
      chats: asking.chats,
      ask: asking.ask,
      tasks,
      news,
    },
    /** Starts nothing more from the queues. */
    async quiesce() {
      stopLooking();
      stopListening();
      await feeder.stop();
    },
    async close() {
      await deliveries.close();
      await pacing.close();
    },
  };
}

/** What was seen of a burst says little of what comes after it. */
function longer(seen: number | undefined, told: number | undefined): number | undefined {
  return seen === undefined || (told !== undefined && told > seen) ? told : seen;
}

/** How long the rates that hold take for so many pictures. */
function windowsMs(limits: Limits | undefined, pictures: number): number | undefined {
  const rates = [...(limits?.images ?? []), ...(limits?.requests ?? [])];
  if (rates.length === 0) return undefined;
  return Math.max(...rates.map(({ count, windowMs }) => Math.floor(pictures / count) * windowMs));
}

function startWorker(options: EngineOptions, pacing: Pacing, undelivered: Undelivered, rewriteWith: Rewriting) {
  const { store, assets, cache, io, catalogue, log, addresses, looker, convert } = options;
  const worker = createWorker({
    webhookUrl: (runId, connection) => news.urlFor(runId, connection),
    assetsUrl: ({ baseUrl }) => {
      const base = reachableAt(baseUrl, addresses());
      return base && `${base}/v1/assets`;
    },
    ...{ store, assets, io, health: pacing.health, pacer: pacing.pacer, clock: pacing.clock, loads: pacing.loads },
    connection: (id) => catalogue.connections.find((one) => one.id === id),
    onFinished: (live) => {
      settleFinished(live, undelivered, io.now());
      if (live.plan.cached) void cache.ended(live);
    },
    onError: (err, live) => log.error({ err, ...aboutLive(live) }, 'a run ended without a verdict'),
    onInterruptedError: (err) => log.error({ err }, 'an answer that broke off could not be closed; it is tried again'),
    onInterrupted: options.signals.watch,
    affordFor: options.money.affordFor,
    leaseMs: LEASE_MS,
    unsentGraceMs: UNSENT_GRACE_MS,
    ...(looker && { look: looker.look }),
    ...(convert && { convert }),
    rewriteWith,
    ...traceHeadersFor(options.config),
  });
  const news = createJobNews({ running: worker.running, addresses });
  return { worker, news };
}

function startChats(
  { config, store, assets, io, catalogue, log, money }: EngineOptions,
  { health, pacer, clock, loads }: Pacing,
  worker: ReturnType<typeof createWorker>,
  onStoreError: (error: unknown) => void,
) {
  const chats = createChats({
    ...{ store, worker, io, assets, health, pacer, clock, loads, repeats: createRepeats(io), onStoreError },
    connection: (id) => catalogue.connections.find((one) => one.id === id),
    affordFor: money.affordFor,
    maxLive: MAX_LIVE,
    unsentGraceMs: UNSENT_GRACE_MS,
    ...traceHeadersFor(config),
    onError: (err, live) => log.error({ err, ...aboutLive(live) }, 'an answer of chat ended without a verdict'),
  });
  const ask = createAsk({ chats, catalogue, io });
  const timeoutMs = config.chat.rewriteTimeoutMs;
  return { chats, ask, rewriting: createRewriting({ ask, catalogue, timeoutMs, io }) };
}

function startFeeder(
  { config, store, io, catalogue, log }: EngineOptions,
  { pacer, clock, backlog, throughput }: Pacing,
  worker: ReturnType<typeof createWorker>,
) {
  return createFeeder({
    ...{ store, pacer, clock, io },
    credentials: (target) => keysOf(target, catalogue),
    lease: () => ({ worker: worker.id, until: worker.leaseUntil() }),
    start: (generation, first) => {
      // Only what makes pictures waits in a queue.
      if (!makesPictures(generation)) return;
      backlog.removed(generation.caller);
      throughput.started(generation.plan.targets[0]?.id ?? '', generation.plan.request.n, io.now());
      worker.start(generation, false, first);
    },
    unsent: worker.running.unsent,
    busyCallers: () => worker.running.callersWith(config.queue.maxRunningPerKey),
    roomPerCaller: () => worker.running.roomBelow(config.queue.maxRunningPerKey),
    onError: (err) => log.error({ err }, 'what waits in the store could not be started; it is tried again'),
  });
}

/** What was counted here goes stale: others take from the queues too, and what is canceled there was never started. */
function lookAgain({ store, io, log }: EngineOptions, { backlog }: Pacing, feeder: ReturnType<typeof startFeeder>) {
  const everyMs = store.ownership === 'exclusive' ? RECOUNT_EVERY_MS : LOOK_EVERY_MS;
  let stop = () => {};
  const later = () => {
    stop = io.timer(io.now() + everyMs, async () => {
      later();
      try {
        backlog.reset(await store.queues());
        await feeder.look();
      } catch (err) {
        log.error({ err }, 'the queues could not be read; they are read again');
      }
    });
  };
  later();
  return () => stop();
}

/** A result that nobody waits for is kept for its caller's next identical request; what cost nothing had better run again. */
function settleFinished(live: Live, undelivered: Undelivered, now: number): void {
  const { id, caller, fingerprint, plan } = live;
  if (plan.unattended) return;
  if (!isWorthKeeping(live)) undelivered.remove(id);
  else if (live.presence().absentSince !== undefined) undelivered.lost({ id, caller, fingerprint, since: now });
}

async function openUndelivered({ config, store, io }: EngineOptions, onError: (error: unknown) => void) {
  const windowMs = config.attachWindowMs;
  if (store.ownership === 'shared') return createSharedUndelivered(store, { windowMs, onError });
  const undelivered = createUndelivered({ windowMs, maxEntries: MAX_UNDELIVERED });
  const now = io.now();
  const rows = await store.undelivered(now - windowMs, MAX_UNDELIVERED);
  for (const { id, caller, fingerprint, finishedAt } of rows) {
    undelivered.lost({ id, caller, fingerprint, since: finishedAt ?? now });
  }
  return undelivered;
}
