import type { Asset, Cost, Io } from '@onetake/core';
import type { CandidateSet, CandidateSets, Judged } from './sets.ts';
import type { Vision } from './vision.ts';

/** What there is to choose from in a set that is whole. */
export interface Choice {
  readonly prompt: string;
  /** The good ones; `index` from 1. */
  readonly pictures: readonly { readonly index: number; readonly asset: Asset }[];
  /** When the last candidate ended (epoch ms). */
  readonly endedAt: number;
}

export interface RankingOptions {
  readonly vision: Vision;
  readonly sets: Pick<CandidateSets, 'read' | 'change'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** The set could not be read or written, or the model has not judged. */
  readonly onError: (error: unknown) => void;
}

/** What a chat model thinks of the pictures of a set: asked once, and kept with the set. */
export interface Ranking {
  /**
   * Undefined where nobody is to be asked, nor was; never rejects. `until` bounds the wait (epoch ms). A set is asked
   * about once in its life, whatever came of it: a restart, another node and a second reader find what is kept.
   */
  of(set: CandidateSet, choice: Choice, until?: number): Promise<Judged | undefined>;
}

/** With less time left nobody is asked: the answer would be paid for and come too late. */
const MIN_TIME_MS = 1_000;
/** Who looks at older sets, perhaps at all of them, does not want to pay for it. */
const MAX_AGE_MS = 86_400_000;
const LOOK_EVERY_MS = 250;
/** Pictures are made smaller first. */
const SHOWING_MS = 5_000;

export function createRanking(options: RankingOptions): Ranking {
  const { vision, sets, io, onError } = options;
  const asking = new Map<string, Promise<Judged | undefined>>();

  async function askOnce(set: CandidateSet, { prompt, pictures }: Choice, timeoutMs: number) {
    const at = io.now();
    const until = at + timeoutMs + SHOWING_MS;
    let isOurs = false;
    // Claimed before it is sent, so that no other node and no later process pays for it again.
    const claimed = await sets.change(set.id, set.caller, (stored) => {
      isOurs = stored.judged === undefined;
      return isOurs ? { ...stored, judged: { state: 'asked', by: vision.model, at, until } } : stored;
    });
    if (!isOurs) return claimed?.judged && settled(set, claimed.judged);
    const shown = pictures.map(({ asset }) => asset);
    const told = await vision.score({ caller: set.caller, set: set.id, prompt, pictures: shown, timeoutMs });
    if (!told.ok) onError(new Error(`${vision.model} has not judged ${set.id}: ${told.why}`));
    const spent = { ...(told.generation && { generation: told.generation }), ...priceOf(told.cost) };
    const known = { by: vision.model, at: io.now(), ...spent };
    const judged: Judged = told.ok
      ? { ...known, state: 'scored', scores: pictures.map(({ index }, place) => [index, told.scores[place] ?? 0]) }
      : { ...known, state: 'failed', why: told.why };
    await sets.change(set.id, set.caller, (stored) => ({ ...stored, judged })).catch(onError);
    return judged;
  }

  /** What somebody else asks is waited for; who asked and is gone never answers. */
  async function settled(set: CandidateSet, first: Judged): Promise<Judged | undefined> {
    let judged: Judged | undefined = first;
    while (judged?.state === 'asked' && io.now() < judged.until) {
      await new Promise<void>((resolve) => io.timer(io.now() + LOOK_EVERY_MS, resolve));
      judged = (await sets.read(set.id, set.caller))?.judged;
    }
    if (judged?.state !== 'asked') return judged;
    return { ...judged, state: 'failed', why: 'the gateway ended before it answered' };
  }

  return {
    async of(set, choice, until = Number.POSITIVE_INFINITY) {
      if (set.pick !== 'best' || choice.pictures.length < 2) return undefined;
      if (set.judged && set.judged.state !== 'asked') return set.judged;
      const timeoutMs = Math.min(vision.timeoutMs, until - io.now() - MIN_TIME_MS);
      if (timeoutMs < MIN_TIME_MS || choice.endedAt <= io.now() - MAX_AGE_MS) return undefined;
      const known = asking.get(set.id);
      if (known) return within(known, until, io);
      const begun = askOnce(set, choice, timeoutMs).catch((error): undefined => {
        onError(error);
      });
      asking.set(set.id, begun);
      return within(
        begun.finally(() => asking.delete(set.id)),
        until,
        io,
      );
    },
  };
}

/** Undefined where it takes longer than this reader has; the question goes on for the others. */
async function within<Value>(
  promise: Promise<Value>,
  until: number,
  io: RankingOptions['io'],
): Promise<Value | undefined> {
  if (until === Number.POSITIVE_INFINITY) return promise;
  let stop = () => {};
  const late = new Promise<undefined>((resolve) => {
    stop = io.timer(until, () => resolve(undefined));
  });
  return Promise.race([promise, late]).finally(() => stop());
}

function priceOf(cost: Cost | undefined): Pick<Judged, 'costUsd'> {
  return cost?.usd === undefined ? {} : { costUsd: cost.usd };
}
