import type { Failure } from '../failure.ts';
import type { Attempt } from '../journal.ts';
import type { RunPlan } from '../plan.ts';

export function interrupted(open: Attempt): Failure {
  if (open.free) {
    const message = `the gateway stopped while ${open.target} was working; it bills nothing, so the work is begun anew`;
    return { kind: 'interrupted', certainty: 'rejected', message };
  }
  return {
    kind: 'interrupted',
    certainty: 'ambiguous',
    message: `the gateway stopped while ${open.target} was working; whether it finished, and billed, cannot be looked up there`,
  };
}

export function stillWorking(plan: RunPlan, open: Attempt): Failure {
  const afterMs = plan.deadlineAt - plan.createdAt;
  return {
    kind: 'timeout',
    certainty: 'ambiguous',
    message: `the total clock ran out after ${afterMs} ms (total_timeout_ms); ${open.target} is still working`,
    clock: { name: 'total', afterMs, setting: 'total_timeout_ms' },
    classifiedBy: 'clock total',
  };
}

export function callerLeft(): Failure {
  return { kind: 'canceled', certainty: 'not_sent', message: 'the caller left before anything was sent' };
}

export function deadlinePassed(plan: RunPlan, now: number): Failure {
  const afterMs = now - plan.createdAt;
  return {
    kind: 'timeout',
    certainty: 'not_sent',
    message: `the request waited here for ${afterMs} ms and its deadline passed before anything was sent`,
    clock: { name: 'queue', afterMs, setting: 'total_timeout_ms' },
  };
}
