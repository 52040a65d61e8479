import { FAILURES, type Failure, type FailureKind } from '../failure.ts';
import type { Gate } from '../gates.ts';
import type { Health } from '../health.ts';
import { type Attempt, type Outcome, openAttempt, paidAttempts, type Run } from '../journal.ts';
import type { PlannedTarget, RunPlan } from '../plan.ts';
import { answerFor, mayPayAgain } from './budget.ts';
import { hostsOf, mayLeaveFree, mayRepeatFree, unbilledFailure, whyGiveUp } from './free.ts';
import { isTooMuchLost, patienceFor } from './patience.ts';
import type { Presence } from './presence.ts';
import { rungAfter, standingRung } from './refusal-steps.ts';
import { afterHint, retryAt } from './retry.ts';
import { callerLeft, deadlinePassed, interrupted, stillWorking } from './run-failures.ts';
import { pictureAtHand, targetToAskAgain, withoutSuspects } from './suspect-steps.ts';
import type { TakenRung } from './taken-rung.ts';

/** What a run does next. */
export type Decision =
  | {
      readonly do: 'start';
      readonly target: PlannedTarget;
      readonly attempt: number;
      readonly skipped: readonly Skipped[];
    }
  /** After a refusal: the next decision starts what the rung says. */
  | { readonly do: 'climb'; readonly rung: TakenRung }
  | { readonly do: 'wait'; readonly until: number; readonly target: string; readonly reason: string }
  /** The provider is asked to give the job up: the caller wants an end, or `because` of that failure nobody waits longer. */
  | {
      readonly do: 'cancel';
      readonly target: PlannedTarget;
      readonly attempt: Attempt;
      readonly because?: Failure;
    }
  | { readonly do: 'poll'; readonly target: PlannedTarget; readonly attempt: Attempt }
  /** The caller's deadline passed while the provider works on: its wait ends, the run does not. */
  | { readonly do: 'release-caller'; readonly attempt: number; readonly failure: Failure }
  /** A journal that ends in a start without an answer: maybe submitted, by a process that is gone. */
  | { readonly do: 'give-up-attempt'; readonly attempt: number; readonly outcome: Outcome }
  | { readonly do: 'finish'; readonly outcome: Outcome }
  | { readonly do: 'stop'; readonly outcome: Outcome };

export interface Skipped {
  readonly target: string;
  readonly reason: string;
  readonly kind: FailureKind;
}

/** The pure heart: reads what is known at `now` and says what to do next. The same arguments always give the same answer. */
export function decide(
  runId: string,
  plan: RunPlan,
  run: Run,
  health: Health,
  presence: Presence,
  now: number,
): Decision {
  const decision = decideNext(runId, plan, run, health, presence, now);
  if (decision.do !== 'finish') return decision;
  return { do: 'finish', outcome: withoutSuspects(answerFor(run, decision.outcome), plan, run) };
}

function decideNext(runId: string, plan: RunPlan, run: Run, health: Health, presence: Presence, now: number): Decision {
  if (run.finished) return { do: 'stop', outcome: run.finished };
  const open = openAttempt(run);
  if (open) return continueAttempt(plan, run, open, now);
  const last = run.attempts.at(-1)?.outcome;
  if (last?.ok) {
    const isWanted = presence.absentSince === undefined || plan.unattended;
    const target = isWanted ? targetToAskAgain(plan, run, health, now) : undefined;
    if (target === undefined) return { do: 'finish', outcome: last };
    return { do: 'start', target, attempt: run.attempts.length + 1, skipped: [] };
  }
  if (last && run.answerBegun) return { do: 'finish', outcome: last };
  if (last && pictureAtHand(run)) return { do: 'finish', outcome: last };
  const rung = rungAfter(plan, run, health, now);
  const mayPay = last === undefined || standingRung(run) !== undefined || mayPayAgain(last.failure, run, plan.policy);
  if (last && !mayPay && !rung && !plan.targets.some((target) => target.free)) return { do: 'finish', outcome: last };
  // Its caller was answered when the clock fired: a new attempt would be paid for nobody.
  if (last && run.attempts.some((attempt) => attempt.overdue)) return { do: 'finish', outcome: last };
  if (presence.absentSince !== undefined && !plan.unattended)
    return outliveCaller(presence.absentSince + presence.unsentGraceMs, last, now);
  if (now >= plan.deadlineAt) return { do: 'finish', outcome: last ?? failed(deadlinePassed(plan, now)) };
  return rung ? { do: 'climb', rung } : chooseTarget(runId, plan, run, health, mayPay, now);
}

