import type { Failure } from '../failure.ts';
import type { RetryPolicy } from '../plan.ts';

/** What a plan gets unless told otherwise. */
export const RETRY_POLICY: RetryPolicy = {
  maxFreeAttempts: 5,
  maxFreeAttemptsBeforeFallback: 2,
  maxPaidAttemptsBeforeFallback: 2,
  notSentDelayMs: 50,
  throttledDelayMs: 1_000,
  overloadedDelayMs: 2_000,
  maxDelayMs: 30_000,
  maxWaitBeforeFallbackMs: 5_000,
};

/** AWS full jitter doubles at most this often; beyond it every cap is reached and 2 ** n would lose precision. */
const MAX_DOUBLINGS = 30;
/** On top of a provider's hint: a tenth of the wait, at most a second, so that waiting runs do not return together. */
const HINT_JITTER_SHARE = 0.1;
const HINT_JITTER_MAX_MS = 1_000;

/**
 * The earliest instant (epoch ms) at which the same target may be tried again after `failure`.
 *
 * Full jitter, `floor(random × min(max, base × 2^(tries − 1)))`, after the end of the failed attempt; never before the
 * provider's own hint. `tries` counts this target's attempts, from 1. The jitter is a hash of `seed`, so a restarted
 * process computes the same instant.
 */
export function retryAt(failure: Failure, endedAt: number, tries: number, seed: string, policy: RetryPolicy): number {
  const ceiling = Math.min(policy.maxDelayMs, firstDelayMs(failure, policy) * 2 ** Math.min(tries - 1, MAX_DOUBLINGS));
  const backoff = endedAt + Math.floor(fraction(seed) * ceiling);
  if (failure.notBefore === undefined) return backoff;
  return Math.max(backoff, afterHint(failure.notBefore, endedAt, seed));
}

/** When to come back (epoch ms) after a hint known since `from`: not before it, and not together with everybody else. */
export function afterHint(notBefore: number, from: number, seed: string): number {
  const wait = Math.max(0, notBefore - from);
  return Math.ceil(notBefore + fraction(seed) * Math.min(HINT_JITTER_MAX_MS, wait * HINT_JITTER_SHARE));
}

function firstDelayMs(failure: Failure, policy: RetryPolicy): number {
  if (failure.certainty === 'not_sent') return policy.notSentDelayMs;
  return failure.kind === 'throttled' ? policy.throttledDelayMs : policy.overloadedDelayMs;
}

/** A number in [0, 1) that depends on `seed` alone: FNV-1a, then murmur3's finalizer to spread neighbouring seeds. */
export function fraction(seed: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < seed.length; index += 1) {
    hash = Math.imul(hash ^ seed.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
