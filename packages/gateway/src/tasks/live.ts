import { type Event, type Failure, foldGeneration, type Generation, type Plan, type Presence } from '@onetake/core';
import type { AnyPlan } from '../store/plan-kind.ts';
import type { Webhook } from '../store/store.ts';

/** A generation this process works on: its journals in memory, who waits for it, and how to end it. */
export interface Live<Made extends AnyPlan = Plan> {
  readonly id: string;
  readonly caller: string;
  readonly fingerprint: string;
  readonly requestId: string;
  readonly plan: Made;
  readonly webhook?: Webhook;
  readonly journals: readonly (readonly Event[])[];
  readonly presence: () => Presence;
  readonly onPresence: (callback: () => void) => () => void;
  readonly cancelSignal: AbortSignal;
  /** Aborted, with the failure to tell as its reason, when this process will not see the end. */
  readonly brokenSignal: AbortSignal;
  /** Writes one end of a run after the other: the last sees that all the others are durable. */
  readonly inTurn: (write: () => Promise<void>) => Promise<void>;
  /** Adds events that are durable now and tells the watchers. */
  record(run: number, events: readonly Event[]): void;
  watch(watcher: (event: Event) => void): () => void;
  /** Somebody waits from here on; each join is followed by one `leave`. */
  join(): void;
  /** `cancel`: whoever leaves last, asking for it, ends the run. */
  leave(options?: { readonly cancel: boolean }): void;
  breakOff(failure: Failure): void;
  /** Ends the run, whoever waits for it. */
  cancel(): void;
  /** The provider of an open job says that it has news. */
  tellNews(): void;
  readonly onNews: (callback: () => void) => () => void;
}

export interface LiveOptions<Made extends AnyPlan = Plan> {
  readonly id: string;
  readonly caller: string;
  readonly fingerprint: string;
  readonly requestId: string;
  readonly plan: Made;
  readonly webhook?: Webhook;
  readonly journals: readonly (readonly Event[])[];
  /** Whether a caller waits from the start: then it owes the first `leave`. */
  readonly joined: boolean;
  readonly unsentGraceMs: number;
  readonly now: () => number;
}

export function createLive<Made extends AnyPlan>(options: LiveOptions<Made>): Live<Made> {
  const { unsentGraceMs, now, joined, journals: told, ...identity } = options;
  const journals = told.map((events) => [...events]);
  let lastWrite = Promise.resolve();
  const watchers = new Set<(event: Event) => void>();
  const presenceWatchers = new Set<() => void>();
  const newsWatchers = new Set<() => void>();
  const cancellation = new AbortController();
  const breakage = new AbortController();
  let waiting = joined ? 1 : 0;
  let absentSince = joined ? undefined : now();

  function arrivalsChanged(change: 1 | -1): void {
    waiting += change;
    absentSince = waiting > 0 ? undefined : now();
    for (const callback of [...presenceWatchers]) callback();
  }

  return {
    ...identity,
    journals,
    presence: () => (absentSince === undefined ? { unsentGraceMs } : { absentSince, unsentGraceMs }),
    onPresence: (callback) => subscribe(presenceWatchers, callback),
    cancelSignal: cancellation.signal,
    brokenSignal: breakage.signal,
    inTurn(write) {
      const written = lastWrite.then(write);
      lastWrite = written.catch(() => {});
      return written;
    },
    record(run, events) {
      journals[run]?.push(...events);
      for (const event of events) for (const watcher of [...watchers]) watcher(event);
    },
    watch: (watcher) => subscribe(watchers, watcher),
    join: () => arrivalsChanged(1),
    leave(options) {
      arrivalsChanged(-1);
      if (options?.cancel && absentSince !== undefined) cancellation.abort();
    },
    breakOff: (failure) => breakage.abort(failure),
    cancel: () => cancellation.abort(),
    tellNews: () => {
      for (const callback of [...newsWatchers]) callback();
    },
    onNews: (callback) => subscribe(newsWatchers, callback),
  };
}

function subscribe<Callback>(callbacks: Set<Callback>, callback: Callback): () => void {
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}

/** What a caller can be told now: the end, or, when every run is finished or past its clock, how far it came. */
export function tellable(
  live: Pick<Live, 'journals'>,
): { generation: Generation; overdue: Failure | undefined } | undefined {
  const generation = foldGeneration(live.journals);
  if (generation.outcome) return { generation, overdue: undefined };
  const open = generation.runs.filter((run) => run.finished === undefined);
  const overdue = open.map((run) => run.attempts.at(-1)?.overdue);
  const [first] = overdue;
  return first && overdue.every((failure) => failure !== undefined) ? { generation, overdue: first } : undefined;
}
