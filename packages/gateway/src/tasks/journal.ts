import { randomBytes } from 'node:crypto';
import {
  type Asset,
  billed,
  costOf,
  type Event,
  foldGeneration,
  httpAnswer,
  type Journal,
  type Outcome,
} from '@onetake/core';
import type { AssetRow, Store, Summary } from '../store/store.ts';
import type { Live } from './live.ts';

/** The journal of one run of a generation: durable under the worker's lease before anybody in the process sees it. */
export function storedJournal(store: Store, live: Live, run: number, worker: string): Journal {
  const events = live.journals[run] ?? [];
  return {
    events,
    async append(added) {
      const fence = { generation: live.id, run, length: events.length, worker };
      live.pledge(run, added);
      await store.append(fence, added, summaryWith(live, added));
      live.record(run, added);
    },
  };
}

/** The summary that belongs to these events: there is one when they finish the last open run, durable or on its way. */
function summaryWith(live: Live, added: readonly Event[]): Summary | undefined {
  if (!added.some((event) => event.type === 'finished')) return undefined;
  const generation = foldGeneration(live.pledged);
  const { outcome } = generation;
  if (outcome === undefined) return undefined;
  const cost = costOf(live.plan, generation);
  const target = generation.targets[0];
  const finishedAt = Math.max(...generation.runs.map((one) => one.finishedAt ?? 0));
  const status = statusOf(outcome);
  const type = `task.${status}`;
  return {
    status,
    finishedAt,
    billed: outcome.ok ? (cost.possibleCharges > 0 ? 'maybe' : 'yes') : billed(outcome.failure),
    assets: picturesOf(live.pledged).map(assetRow),
    ...(!outcome.ok && { code: httpAnswer(outcome.failure).code }),
    ...(target !== undefined && { target }),
    ...(cost.usd !== undefined && { costUsd: cost.usd }),
    ...(cost.possibleUsd !== undefined && { possibleUsd: cost.possibleUsd }),
    ...(live.webhook?.events.includes(type) && { webhook: { id: webhookId(), type, at: finishedAt } }),
  };
}

export function statusOf(outcome: Outcome): Summary['status'] {
  if (outcome.ok) return 'completed';
  return outcome.failure.kind === 'canceled' ? 'canceled' : 'failed';
}

/** Unique, so that a receiver knows a repeat. */
export function webhookId(): string {
  return `msg_${randomBytes(16).toString('hex')}`;
}

/** Every picture the journals speak of, previews too: what retention must keep as long as the generation. */
function picturesOf(journals: readonly (readonly Event[])[]): readonly Asset[] {
  return journals.flat().flatMap((event) => {
    if (event.type === 'partial-sent') return [event.asset];
    return event.type === 'finished' && event.outcome.ok ? event.outcome.images.map((image) => image.asset) : [];
  });
}

export function assetRow({ hash, type, bytes }: Asset): AssetRow {
  return { hash, type, bytes };
}