function continueAttempt(plan: RunPlan, run: Run, open: Attempt, now: number): Decision {
  const target = plan.targets.find((one) => one.id === open.target);
  if (open.handle === undefined || target === undefined) {
    return { do: 'give-up-attempt', attempt: open.attempt, outcome: failed(interrupted(open)) };
  }
  if (open.free) return continueFree(plan, target, open, now);
  // Its caller need not wait for it: there is a picture to hand out.
  if (now >= plan.deadlineAt && pictureAtHand(run))
    return { do: 'cancel', target, attempt: open, because: stillWorking(plan, open) };
  if (now >= plan.deadlineAt && open.overdue === undefined) {
    return { do: 'release-caller', attempt: open.attempt, failure: stillWorking(plan, open) };
  }
  if (now >= plan.deadlineAt + plan.policy.timeout.harvestMs) {
    return { do: 'give-up-attempt', attempt: open.attempt, outcome: failed(stillWorking(plan, open)) };
  }
  const pollAt = open.pollAt ?? now;
  if (pollAt <= now) return { do: 'poll', target, attempt: open };
  const until = open.overdue ? pollAt : Math.min(pollAt, plan.deadlineAt);
  return { do: 'wait', until, target: open.target, reason: 'the provider is working on it' };
}

/** Nothing is paid for there, so nothing is waited for longer than it is worth, and no late answer is harvested. */
function continueFree(plan: RunPlan, target: PlannedTarget, open: Attempt, now: number): Decision {
  const why = whyGiveUp(plan, target, open, now);
  if (why && !why.isReachable) return { do: 'give-up-attempt', attempt: open.attempt, outcome: failed(why.failure) };
  if (why) return { do: 'cancel', target, attempt: open, because: why.failure };
  if (now >= plan.deadlineAt)
    return { do: 'cancel', target, attempt: open, because: unbilledFailure(stillWorking(plan, open)) };
  const pollAt = open.pollAt ?? now;
  if (pollAt <= now) return { do: 'poll', target, attempt: open };
  const until = Math.min(pollAt, plan.deadlineAt);
  return { do: 'wait', until, target: open.target, reason: 'the server is working on it' };
}

function outliveCaller(until: number, last: Outcome | undefined, now: number): Decision {
  if (until > now) return { do: 'wait', until, target: '', reason: 'the caller left before anything was sent' };
  return { do: 'finish', outcome: last ?? failed(callerLeft()) };
}

/** A target that could take the next attempt, and from when on. */
interface Option {
  readonly target: PlannedTarget;
  readonly at: number;
  readonly reason: string;
  /** Of the reason. */
  readonly kind: FailureKind;
  readonly blocked: Gate | undefined;
  /** Waits for its turn under the target's limits: who is chosen takes its place in the queue there. */
  readonly queues: boolean;
}

