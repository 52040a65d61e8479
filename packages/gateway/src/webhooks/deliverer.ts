import type { Io } from '@onetake/core';
import type { Store } from '../store/store.ts';
import { type DeliveryDeps, deliverOnce } from './deliver-once.ts';
import { createHostQueues, type QueueLimits, type Taken } from './host-queues.ts';
import { WEBHOOK_SCHEDULE, type WebhookSchedule } from './verdict.ts';

export interface DelivererOptions extends DeliveryDeps {
  readonly store: Pick<Store, 'dueWebhooks' | 'settleWebhook' | 'listWebhooks' | 'disableEndpoint' | 'onChange'>;
  readonly schedule?: Partial<WebhookSchedule>;
  readonly limits?: Partial<DelivererLimits>;
  /** A number in [0, 1) for the jitter; default `Math.random`. */
  readonly random?: () => number;
}

export interface DelivererLimits extends QueueLimits {
  /** For one exchange, from connecting to the answer. */
  readonly timeoutMs: number;
  /** The store is asked at least this often: wake-ups may be missed, and another node may have died. */
  readonly pollMs: number;
}

export const DELIVERER_LIMITS: DelivererLimits = {
  maxInFlight: 16,
  maxInFlightPerHost: 4,
  maxWaiting: 256,
  timeoutMs: 15_000,
  pollMs: 5_000,
};

/** For what waits its turn behind others of its host. */
const TURN_MS = 30_000;
/** Beyond turn and timeout: for reading the task before, settling after, and a busy machine. */
const LEASE_SLACK_MS = 15_000;

export interface WebhookDeliverer {
  /** Takes no more and resolves when what is in flight has ended and is settled. */
  stop(): Promise<void>;
}

/**
 * Sends what is due in the outbox until it is stopped: at least once, each with the same id on every try, and not
 * necessarily in order. What it takes it leases, so a node that dies loses nothing.
 */
export function createWebhookDeliverer(options: DelivererOptions): WebhookDeliverer {
  const { store, io, log } = options;
  const limits = { ...DELIVERER_LIMITS, ...options.limits };
  const queues = createHostQueues(limits, TURN_MS);
  const inFlight = new Set<Promise<void>>();
  /** There may be more due than there was room for. */
  let more = false;
  let stopped = false;

  const taking = oneAtATime(async (again) => {
    const room = stopped ? 0 : queues.room();
    more = room === 0;
    if (more) return;
    const startBy = io.now() + TURN_MS;
    const due = await store.dueWebhooks(io.now(), startBy + limits.timeoutMs + LEASE_SLACK_MS, room);
    for (const delivery of due) queues.add(delivery, startBy);
    if (due.length === room) again();
    startSome();
  });
  const wake = () =>
    taking.run((err) => log.error({ err }, 'webhooks that are due could not be read; they are asked for again'));
  const alarm = createAlarm(io, limits.pollMs, wake);
  const settle = createSettling(options, limits.timeoutMs, { drop: queues.drop, retryAt: alarm.notLaterThan });

  function startSome(): void {
    while (!stopped) {
      const startedAt = io.now();
      const taken = queues.start(startedAt);
      if (taken === undefined) return;
      const sending = settle(taken).finally(() => {
        inFlight.delete(sending);
        queues.end(taken, io.now() - startedAt);
        startSome();
        // In larger portions than one row for each that ended.
        if (more && queues.room() >= limits.maxWaiting / 2) wake();
      });
      inFlight.add(sending);
    }
  }

  const unsubscribe = store.onChange((change) => {
    if (change.kind === 'webhook') wake();
  });
  wake();
  return {
    async stop() {
      stopped = true;
      unsubscribe();
      alarm.stop();
      await taking.idle();
      await Promise.all(inFlight);
    },
  };
}

interface Settling {
  /** What waits for this address is not sent any more. */
  readonly drop: (caller: string, url: string) => void;
  readonly retryAt: (at: number) => void;
}

/** Sends one delivery and writes how it ended; never rejects. */
function createSettling(options: DelivererOptions, timeoutMs: number, { drop, retryAt }: Settling) {
  const { store, log, random = Math.random } = options;
  const rules = { schedule: { ...WEBHOOK_SCHEDULE, ...options.schedule }, timeoutMs, random };
  return async ({ delivery }: Taken): Promise<void> => {
    const { id, type, generation, caller, url } = delivery;
    try {
      const { result, gone } = await deliverOnce(delivery, options, rules);
      if (gone) drop(caller, url);
      await store.settleWebhook(id, result);
      // After it, so that this delivery keeps the reason the receiver gave.
      if (gone) await store.disableEndpoint(caller, url, result.at);
      if (result.state === 'waiting') retryAt(result.retryAt);
      // Progress is given up whenever something newer is known.
      if (result.state === 'given-up' && type !== 'task.progress')
        log.warn({ webhook: id, generation, reason: result.reason }, 'a webhook was given up');
    } catch (err) {
      log.error({ err, webhook: id, generation }, 'a webhook could not be settled; it is sent again after its lease');
    }
  };
}

/** Runs `work` once more after any run during which it was asked for again. */
function oneAtATime(work: (again: () => void) => Promise<void>) {
  let running: Promise<void> | undefined;
  let asked = false;
  const again = () => {
    asked = true;
  };
  const rounds = async (onError: (error: unknown) => void) => {
    while (asked) {
      asked = false;
      await work(again).catch(onError);
    }
    running = undefined;
  };
  return {
    run(onError: (error: unknown) => void): void {
      asked = true;
      running ??= rounds(onError);
    },
    idle: async () => running,
  };
}

/** Rings every `everyMs`, and earlier where it is told so. */
function createAlarm(io: Io, everyMs: number, ring: () => void) {
  let at = Number.POSITIVE_INFINITY;
  let cancel = () => {};
  const notLaterThan = (instant: number) => {
    if (instant >= at) return;
    cancel();
    at = instant;
    cancel = io.timer(instant, () => {
      at = Number.POSITIVE_INFINITY;
      notLaterThan(io.now() + everyMs);
      ring();
    });
  };
  notLaterThan(io.now() + everyMs);
  return {
    notLaterThan,
    stop() {
      // Nothing is earlier than this, so what still ends cannot set it again.
      at = Number.NEGATIVE_INFINITY;
      cancel();
    },
  };
}
