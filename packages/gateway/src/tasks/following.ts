import { foldGeneration, type Io } from '@onetake/core';
import type { AnyPlan } from '../store/plan-kind.ts';
import type { Store, StoredGeneration } from '../store/store.ts';
import { statusOf } from './journal.ts';
import type { AnyLive, Running } from './running.ts';

/** A generation as it stands, wherever it runs: what is durable of it now. */
export type Snapshot<Made extends AnyPlan = AnyPlan> = StoredGeneration<Made>;

/** One generation watched until it is finished; it may run here, on another node, or wait. */
export interface Followed {
  readonly snapshot: () => Snapshot;
  /** Calls back after every change of the snapshot; returns the unsubscribe function. */
  onChange(callback: () => void): () => void;
  /** Whoever follows owes this. */
  close(): void;
}

/** Undefined when there is none of this id, or it is another caller's; without a caller anybody's is followed. */
export type Follow = (id: string, caller: string | undefined) => Promise<Followed | undefined>;

export interface FollowOptions {
  readonly store: Pick<Store, 'read' | 'onChange'>;
  readonly running: Pick<Running, 'live' | 'onStart'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
}

/** What another node does shows in the store alone, and it need not say so. */
const LOOK_EVERY_MS = 1_000;

/** Follows a generation by its journal here, or by looking into the store. */
export function createFollow(options: FollowOptions): Follow {
  return async (id, caller) => {
    const first = await options.store.read(id);
    const isSeen = first && (caller === undefined || first.caller === caller);
    return isSeen ? followFrom(first, options) : undefined;
  };
}

function followFrom(first: Snapshot, { store, running, io }: FollowOptions): Followed {
  const { id } = first;
  const callbacks = new Set<() => void>();
  const closing = new AbortController();
  let snapshot = first;
  let stopWatching = () => {};

  const change = (next: Snapshot) => {
    snapshot = next;
    for (const callback of [...callbacks]) callback();
  };
  const attend = (live: AnyLive) => {
    stopWatching();
    stopWatching = live.watch(() => change(asItRuns(snapshot, live)));
  };
  const look = async () => {
    const next = await store.read(id).catch(() => undefined);
    // What runs here is told by its own journal, which is ahead of any look.
    if (closing.signal.aborted || next === undefined || running.live(id) || isOver(snapshot)) return;
    if (isNewer(next, snapshot)) change(next);
  };
  const live = running.live(id);
  if (live) {
    attend(live);
    snapshot = asItRuns(snapshot, live);
  }
  const stops = [
    running.onStart((started) => started.id === id && attend(started)),
    store.onChange((told) => told.kind === 'finished' && told.id === id && void look()),
    repeatedly(LOOK_EVERY_MS, io, () => !isOver(snapshot) && void look()),
    () => stopWatching(),
  ];
  return {
    snapshot: () => snapshot,
    onChange: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    close: () => {
      closing.abort();
      callbacks.clear();
      for (const stop of stops) stop();
    },
  };
}

function repeatedly(everyMs: number, io: Pick<Io, 'now' | 'timer'>, work: () => void): () => void {
  let stop = () => {};
  const later = () => {
    stop = io.timer(io.now() + everyMs, () => {
      work();
      later();
    });
  };
  later();
  return () => stop();
}

export function isOver({ status }: Snapshot): boolean {
  return status !== 'pending' && status !== 'processing';
}

function isNewer(next: Snapshot, known: Snapshot): boolean {
  return next.status !== known.status || eventsIn(next) > eventsIn(known);
}

function eventsIn({ journals }: Snapshot): number {
  return journals.reduce((sum, events) => sum + events.length, 0);
}

/** The row with what this process knows beyond it. */
function asItRuns({ place: _, ...row }: Snapshot, live: AnyLive): Snapshot {
  const { outcome, runs } = foldGeneration(live.journals);
  const journals = live.journals.map((events) => [...events]);
  if (outcome === undefined) return { ...row, status: 'processing', journals };
  const finishedAt = Math.max(...runs.map((one) => one.finishedAt ?? 0));
  return { ...row, status: statusOf(outcome), finishedAt, journals };
}