function chooseTarget(runId: string, plan: RunPlan, run: Run, health: Health, mayPay: boolean, now: number): Decision {
  // Where money is spent, what costs none may still be asked.
  const options = optionsFor(runId, plan, run, health, now).filter(({ target }) => mayPay || target.free);
  const open = options.filter((option) => option.blocked === undefined);
  const soon = Math.min(now + plan.policy.retry.maxWaitBeforeFallbackMs, plan.deadlineAt - 1);
  const chosen = open.find((option) => option.at <= soon) ?? open.toSorted((a, b) => a.at - b.at)[0];
  if (chosen === undefined) return { do: 'finish', outcome: exhausted(runId, plan, run, options, health) };
  if (chosen.at >= plan.deadlineAt)
    return { do: 'finish', outcome: tooLate(run, chosen, "before the caller's deadline") };
  const patience = patienceFor(chosen.queues, plan, now);
  if (chosen.at - now > patience) return { do: 'finish', outcome: tooLate(run, chosen, `within ${patience} ms`) };
  if (chosen.at > now && !chosen.queues)
    return { do: 'wait', until: chosen.at, target: chosen.target.id, reason: chosen.reason };
  const before = options.slice(0, options.indexOf(chosen));
  const skipped = [
    ...before.map(({ target, reason, kind }) => ({ target: target.id, reason, kind })),
    ...(run.attempts.length === 0 ? unfitTargets(plan) : []),
  ];
  return { do: 'start', target: chosen.target, attempt: run.attempts.length + 1, skipped };
}

/** Told with the first attempt: nothing that happens later can change it. */
function unfitTargets({ passedOver = [] }: RunPlan): readonly Skipped[] {
  return passedOver.map(({ target, reason, kind }) => ({ target, reason, kind }));
}

/** In the order of preference: the last target again where that may help, then the ones after it. */
function optionsFor(runId: string, plan: RunPlan, run: Run, health: Health, now: number): readonly Option[] {
  const last = run.attempts.at(-1);
  const failure = last?.outcome?.ok === false ? last.outcome.failure : undefined;
  const at = last ? plan.targets.findIndex((target) => target.id === last.target) : 0;
  const toOption = (target: PlannedTarget) => gated(target, health[target.id], now, runId, plan);
  const rung = standingRung(run);
  if (rung) return plan.targets.filter(({ id }) => id === rung.target).map(toOption);
  if (last === undefined || failure === undefined) {
    return (plan.policy.fallback ? plan.targets : plan.targets.slice(0, 1)).map(toOption);
  }
  const others = mayFallBack(failure, plan, run) ? plan.targets.slice(at + 1).map(toOption) : [];
  const another = others.some((option) => option.blocked === undefined && option.at <= now);
  const same = plan.targets[at];
  if (same === undefined || !mayRetrySame(failure, plan, run, same, another)) return others;
  const again = retryAt(
    failure,
    last.endedAt ?? now,
    triesOf(run, same.id),
    `${runId}:${last.attempt}`,
    plan.policy.retry,
  );
  const option = toOption(same);
  const waited =
    option.at > again && !(option.queues && again > now)
      ? option
      : {
          ...option,
          at: Math.max(now, again),
          reason: failure.message,
          kind: failure.kind,
          queues: option.queues && again <= now,
        };
  return [waited, ...others];
}

/** A breaker or a credential blocks; a provider's hint is a time to wait for, and its limit a queue to wait in. */
function gated(target: PlannedTarget, gate: Gate | undefined, now: number, runId: string, plan: RunPlan): Option {
  const option = { target, at: now, reason: '', kind: 'unavailable', blocked: undefined, queues: false } as const;
  if (gate === undefined || gate.until <= now) return option;
  const reason = gate.failure.message;
  if (gate.by === 'limit') return { ...option, at: gate.until, reason, kind: gate.failure.kind, queues: true };
  // A task has the time to wait for a target to recover; a key that is refused will not.
  if (gate.by === 'hint' || ((gate.by === 'breaker' || gate.by === 'drained') && plan.unattended))
    return { ...option, at: afterHint(gate.until, now, runId), reason, kind: gate.failure.kind };
  return { ...option, at: gate.until, reason, blocked: gate };
}

function mayFallBack(failure: Failure, plan: RunPlan, run: Run): boolean {
  const mayLeave = FAILURES[failure.kind].fallback || (run.attempts.at(-1)?.free && mayLeaveFree(failure));
  return plan.policy.fallback && !run.partialSent && mayLeave === true;
}

