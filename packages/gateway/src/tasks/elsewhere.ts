import type { Io, Plan } from '@onetake/core';
import type { StoredGeneration } from '../store/store.ts';
import type { Follow } from './following.ts';
import { createLive, type Live } from './live.ts';

/**
 * A generation that another node works on, told as if it ran here: its journal is read from the store as it grows. Who
 * waits here is not known there, so nobody's leaving ends it. Undefined when it is gone.
 */
export async function followElsewhere(
  stored: StoredGeneration<Plan>,
  follow: Follow,
  io: Pick<Io, 'now'>,
): Promise<Live | undefined> {
  const followed = await follow(stored.id, stored.caller);
  if (followed === undefined) return undefined;
  const live = createLive({
    ...stored,
    journals: followed.snapshot().journals,
    joined: true,
    unsentGraceMs: 0,
    now: io.now,
  });
  followed.onChange(() => {
    for (const [run, events] of followed.snapshot().journals.entries()) {
      const fresh = events.slice(live.journals[run]?.length ?? 0);
      if (fresh.length > 0) live.record(run, fresh);
    }
  });
  const leave: Live['leave'] = () => {
    live.leave();
    if (live.presence().absentSince !== undefined) followed.close();
  };
  return { ...live, leave };
}
