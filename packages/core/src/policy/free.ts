import type { Failure } from '../failure.ts';
import type { Attempt, Outcome, Run } from '../journal.ts';
import type { PlannedTarget, RunPlan } from '../plan.ts';

/** Without any progress for this long, a job at a free target is given up. */
export const STALL_MS = 120_000;
/** A host that cannot be asked this often in a row, or for this long, is taken for dead. */
const MAX_MISSED_LOOKS = 3;
const MAX_MISSED_MS = 10_000;

/**
 * How an attempt ended at a target that bills nothing whatever it does: nobody need find out whether the work was done,
 * so it may be repeated like what was never begun. The picture that came is a picture like any other.
 */
export function unbilled(outcome: Outcome): Outcome {
  if (!outcome.ok) {
    const { failure, usage, told } = outcome;
    return { ok: false, failure: unbilledFailure(failure), ...(usage && { usage }), ...(told && { told }) };
  }
  return outcome.missing ? { ...outcome, missing: outcome.missing.map(unbilledFailure) } : outcome;
}

export function unbilledFailure(failure: Failure): Failure {
  if (failure.certainty === 'not_sent' || failure.certainty === 'rejected') return failure;
  const rule = failure.classifiedBy === undefined ? '' : `${failure.classifiedBy}, `;
  return {
    ...failure,
    certainty: 'rejected',
    classifiedBy: `${rule}${failure.certainty} at a target that bills nothing`,
  };
}

/** Why an open job at a free target is not waited for any more, and whether its host can still be told so. */
export interface GivenUp {
  readonly failure: Failure;
  readonly isReachable: boolean;
}

/** The watchdog of a free target: it reads progress, never the total time. Undefined while the job may go on. */
export function whyGiveUp(plan: RunPlan, target: PlannedTarget, open: Attempt, now: number): GivenUp | undefined {
  const { missed } = open;
  if (missed && (missed.looks >= MAX_MISSED_LOOKS || now - missed.since >= MAX_MISSED_MS))
    return { failure: gone(target, missed), isReachable: false };
  if (now >= plan.deadlineAt) return undefined;
  // What waits for its turn there is not expected to move; and what was not looked at lately may have.
  if (open.stage === 'queued' || missed !== undefined || (open.pollAt ?? now) <= now) return undefined;
  const { afterMs, setting } = stallOf(target, open.progress !== undefined);
  if (now - (open.movedAt ?? open.startedAt) < afterMs) return undefined;
  return { failure: stalled(target.id, afterMs, setting), isReachable: true };
}

/** A server that never says how far it is cannot be seen to stand still: it has the time of a first byte. */
export function stallOf({ stallMs = STALL_MS, firstByteMs }: PlannedTarget, tells: boolean) {
  if (tells || stallMs >= firstByteMs) return { afterMs: stallMs, setting: 'stall_timeout_ms' };
  return { afterMs: firstByteMs, setting: 'first_byte_timeout_ms' };
}

export function stalled(target: string, afterMs: number, setting: string): Failure {
  return {
    kind: 'timeout',
    certainty: 'rejected',
    message: `${target} made no progress for ${afterMs} ms (${setting}); it bills nothing, so the work is given up there`,
    clock: { name: 'idle', afterMs, setting },
    classifiedBy: 'no progress at a target that bills nothing',
  };
}

function gone({ id }: PlannedTarget, { looks, failure }: NonNullable<Attempt['missed']>): Failure {
  return {
    kind: 'network',
    certainty: 'rejected',
    message: `${id} took the work on and could not be asked about it ${looks} times in a row: ${failure.message}`,
    classifiedBy: `${failure.classifiedBy ?? failure.kind}, at a target that bills nothing`,
  };
}

/**
 * What the table of failures does not repeat, because it may be billed, and which costs nothing here: cut-off work is
 * made again, a picture that is none is asked for once more, and too little memory is tried once on another host.
 */
export function mayRepeatFree(failure: Failure, run: Run, target: PlannedTarget): boolean {
  if (!target.free || failure.certainty !== 'rejected') return false;
  if (failure.kind === 'interrupted') return true;
  const isOnce = failuresOf(failure.kind, run, target) < 2;
  if (failure.kind === 'empty' || failure.kind === 'corrupt') return isOnce;
  return failure.kind === 'out_of_memory' && isOnce && hostsOf(target) > 1;
}

/** Whether another target may be asked although the table would not: nothing was paid for what is lost. */
export function mayLeaveFree({ kind, certainty }: Failure): boolean {
  return certainty === 'rejected' && (kind === 'interrupted' || kind === 'empty' || kind === 'corrupt');
}

function failuresOf(kind: Failure['kind'], { attempts }: Run, { id }: PlannedTarget): number {
  return attempts.filter(
    ({ target, outcome }) => target === id && outcome?.ok === false && outcome.failure.kind === kind,
  ).length;
}

export function hostsOf({ credentials }: PlannedTarget): number {
  return credentials?.length ?? 1;
}
