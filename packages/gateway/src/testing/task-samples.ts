import type { Asset, Event, Failure, GeneratedImage, Outcome, Plan } from '@onetake/core';
import { samplePlan } from '../store/contract/samples.ts';
import { type Followed, isOver, type Snapshot } from '../tasks/following.ts';
import type { Cancellation, Tasks } from '../tasks/tasks.ts';

export const SAMPLE_TARGET = 'sandbox/ok';

/** Created at 1,000 as `gen_1` by `local`; it waits for its turn. */
export function sampleSnapshot(change: Partial<Snapshot<Plan>> = {}): Snapshot<Plan> {
  const target = {
    id: SAMPLE_TARGET,
    provider: 'sandbox',
    model: 'ok',
    credential: 'sandbox',
    streams: false,
    maxImagesPerCall: 1,
    firstByteMs: 300_000,
    price: { perImageUsd: 0.04 },
  };
  return {
    id: 'gen_1',
    caller: 'local',
    endpoint: '/v1/tasks',
    route: 'image-best',
    prompt: 'a red fox',
    status: 'pending',
    createdAt: 1_000,
    fingerprint: 'f',
    requestId: 'req_1',
    plan: { ...samplePlan(), targets: [target] },
    task: true,
    journals: [[]],
    ...change,
  };
}

export function sampleImage(letter = 'a'): GeneratedImage {
  const asset: Asset = {
    hash: letter.repeat(64),
    type: 'png',
    bytes: 3,
    width: 64,
    height: 48,
    alpha: false,
    animated: false,
  };
  return { asset, seed: 7, revisedPrompt: 'a redder fox' };
}

export function startedEvent(at = 1_500, attempt = 1): Event {
  return { type: 'attempt-started', at, attempt, target: SAMPLE_TARGET };
}

export function progressEvent(progress: number, at = 1_600): Event {
  return { type: 'polled', at, attempt: 1, pollAt: at + 1_000, progress };
}

export function endEvents(outcome: Outcome, at = 2_000): readonly Event[] {
  return [
    { type: 'attempt-ended', at, attempt: 1, outcome },
    { type: 'finished', at, outcome },
  ];
}

export function completedSnapshot(): Snapshot<Plan> {
  const outcome = { ok: true, images: [sampleImage()], usage: { total_tokens: 8 } } as const;
  const journals = [[startedEvent(), ...endEvents(outcome)]];
  return sampleSnapshot({ status: 'completed', finishedAt: 2_000, billed: 'yes', journals });
}

export function failedSnapshot(failure: Failure, status: 'failed' | 'canceled' = 'failed'): Snapshot<Plan> {
  const journals = [[startedEvent(), ...endEvents({ ok: false, failure })]];
  return sampleSnapshot({ status, finishedAt: 2_000, journals });
}

/** One task that tests change by hand, and who follows it sees the change. */
export interface FakeTasks extends Tasks {
  change(next: Partial<Snapshot>): void;
  /** How many follow it now. */
  following(): number;
  /** What a cancellation from here on ends in, and what it leaves. */
  cancelsAs(cancellation: Cancellation, left: Snapshot): void;
  /** Ids whose cancellation was asked. */
  readonly canceled: readonly string[];
}

export function createFakeTasks(first: Snapshot): FakeTasks {
  const callbacks = new Set<() => void>();
  const canceled: string[] = [];
  let snapshot = first;
  let following = 0;
  let ending: { readonly cancellation: Cancellation; readonly left?: Snapshot } = { cancellation: { kind: 'asked' } };
  const isKnown = (id: string, caller: string | undefined) =>
    id === snapshot.id && (caller === undefined || caller === snapshot.caller);

  const change = (next: Partial<Snapshot>) => {
    snapshot = { ...snapshot, ...next };
    for (const callback of [...callbacks]) callback();
  };
  const follow = async (id: string, caller: string | undefined): Promise<Followed | undefined> => {
    if (!isKnown(id, caller)) return undefined;
    following += 1;
    return {
      snapshot: () => snapshot,
      onChange: (callback) => {
        callbacks.add(callback);
        return () => callbacks.delete(callback);
      },
      close: () => {
        following -= 1;
      },
    };
  };
  return {
    follow,
    read: async (id, caller) => (isKnown(id, caller) ? snapshot : undefined),
    position: async ({ status }) => (status === 'pending' ? { position: 3, etaMs: 7_200.4 } : undefined),
    cancel: async (id, caller) => {
      if (!isKnown(id, caller)) return { kind: 'unknown' };
      canceled.push(id);
      if (isOver(snapshot)) return { kind: 'finished' };
      if (ending.left) change(ending.left);
      return ending.cancellation;
    },
    withdraw: async (id) => {
      if (id !== snapshot.id || snapshot.status !== 'pending') return false;
      change({ status: 'canceled', finishedAt: 2_000 });
      return true;
    },
    change,
    following: () => following,
    cancelsAs: (cancellation, left) => {
      ending = { cancellation, left };
    },
    canceled,
  };
}
