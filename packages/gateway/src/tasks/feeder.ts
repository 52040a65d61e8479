import type { FairClock, FirstTurn, Io, Pacer } from '@onetake/core';
import type { QueueHead, Store, StoredGeneration } from '../store/store.ts';

/** Starts what waits in the store: one loop per queue takes turns at its target, then claims what is first in order. */
export interface Feeder {
  /** Something waits in this queue; `head` where it is known what. */
  wake(queue: string, head?: QueueHead): void;
  /** Looks into every queue of the store. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

export interface FeederOptions {
  readonly store: Store;
  readonly pacer: Pacer;
  readonly clock: FairClock;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** The keys of a target; undefined when the configuration lost it since. */
  readonly credentials: (target: string) => readonly string[] | undefined;
  readonly lease: () => { readonly worker: string; readonly until: number };
  readonly start: (generation: StoredGeneration, first: FirstTurn | undefined) => void;
  /** How many of a queue were started here and have sent nothing yet: their target is closed. */
  readonly unsent: (queue: string) => number;
  /** Callers who run as much as they may. */
  readonly busyCallers: () => readonly string[];
  /** How many more each of the others may run at least; no bound without it. */
  readonly roomPerCaller?: () => number;
  readonly onError: (error: unknown) => void;
}

const MAX_AT_ONCE = 64;
/** A closed target must not draw its whole queue into memory. */
const MAX_UNSENT = 64;
const PAUSE_MS = 250;

/** What is first in a queue now, and whether callers who may not go are all there may be. */
interface First {
  readonly next: QueueHead | undefined;
  readonly onlyBusy: boolean;
}

interface Loop {
  head: QueueHead | undefined;
  running: Promise<void> | undefined;
  /** While it waits for turns: with which tag, and how to end that. */
  waits: { readonly tag: number; readonly end: AbortController } | undefined;
}

export function createFeeder(options: FeederOptions): Feeder {
  const { store } = options;
  const loops = new Map<string, Loop>();
  const stopping = new AbortController();

  function wake(queue: string, head: QueueHead = ANYTHING): void {
    if (stopping.signal.aborted) return;
    const loop = loops.get(queue) ?? { head: undefined, running: undefined, waits: undefined };
    loops.set(queue, loop);
    if (loop.head === undefined || head.tag < loop.head.tag) loop.head = head;
    // What came now goes before what a turn is waited for with.
    if (loop.waits && head.tag < loop.waits.tag) loop.waits.end.abort();
    loop.running ??= feed(queue, loop)
      .catch(options.onError)
      .finally(() => {
        loop.running = undefined;
        if (loop.head === undefined) loops.delete(queue);
        else void pause(options, stopping.signal).then(() => wake(queue, loop.head));
      });
  }

  async function feed(queue: string, loop: Loop): Promise<void> {
    while (loop.head !== undefined && !stopping.signal.aborted) {
      if (options.unsent(queue) >= MAX_UNSENT) await pause(options, stopping.signal);
      else loop.head = await feedOnce(queue, loop.head, loop);
    }
  }

  /** What was first may have changed while the claim was under way: the lower tag wins. */
  async function feedOnce(queue: string, head: QueueHead, loop: Loop): Promise<QueueHead | undefined> {
    loop.head = undefined;
    try {
      const { next, onlyBusy } = await step(queue, head, loop);
      if (!onlyBusy) return lower(loop.head, next);
      // Callers at their bound may be all that is left: they are looked for again.
      await pause(options, stopping.signal);
      return lower(loop.head, ANYTHING);
    } catch (error) {
      loop.head = lower(loop.head, head);
      throw error;
    }
  }

  /** A turn is waited for with the tag of what is first: with any other it would go before whoever waits here already. */
  async function step(queue: string, head: QueueHead, loop: Loop): Promise<First> {
    if (head === ANYTHING) return firstOf(queue, options);
    const end = new AbortController();
    loop.waits = { tag: head.tag, end };
    const signal = AbortSignal.any([end.signal, stopping.signal]);
    const turns = await takeTurns(queue, head, options, signal).finally(() => {
      loop.waits = undefined;
    });
    return turns.length === 0 ? { next: head, onlyBusy: false } : startFirst(queue, head, turns, options);
  }

  return {
    wake,
    async look() {
      for (const { queue, head } of await store.queues()) wake(queue, head);
    },
    async stop() {
      stopping.abort();
      await Promise.all([...loops.values()].map(({ running }) => running));
    },
  };
}

/** Starts what is first in the queue with these turns and gives back those that nothing took; what is first then. */
async function startFirst(
  queue: string,
  head: QueueHead,
  turns: FirstTurn['turn'][],
  options: FeederOptions,
): Promise<First> {
  const { store, clock } = options;
  const exceptCallers = options.busyCallers();
  try {
    const most = Math.min(turns.length, mostAtOnce(options));
    const { claimed, next } = await store.claimWaiting({ queue, most, exceptCallers }, options.lease());
    for (const generation of claimed) {
      const turn = turns.shift();
      clock.started(queue, generation.tag ?? head.tag);
      options.start(generation, turn && { target: queue, images: head.images, turn });
    }
    return { next, onlyBusy: next === undefined && exceptCallers.length > 0 };
  } finally {
    for (const turn of turns) turn.giveBack();
  }
}

/** What is first in the queue, without taking anything. */
async function firstOf(queue: string, options: FeederOptions): Promise<First> {
  const exceptCallers = options.busyCallers();
  const wanted = { queue, most: 1, exceptCallers, beforeTag: LOWEST_TAG };
  const { next } = await options.store.claimWaiting(wanted, options.lease());
  return { next, onlyBusy: next === undefined && exceptCallers.length > 0 };
}

/** However the callers of what is claimed fall out, none of them gets more than it may run. */
function mostAtOnce({ roomPerCaller }: FeederOptions): number {
  return Math.max(1, Math.min(MAX_AT_ONCE, roomPerCaller?.() ?? MAX_AT_ONCE));
}

function pause({ io }: Pick<FeederOptions, 'io'>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = io.timer(io.now() + PAUSE_MS, end);
    function end() {
      stop();
      signal.removeEventListener('abort', end);
      resolve();
    }
    signal.addEventListener('abort', end, { once: true });
  });
}

function lower(a: QueueHead | undefined, b: QueueHead | undefined): QueueHead | undefined {
  return a === undefined || (b !== undefined && b.tag < a.tag) ? b : a;
}

/** Another node put it there: what it is shows in the store. */
const ANYTHING: QueueHead = { tag: 0, images: 1 };
/** Tags begin here, so nothing is before it. */
const LOWEST_TAG = 0;

async function takeTurns(queue: string, head: QueueHead, options: FeederOptions, signal: AbortSignal) {
  const keys = options.credentials(queue);
  // A target that left the configuration gives no turns; its runs end with the reason.
  if (keys === undefined) return [NO_TURN];
  const request = { target: queue, credentials: () => keys, claim: { images: head.images } };
  const ticket = { caller: '', tag: head.tag };
  return [...(await options.pacer.take({ ...request, ticket, most: mostAtOnce(options), signal }))];
}

const NO_TURN: FirstTurn['turn'] = {
  credential: '',
  sent: () => {},
  observe: () => {},
  settle: () => {},
  giveBack: () => {},
};
