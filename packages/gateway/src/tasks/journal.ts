import { randomBytes } from 'node:crypto';
import {
  type Asset,
  billed,
  type Cost,
  costOf,
  type Event,
  foldGeneration,
  type Io,
  isChatPlan,
  type Journal,
  ledgerOf,
  type Outcome,
} from '@onetake/core';
import { answersFor } from '../failure-answers.ts';
import type { DeliveredPicture } from '../store/browsing.ts';
import { isAway, StoreUnavailableError } from '../store/errors.ts';
import type { AnyPlan } from '../store/plan-kind.ts';
import { type AssetRow, type Fence, LostRunError, type Store, type Summary, type Webhook } from '../store/store.ts';
import type { Beat } from './beat.ts';
import type { Live } from './live.ts';
import type { AnyLive } from './running.ts';

/** The journal of one run of a generation: durable under the worker's lease before anybody in the process sees it. */
export function storedJournal(
  live: Live,
  run: number,
  worker: string,
  { store, io }: { readonly store: Store; readonly io: Pick<Io, 'now' | 'timer'> },
): Journal {
  const events = live.journals[run] ?? [];
  const write = async (added: readonly Event[]): Promise<void> => {
    const fence = { generation: live.id, run, length: events.length, worker };
    const summary = summaryWith(live, run, added);
    const append = () => store.append(fence, added, summary);
    await (added.some(isPaidFor) ? patiently(append, () => isWritten(store, fence, added), io) : append());
    live.record(run, added);
  };
  return {
    events,
    append: (added) => (added.some(({ type }) => type === 'finished') ? live.inTurn(() => write(added)) : write(added)),
  };
}

/** What was or may have been charged, or is a picture, and cannot be had again. */
function isPaidFor(event: Event): boolean {
  if (event.type === 'handle-received') return true;
  return event.type === 'attempt-ended' && (event.outcome.ok || billed(event.outcome.failure) !== 'no');
}

/** A database that starts again, or fails over, is back by then. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 250;

/** Tries again while the store is away. It may have done what it did not answer: then the fence refuses the next try. */
async function patiently(
  append: () => Promise<void>,
  wasWritten: () => Promise<boolean>,
  io: Pick<Io, 'now' | 'timer'>,
): Promise<void> {
  const until = io.now() + PATIENCE_MS;
  for (let isUnsure = false; ; ) {
    try {
      return await append();
    } catch (error) {
      if (error instanceof LostRunError && isUnsure && (await wasWritten())) return;
      if (!isAway(error) || io.now() >= until) throw error;
      isUnsure ||= error instanceof StoreUnavailableError && error.maybeDone;
    }
    await new Promise<void>((resolve) => io.timer(io.now() + PAUSE_MS, resolve));
  }
}

async function isWritten(
  store: Pick<Store, 'read'>,
  { generation, run, length }: Fence,
  added: readonly Event[],
): Promise<boolean> {
  const stored = await store.read(generation);
  const tail = stored?.journals[run]?.slice(length, length + added.length);
  return JSON.stringify(tail) === JSON.stringify(added);
}

/**
 * The journal of a run that is not taken up again: what happens counts at once, and is written behind, in order and with
 * what others write at the same beat. `settled` resolves when all that was appended is durable or given up, which
 * `onError` is told of once.
 */
export function journalBehind(
  live: AnyLive,
  worker: string,
  parts: {
    readonly store: Pick<Store, 'append' | 'read'>;
    readonly io: Pick<Io, 'now' | 'timer'>;
    readonly beat: Beat;
    readonly onError: (error: unknown) => void;
    /** Money is held for it: that an attempt begins is durable before it does, or a crash would give the money back. */
    readonly startsDurably?: boolean;
  },
): Journal & { settled(): Promise<void> } {
  const { store, io, beat, onError, startsDurably = false } = parts;
  const events = live.journals[0] ?? [];
  let durable = events.length;
  let writing: Promise<void> | undefined;
  let isGivenUp = false;
  const write = async (): Promise<void> => {
    while (durable < events.length && !isGivenUp) {
      if (!startsDurably || !events.slice(durable).some(isStart)) await beat.next();
      const fence = { generation: live.id, run: 0, length: durable, worker };
      const added = events.slice(durable);
      const summary = added.some(({ type }) => type === 'finished') ? summaryOf(live, live.journals) : undefined;
      await patiently(
        () => store.append(fence, added, summary),
        () => isWritten(store, fence, added),
        io,
      );
      durable += added.length;
    }
  };
  const begin = (): Promise<void> =>
    write()
      .catch((error: unknown) => {
        isGivenUp = true;
        onError(error);
      })
      .finally(() => {
        // What was appended since the last look began nothing of its own.
        writing = durable < events.length && !isGivenUp ? begin() : undefined;
      });
  return {
    events,
    async append(added) {
      live.record(0, added);
      if (!isGivenUp) writing ??= begin();
      if (!startsDurably || !added.some(isStart)) return;
      while (writing) await writing;
      if (isGivenUp) throw new Error('that an attempt begins could not be written, so it was not made');
    },
    async settled() {
      while (writing) await writing;
    },
  };
}

