import { readHint } from '@onetake/core';
import type { WebhookDelivery, WebhookResult } from '../store/store.ts';
import type { Tried } from './post.ts';

export interface WebhookSchedule {
  /** Ceiling of the first wait; it doubles with every try. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Counted from the event; the last try is made at this age. */
  readonly giveUpAfterMs: number;
  /** An event that is redelivered, or waited for a gateway to start again, may be older than that and still gets these. */
  readonly minTries: number;
}

export const WEBHOOK_SCHEDULE: WebhookSchedule = {
  firstDelayMs: 5_000,
  maxDelayMs: 3_600_000,
  giveUpAfterMs: 86_400_000,
  minTries: 5,
};

export interface Verdict {
  readonly result: WebhookResult;
  /** The receiver answered 410: nothing may be sent to this address any more. */
  readonly gone: boolean;
}

/** Beyond it every ceiling is reached. */
const MAX_DOUBLINGS = 30;
const GONE = 410;

/** What follows from a try that ended at `now`; `random` is a number in [0, 1). */
export function judge(
  delivery: WebhookDelivery,
  tried: Tried,
  now: number,
  random: number,
  schedule: WebhookSchedule,
): Verdict {
  if (tried.kind === 'answered' && tried.status >= 200 && tried.status < 300) {
    return { result: { state: 'delivered', at: now, status: tried.status }, gone: false };
  }
  const reason = tried.kind === 'answered' ? statusReason(tried.status) : tried.reason;
  const gone = tried.kind === 'answered' && tried.status === GONE;
  const hopeless = gone || (tried.kind === 'unanswered' && tried.hopeless);
  const notBefore =
    tried.kind === 'answered'
      ? readHint(tried.headers, undefined, '', now, tried.status === 429)?.notBefore
      : undefined;
  const retryAt = hopeless ? undefined : nextTryAt(delivery, now, notBefore, random, schedule);
  if (retryAt === undefined) return { result: { state: 'given-up', at: now, reason }, gone };
  return { result: { state: 'waiting', at: now, retryAt, reason }, gone };
}

/**
 * When to try again after a try that failed at `now` (epoch ms), or undefined when there is no more time. Full jitter,
 * `floor(random × min(max, first × 2^(tries − 1)))`, never before the receiver's own hint; the last try is at the
 * deadline itself.
 */
export function nextTryAt(
  { at, tries }: Pick<WebhookDelivery, 'at' | 'tries'>,
  now: number,
  notBefore: number | undefined,
  random: number,
  schedule: WebhookSchedule,
): number | undefined {
  const made = tries + 1;
  const { firstDelayMs, maxDelayMs, giveUpAfterMs, minTries } = schedule;
  const deadline = Math.max(at + giveUpAfterMs, made < minTries ? now + maxDelayMs : 0);
  if (now >= deadline || (notBefore ?? 0) > deadline) return undefined;
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(made - 1, MAX_DOUBLINGS));
  return Math.min(deadline, Math.max(now + Math.floor(random * ceiling), notBefore ?? 0));
}

function statusReason(status: number): string {
  if (status === GONE) return 'status 410: the receiver wants no more, so the address is disabled';
  return status >= 300 && status < 400 ? `status ${status}: redirects are not followed` : `status ${status}`;
}