/** When only one more payment is allowed and another target is ready, that payment goes where the odds are better. */
function mayRetrySame(failure: Failure, plan: RunPlan, run: Run, target: PlannedTarget, another: boolean): boolean {
  if (!FAILURES[failure.kind].retry && !(mayRepeatFree(failure, run, target) && !(another && hostsOf(target) < 2)))
    return false;
  if (isTooMuchLost(failure, plan, run, another)) return false;
  const free = failure.certainty === 'not_sent' || failure.certainty === 'rejected';
  const { maxFreeAttempts, maxFreeAttemptsBeforeFallback } = plan.policy.retry;
  const tries = triesOf(run, target.id);
  // Of several hosts that bill nothing each is worth a try.
  const before = target.free ? Math.max(maxFreeAttemptsBeforeFallback, hostsOf(target)) : maxFreeAttemptsBeforeFallback;
  if (free && plan.unattended && failure.kind === 'throttled' && !another) return run.attempts.length < MAX_THROTTLED;
  if (free) return tries < (another ? Math.min(before, maxFreeAttempts) : maxFreeAttempts);
  const paymentsLeft = plan.policy.maxPaidAttempts - paidAttempts(run);
  return !another || (paymentsLeft > 1 && tries < plan.policy.retry.maxPaidAttemptsBeforeFallback);
}

/** A limit is no reason for a task to end before its deadline; this only bounds its journal. */
const MAX_THROTTLED = 500;

function triesOf(run: Run, target: string): number {
  return run.attempts.filter((attempt) => attempt.target === target).length;
}

/**
 * Nobody is left to ask. What the last attempt said tells most; without one, that its caller's budget is too small for
 * a target, or else the reason the first one is closed.
 */
function exhausted(runId: string, plan: RunPlan, run: Run, options: readonly Option[], health: Health): Outcome {
  const last = run.attempts.at(-1);
  if (last?.outcome) return withReturnTime(last.outcome, last, runId, plan, health[last.target]);
  const unaffordable = options.find(({ blocked }) => blocked?.by === 'budget')?.blocked;
  if (unaffordable) return failed(unaffordable.failure);
  const first = options[0]?.blocked;
  if (first?.by === 'credential') return failed({ ...first.failure, notBefore: first.until });
  const reasons = options.map((option) => `${option.target.id}: ${option.reason}`).join('; ');
  return failed({
    kind: 'unavailable',
    certainty: 'not_sent',
    message: `no target can take the request now (${reasons})`,
    notBefore: Math.min(...options.map((option) => option.at)),
  });
}

/** What may be asked again says from when on: the provider's word or else our own backoff, and never before its gate opens. */
export function withReturnTime(
  outcome: Outcome,
  last: Attempt,
  runId: string,
  plan: RunPlan,
  gate: Gate | undefined,
): Outcome {
  if (outcome.ok || outcome.failure.certainty !== 'rejected' || !FAILURES[outcome.failure.kind].retry) return outcome;
  const tries = plan.policy.retry.maxFreeAttempts;
  const backoff = retryAt(outcome.failure, last.endedAt ?? 0, tries, `${runId}:${last.attempt}`, plan.policy.retry);
  return failed({
    ...outcome.failure,
    notBefore: Math.max(outcome.failure.notBefore ?? backoff, gate?.until ?? 0),
  });
}

function tooLate(run: Run, option: Option, when: string): Outcome {
  const last = run.attempts.at(-1)?.outcome;
  if (last?.ok === false) return failed({ ...last.failure, notBefore: option.at });
  return failed({
    kind: 'throttled',
    certainty: 'not_sent',
    message: `${option.target.id} may not be called ${when}: ${option.reason}`,
    notBefore: option.at,
  });
}

function failed(failure: Failure): Outcome {
  return { ok: false, failure };
}
