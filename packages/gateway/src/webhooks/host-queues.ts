import type { WebhookDelivery } from '../store/store.ts';

/** A delivery that was taken from the store for the time of its lease. */
export interface Taken {
  readonly delivery: WebhookDelivery;
  readonly host: string;
  /** Epoch ms; sent later than this it might be sent twice at once. */
  readonly startBy: number;
}

export interface QueueLimits {
  readonly maxInFlight: number;
  readonly maxInFlightPerHost: number;
  readonly maxWaiting: number;
}

interface Host {
  readonly waiting: Taken[];
  inFlight: number;
  /** How long its answers take, averaged with the later ones counting more; 0 while none is known. */
  answerMs: number;
}

/**
 * Taken deliveries by host: hosts are served in turn, none above its share of what is in flight. A host keeps no more
 * waiting than it can be sent in `turnMs` at the pace it answers; the rest goes back to the store by its lease, so that
 * the backlog of a slow host does not fill the memory and hold up the others.
 */
export function createHostQueues(limits: QueueLimits, turnMs: number) {
  const hosts = new Map<string, Host>();
  let waiting = 0;
  let inFlight = 0;

  const keep = (host: Host, kept: readonly Taken[]) => {
    waiting += kept.length - host.waiting.length;
    host.waiting.splice(0, host.waiting.length, ...kept);
  };
  const allowance = ({ answerMs }: Host) =>
    answerMs === 0 ? limits.maxWaiting : Math.ceil((turnMs / answerMs) * limits.maxInFlightPerHost);
  const forgetIdle = (name: string, host: Host) => {
    if (host.inFlight === 0 && host.waiting.length === 0) hosts.delete(name);
  };

  return {
    /** How many more may be taken. */
    room: () => limits.maxWaiting - waiting,

    /** Lets it wait for its turn, unless its host has enough. */
    add(delivery: WebhookDelivery, startBy: number): void {
      const name = URL.parse(delivery.url)?.host ?? '';
      const host = hosts.get(name) ?? { waiting: [], inFlight: 0, answerMs: 0 };
      if (waiting >= limits.maxWaiting || host.waiting.length >= allowance(host)) return;
      host.waiting.push({ delivery, host: name, startBy });
      hosts.set(name, host);
      waiting += 1;
    },

    /** The next to send; undefined while none may be. Those whose time is over are left to their lease. */
    start(now: number): Taken | undefined {
      if (inFlight >= limits.maxInFlight) return undefined;
      for (const [name, host] of hosts) {
        if (host.inFlight >= limits.maxInFlightPerHost) continue;
        const [next, ...rest] = host.waiting.filter(({ startBy }) => startBy >= now);
        keep(host, rest);
        if (next === undefined) {
          forgetIdle(name, host);
          continue;
        }
        host.inFlight += 1;
        inFlight += 1;
        // Last in the order of the map: the others have their turn first.
        hosts.delete(name);
        hosts.set(name, host);
        return next;
      }
      return undefined;
    },

    /** It is no longer in flight. */
    end({ host: name }: Taken, tookMs: number): void {
      const host = hosts.get(name);
      if (host === undefined) return;
      host.inFlight -= 1;
      inFlight -= 1;
      host.answerMs = host.answerMs === 0 ? Math.max(1, tookMs) : (host.answerMs + Math.max(1, tookMs)) / 2;
      keep(host, host.waiting.slice(0, allowance(host)));
      forgetIdle(name, host);
    },

    /** Forgets what waits for an address that wants no more. */
    drop(caller: string, url: string): void {
      for (const host of hosts.values()) {
        keep(
          host,
          host.waiting.filter(({ delivery }) => delivery.caller !== caller || delivery.url !== url),
        );
      }
    },
  };
}
