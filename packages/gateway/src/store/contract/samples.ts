import type { Event, LedgerLine, Plan } from '@onetake/core';
import type { DeliveredPicture } from '../browsing.ts';
import type { Hold, Window } from '../ledger.ts';
import type { AssetRow, Fence, Lease, NewGeneration, Place, Store, Summary, Webhook, WebhookEvent } from '../store.ts';

export const WORKER = 'worker-a';
export const LEASE: Lease = { worker: WORKER, until: 100 };
export const PLACE: Place = { queue: 'q', tag: 1, cost: 10, priority: 'interactive', images: 1, deadlineAt: 9_000 };
export const WEBHOOK: Webhook = { url: 'https://hooks.test/a', events: ['task.completed', 'task.failed'] };

export function samplePlan(prompt = 'a red fox'): Plan {
  return {
    request: { operation: 'generate', prompt, n: 1 },
    route: 'image-best',
    targets: [],
    policy: {
      payment: 'standard',
      maxPaidAttempts: 1,
      fallback: true,
      retry: {
        maxFreeAttempts: 5,
        maxFreeAttemptsBeforeFallback: 2,
        maxPaidAttemptsBeforeFallback: 2,
        notSentDelayMs: 50,
        throttledDelayMs: 1_000,
        overloadedDelayMs: 2_000,
        maxDelayMs: 30_000,
        maxWaitBeforeFallbackMs: 5_000,
      },
      timeout: { connectMs: 10_000, idleMs: 60_000, totalMs: 600_000, harvestMs: 600_000 },
    },
    createdAt: 1_000,
    deadlineAt: 601_000,
  };
}

/** A generation of one run, leased by `WORKER` until 100, created at 10. */
export function sampleGeneration(id: string, change: Partial<NewGeneration> = {}): NewGeneration {
  return {
    id,
    caller: 'local',
    endpoint: '/v1/images/generations',
    fingerprint: `fingerprint of ${id}`,
    requestId: `request of ${id}`,
    plan: samplePlan(),
    runs: 1,
    createdAt: 10,
    begin: { lease: LEASE },
    assets: [],
    ...change,
  };
}

/** A task that waits in the queue `q` with this tag and a cost of 10 until 9,000. */
export function sampleWaiting(
  id: string,
  tag: number,
  place: Partial<Place> = {},
  change: Partial<NewGeneration> = {},
): NewGeneration {
  const begin = { place: { ...PLACE, tag, ...place } };
  return sampleGeneration(id, { begin, task: true, ...change });
}

export function sampleEvent(id: string, change: Partial<WebhookEvent> = {}): WebhookEvent {
  return { id, type: 'task.completed', at: 50, ...change };
}

export function sampleFence(generation: string, length: number, change: Partial<Fence> = {}): Fence {
  return { generation, run: 0, length, worker: WORKER, ...change };
}

export function sampleSummary(change: Partial<Summary> = {}): Summary {
  return { status: 'completed', finishedAt: 50, billed: 'yes', assets: [], ...change };
}

export function sampleAsset(letter: string, bytes: number): AssetRow {
  return { hash: letter.repeat(64), type: 'png', bytes };
}

/** The same as a picture that was handed over, 64 by 48 pixels. */
export function samplePicture(letter: string, bytes = 10): DeliveredPicture {
  return { ...sampleAsset(letter, bytes), width: 64, height: 48 };
}

/** One attempt that made a picture for 40,000 millionths of a dollar, begun at 21. */
export function sampleLine(change: Partial<LedgerLine> = {}): LedgerLine {
  return {
    ...{ run: 0, attempt: 1, startedAt: 21, endedAt: 40, target: 'sandbox/fast', role: 'first', images: 1 },
    ...{ spentMicroUsd: 40_000, possibleMicroUsd: 0, possibleImages: 0, priced: 'table@2026-11-01' },
    ...change,
  };
}

/** What such an attempt is whose end nobody knows. */
export function doubtfulLine(change: Partial<LedgerLine> = {}): LedgerLine {
  const failure = { kind: 'timeout', certainty: 'ambiguous', code: 'outcome_unknown', message: 'no answer' } as const;
  return sampleLine({
    images: 0,
    spentMicroUsd: 0,
    possibleMicroUsd: 40_000,
    possibleImages: 1,
    ...failure,
    ...change,
  });
}

export const DAY: Window = { name: 'budget day 1', unit: 'micro_usd', since: 0, until: 1_000 };

/** A hold of the generation's first run at 20: 50,000 of the 100,000 millionths of its day. */
export function sampleHold(generation: string, change: Partial<Hold> = {}): Hold {
  const bounds = [{ ...DAY, most: 100_000 }];
  return { generation, run: 0, caller: 'local', at: 20, microUsd: 50_000, images: 1, bounds, ...change };
}

export function started(attempt: number): Event {
  return { type: 'attempt-started', at: 20 + attempt, attempt, target: 'sandbox/fast' };
}

export function ids(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map((row) => row.id);
}

/** Creates a generation and finishes it with these assets. */
export async function createFinished(store: Store, generation: NewGeneration, summary: Partial<Summary> = {}) {
  await store.create(generation);
  await store.append(sampleFence(generation.id, 0), [started(1)], sampleSummary(summary));
}
