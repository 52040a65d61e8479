import type { Io } from '@onetake/core';

/** Asks for this at most every so often, however many want to know; those who ask at the same time share one answer. */
export type Kept<Value> = () => Promise<Value>;

/** Of the time, at most so much goes into asking: what takes a second is asked every 20. */
const SHARE = 20;

/**
 * Keeps an answer of the store for `forMs`, or for 20 times as long as it took, whichever is longer. Where the store
 * fails, the last answer stands; rejects only where there is none yet.
 */
export function keepAnswer<Value>(io: Pick<Io, 'now'>, forMs: number, ask: () => Promise<Value>): Kept<Value> {
  let last: { readonly value: Value } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let freshUntil = Number.NEGATIVE_INFINITY;
  let asking: Promise<Value> | undefined;
  const askAgain = async (): Promise<Value> => {
    const from = io.now();
    try {
      last = { value: await ask() };
      return last.value;
    } catch (error) {
      if (last) return last.value;
      throw error;
    } finally {
      askedAt = io.now();
      freshUntil = askedAt + Math.max(forMs, (askedAt - from) * SHARE);
    }
  };
  return () => {
    if (asking) return asking;
    const now = io.now();
    // Of a clock that was set back since then, nobody knows how old the answer is.
    if (last && now >= askedAt && now < freshUntil) return Promise.resolve(last.value);
    asking = askAgain().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}
