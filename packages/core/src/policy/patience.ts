import type { Failure } from '../failure.ts';
import type { Run } from '../journal.ts';
import type { RunPlan } from '../plan.ts';

/** How long (ms) a caller is left waiting for a target, in a queue or for anything else; a task has the time. */
export function patienceFor(queues: boolean, { unattended, createdAt, policy }: RunPlan, now: number): number {
  const { maxWaitMs, maxQueueMs } = policy.retry;
  const given = queues ? maxQueueMs : maxWaitMs;
  if (unattended || given === undefined) return Number.POSITIVE_INFINITY;
  return queues ? Math.max(0, createdAt + given - now) : given;
}

/**
 * Whether the same target is not to be asked again, for the caller's time: after a clock that ran out where `another`
 * target is ready, and where all attempts together, with one more as long as the last, would take above `maxLostMs`.
 * A task has the time.
 */
export function isTooMuchLost(failure: Failure, plan: RunPlan, { attempts }: Run, another: boolean): boolean {
  const { maxLostMs } = plan.policy.retry;
  if (maxLostMs === undefined || plan.unattended) return false;
  if (another && failure.kind === 'timeout') return true;
  const lost = attempts.map(({ startedAt, endedAt = startedAt }) => endedAt - startedAt);
  return lost.reduce((sum, ms) => sum + ms, lost.at(-1) ?? 0) > maxLostMs;
}
