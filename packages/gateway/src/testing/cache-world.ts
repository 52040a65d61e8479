import type { Asset, Event, Failure, Outcome, Plan } from '@onetake/core';
import { samplePlan } from '../store/contract/samples.ts';
import type { Store } from '../store/store.ts';
import { type CacheOptions, createCache } from '../tasks/cache.ts';
import { createLive, type Live } from '../tasks/live.ts';

export const PICTURE: Asset = {
  hash: 'a'.repeat(64),
  bytes: 100,
  type: 'png',
  width: 1,
  height: 1,
  animated: false,
  alpha: false,
};

export const NO_PICTURE: Failure = { kind: 'empty', certainty: 'completed', message: 'no picture came' };

const TARGET = {
  ...{ id: 'sandbox/fast', provider: 'sandbox', model: 'fast', credential: 'sandbox', streams: false },
  ...{ maxImagesPerCall: 10, firstByteMs: 1_000, price: { perImageUsd: 0.25 } },
};

export function cachedPlan(prompt = 'a red fox', change: Partial<Plan> = {}): Plan {
  return { ...samplePlan(prompt), targets: [TARGET], ...change };
}

/** A clock whose short waits pass at once; longer ones only when told. */
export function createImpatientClock(startAt = 1_000_000) {
  let now = startAt;
  const later = new Set<() => void>();
  return {
    now: () => now,
    timer(at: number, callback: () => void) {
      if (at - now >= 60_000) {
        later.add(callback);
        return () => later.delete(callback);
      }
      let isStopped = false;
      setImmediate(() => {
        now = Math.max(now, at);
        if (!isStopped) callback();
      });
      return () => {
        isStopped = true;
      };
    },
    pass(ms: number) {
      now += ms;
    },
    /** Lets what waits for a minute or more happen. */
    fire() {
      const due = [...later];
      later.clear();
      for (const callback of due) callback();
    },
  };
}

/** Generations in memory, which every node can join, and the bill. */
export function createProvider() {
  const running = new Map<string, Live>();
  const begun: string[] = [];
  return { running, begun };
}

export interface NodeOptions extends Partial<CacheOptions> {
  readonly store: Store;
  readonly provider?: ReturnType<typeof createProvider>;
}

/** One node with a cache: requests are asked of it, and generations end when told. */
export function createNode({ store, provider = createProvider(), ...options }: NodeOptions) {
  const clock = createImpatientClock();
  const sizes = new Map<string, number>([[PICTURE.hash, PICTURE.bytes]]);
  const removed: string[] = [];
  const errors: unknown[] = [];
  const cache = createCache({
    store,
    assets: {
      size: async (hash) => sizes.get(hash),
      remove: async ({ hash }) => {
        removed.push(hash);
      },
    },
    io: clock,
    limits: { bytes: 1_000_000, maxAgeMs: 86_400_000 },
    onError: (error) => errors.push(error),
    ...options,
  });

  async function ask(plan = cachedPlan(), caller = 'alice', begin = async () => {}) {
    const id = `gen_${crypto.randomUUID()}`;
    const request = cache.keysOf(plan, caller, id);
    if (request === undefined) throw new Error('this plan has no key');
    return cache.answer(request, {
      begin: async () => {
        await begin();
        const identity = { id, caller, plan, fingerprint: 'f', requestId: 'r', unsentGraceMs: 0, now: clock.now };
        const live = createLive({ ...identity, journals: [[]], joined: true });
        provider.running.set(id, live);
        provider.begun.push(id);
        return live;
      },
      isBegun: () => true,
      follow: async (generation) => {
        const live = provider.running.get(generation);
        live?.join();
        return live ?? 'gone';
      },
    });
  }

  /** As the worker does: durable first, then told to who waits, then to the cache. */
  async function finish(live: Live, outcome: Outcome = { ok: true, images: [{ asset: PICTURE }] }) {
    const events: readonly Event[] = [
      { type: 'attempt-started', at: 1, attempt: 1, target: TARGET.id },
      { type: 'attempt-ended', at: 2, attempt: 1, outcome },
      { type: 'finished', at: 3, outcome },
    ];
    live.record(0, events);
    provider.running.delete(live.id);
    await cache.ended(live);
  }

  return { cache, clock, sizes, removed, errors, provider, ask, finish };
}
