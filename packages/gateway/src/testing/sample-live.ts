import { createLive, type Live, type LiveOptions } from '../tasks/live.ts';
import { sampleSnapshot } from './task-samples.ts';

/** A generation that runs here, with the journals of its sample; nobody waits for it. */
export function sampleLive(change: Partial<LiveOptions> = {}): Live {
  const { id, caller, fingerprint, requestId, plan, journals } = sampleSnapshot();
  return createLive({
    ...{ id, caller, fingerprint, requestId, plan, journals },
    joined: false,
    unsentGraceMs: 0,
    now: () => 1_000,
    ...change,
  });
}
