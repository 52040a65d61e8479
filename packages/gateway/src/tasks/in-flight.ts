import type { Io } from '@onetake/core';
import type { CacheEntry } from '../store/cache.ts';
import type { PictureCache } from '../store/store.ts';

/** A request that takes part in the cache, and what it would begin. */
export interface CachedRequest {
  /** Of what it asks, at the target it would go to. */
  readonly key: string;
  /** Of those that one generation may answer. */
  readonly share: string;
  /** The id its generation will have. */
  readonly generation: string;
  /** After this nobody waits for that generation any more (epoch ms). */
  readonly until: number;
}

export interface Ways<Begun, Found> {
  /** Begins the generation under its id; `isBegun` says of the answer whether there is one now. */
  begin(): Promise<Begun>;
  isBegun(begun: Begun): boolean;
  /**
   * Joins a generation by its id, wherever it runs. `gone` is one that does not exist (yet, or any more) or that ended
   * without a picture; `busy` is one that exists and cannot be joined now.
   */
  follow(generation: string): Promise<Found | 'gone' | 'busy'>;
}

export type Answered<Begun, Found> =
  | { readonly kind: 'hit'; readonly entry: CacheEntry }
  | { readonly kind: 'begun'; readonly begun: Begun }
  | { readonly kind: 'shared'; readonly found: Found }
  /** Somebody makes it and cannot be joined; beginning another would pay twice. */
  | { readonly kind: 'busy' };

export interface InFlightOptions {
  readonly store: Pick<PictureCache, 'cacheClaim' | 'cacheRelease'>;
  readonly lookup: (key: string) => Promise<CacheEntry | undefined>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly onError: (error: unknown) => void;
}

/** Between its claim and its first row in the store no generation takes so long, unless its node died. */
const STARTING_MS = 10_000;
const PAUSE_MS = 100;
const MAX_WAIT_MS = 15_000;

/**
 * Answers a request from the cache, from the generation that makes the same just now, or by a generation of its own,
 * for which it claims the key first. The claim stands in the store, so that it holds among nodes and over a restart;
 * whether somebody still works on it is known from the generation itself.
 */
export async function answerOnce<Begun, Found>(
  request: CachedRequest,
  { begin, isBegun, follow }: Ways<Begun, Found>,
  { store, lookup, io, onError }: InFlightOptions,
): Promise<Answered<Begun, Found>> {
  const { key, share, generation, until } = request;
  const giveUpAt = io.now() + MAX_WAIT_MS;
  let from: string | undefined;
  do {
    const entry = await lookup(key);
    if (entry) return { kind: 'hit', entry };
    const claim = { key: share, generation, until };
    // Without the store's word it goes alone: what it begins is written there, or not begun.
    const alone = (error: unknown) => {
      onError(error);
      return { generation, since: io.now() };
    };
    const holder = await store.cacheClaim(claim, io.now(), from).catch(alone);
    if (holder.generation === generation) return beginClaimed();
    const found = await follow(holder.generation);
    if (found !== 'gone' && found !== 'busy') return { kind: 'shared', found };
    const isStarting = io.now() - holder.since < STARTING_MS;
    from = found === 'gone' && !isStarting ? holder.generation : undefined;
    if (from === undefined) await new Promise<void>((resolve) => io.timer(io.now() + PAUSE_MS, resolve));
  } while (io.now() < giveUpAt);
  return { kind: 'busy' };

  async function beginClaimed(): Promise<Answered<Begun, Found>> {
    let isHeld = false;
    try {
      // Whoever held the key before may have ended, and kept what it made, since this one looked.
      const entry = await lookup(key);
      if (entry) return { kind: 'hit', entry };
      const begun = await begin();
      isHeld = isBegun(begun);
      return { kind: 'begun', begun };
    } finally {
      if (!isHeld) await store.cacheRelease(share, generation).catch(onError);
    }
  }
}
