import type { Event, Failure, Outcome, Plan } from '@onetake/core';
import { createLive } from '../../tasks/live.ts';
import { cachedPlan, PICTURE } from '../../testing/cache-world.ts';

let count = 0;

/** A generation for `sandbox/fast` that has not begun, and what ends it: attempted at 1,000,010, over at 1,000,110. */
export function finishedLive(change: Partial<Plan> = {}) {
  count += 1;
  const plan = cachedPlan('a red fox', { createdAt: 1_000_000, ...change });
  const live = createLive({
    ...{ id: `gen_${String(count).padStart(24, '0')}`, caller: 'app', fingerprint: 'f', requestId: `req_${count}` },
    ...{ plan, journals: [[]], joined: true, unsentGraceMs: 1_000, now: () => 1_000_000 },
  });
  const end = (outcome: Outcome) => {
    const events: readonly Event[] = [
      { type: 'attempt-started', at: 1_000_010, attempt: 1, target: 'sandbox/fast' },
      { type: 'attempt-ended', at: 1_000_110, attempt: 1, outcome },
      { type: 'finished', at: 1_000_110, outcome },
    ];
    live.record(0, events);
  };
  return {
    live,
    finish: () => end({ ok: true, images: [{ asset: PICTURE }] }),
    fail: (failure: Failure) => end({ ok: false, failure }),
  };
}