function isStart({ type }: Event): boolean {
  return type === 'attempt-started';
}

/** The summary that belongs to these events: there is one when they finish the last open run. */
function summaryWith(live: Live, run: number, added: readonly Event[]): Summary | undefined {
  if (!added.some((event) => event.type === 'finished')) return undefined;
  return summaryOf(
    live,
    live.journals.map((events, index) => (index === run ? [...events, ...added] : events)),
  );
}

/** What lists and bills read of a generation; undefined while a run of it is open. */
export function summaryOf(
  { plan, webhook }: { readonly plan: AnyPlan; readonly webhook?: Webhook },
  journals: readonly (readonly Event[])[],
): Summary | undefined {
  const generation = foldGeneration(journals);
  const { outcome } = generation;
  if (outcome === undefined) return undefined;
  const cost = costOf(plan, generation);
  const target = generation.targets[0];
  const finishedAt = Math.max(...generation.runs.map((one) => one.finishedAt ?? 0));
  const status = statusOf(outcome);
  const type = `task.${status}`;
  return {
    status,
    finishedAt,
    billed: billedOf(outcome, cost),
    lines: ledgerOf(plan, generation),
    assets: picturesOf(journals).map(assetRow),
    ...(outcome.ok && !isChatPlan(plan) && { pictures: outcome.images.map(({ asset }) => deliveredPicture(asset)) }),
    ...(!outcome.ok && { code: answersFor(plan).answer(outcome.failure).code }),
    ...(target !== undefined && { target }),
    ...(cost.usd !== undefined && { costUsd: cost.usd }),
    ...(cost.possibleUsd !== undefined && { possibleUsd: cost.possibleUsd }),
    ...(webhook?.events.includes(type) && { webhook: { id: webhookId(), type, at: finishedAt } }),
  };
}

/** By every attempt, not by the last one alone: what is in doubt can be settled. */
function billedOf(outcome: Outcome, { possibleCharges }: Cost): Summary['billed'] {
  if (possibleCharges > 0) return 'maybe';
  return outcome.ok ? 'yes' : billed(outcome.failure);
}

export function statusOf(outcome: Outcome): Summary['status'] {
  if (outcome.ok) return 'completed';
  return outcome.failure.kind === 'canceled' ? 'canceled' : 'failed';
}

/** Unique, so that a receiver knows a repeat. */
export function webhookId(): string {
  return `msg_${randomBytes(16).toString('hex')}`;
}

/** Every picture the journals speak of, previews, converted masks, doubted and converted ones too: what retention must keep as long as the generation. */
function picturesOf(journals: readonly (readonly Event[])[]): readonly Asset[] {
  const pictures = journals.flat().flatMap((event) => {
    if (event.type === 'partial-sent' || event.type === 'mask-converted') return [event.asset];
    const isEnd = event.type === 'finished' || event.type === 'attempt-ended';
    return isEnd && event.outcome.ok
      ? event.outcome.images.flatMap(({ asset, original }) => (original ? [asset, original] : [asset]))
      : [];
  });
  return [...new Map(pictures.map((asset) => [`${asset.hash}.${asset.type}`, asset])).values()];
}

export function assetRow({ hash, type, bytes }: Asset): AssetRow {
  return { hash, type, bytes };
}

function deliveredPicture(asset: Asset): DeliveredPicture {
  const { width, height } = asset;
  return { ...assetRow(asset), width, height };
}
