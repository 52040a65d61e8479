import type { Failure } from '../failure.ts';
import { type Outcome, paidAttempts, type Run } from '../journal.ts';
import type { Payment, Policy } from '../plan.ts';

/**
 * How many attempts of one run the provider may bill. `strict` is one. `standard` is two, the second only after the
 * provider's own word that the first failed. `available` is what was asked for, two when nothing was.
 */
export function allowedPaidAttempts(payment: Payment, asked: number | undefined): number {
  if (payment === 'strict') return 1;
  return payment === 'standard' ? Math.min(2, asked ?? 2) : (asked ?? 2);
}

/**
 * Whether money permits another attempt after `failure`, and after all that failed before it. What provably did no work
 * may be repeated; the rest is a second payment. Nothing is paid for again after `completed` work, nor after a crash of
 * ours, where even the cause is unknown. A refusal that the ladder answered was allowed for there.
 */
export function mayPayAgain(failure: Failure, run: Run, policy: Policy): boolean {
  if (!isPaymentLeft(run, policy)) return false;
  // A free target may have been asked in between.
  const failures = run.attempts.flatMap(({ attempt, outcome }) =>
    outcome?.ok === false && !run.rungs?.some((rung) => rung.attempt === attempt) ? [outcome.failure] : [],
  );
  return [failure, ...failures].every((one) => permitsAnother(one, policy));
}

/** Whether fewer attempts may have been billed than are allowed, also on a ladder once one is climbed. */
export function isPaymentLeft(run: Run, policy: Policy): boolean {
  const paid = paidAttempts(run);
  return paid < policy.maxPaidAttempts && !(run.rungs && policy.refusals && paid >= policy.refusals.maxPaid);
}

/** Whether a policy pays again after this failure, as long as its count allows. */
export function permitsAnother(failure: Failure, policy: Policy): boolean {
  switch (failure.certainty) {
    case 'not_sent':
    case 'rejected':
      return true;
    case 'failed':
      return policy.payment !== 'strict';
    case 'ambiguous':
      return policy.payment === 'available' && failure.kind !== 'interrupted';
    case 'completed':
      return false;
  }
}

/**
 * What a run answers with when its last attempt ended so. A failure that may have been billed goes before a later one
 * that cost nothing: that one's answer would invite the caller to pay again. A picture that was made, and doubted, goes
 * before every failure of the try for a better one. What began to go out as the answer ends as it ended.
 */
export function answerFor(run: Run, outcome: Outcome): Outcome {
  if (run.answerBegun) return outcome;
  const made = run.attempts.findLast((one) => one.outcome?.ok)?.outcome;
  if (!outcome.ok && made) return made;
  return paidBeforeFree(run, outcome);
}

/** The failure of an attempt that may have been billed, where the run ended in one that was not; else the outcome. */
export function paidBeforeFree(run: Run, outcome: Outcome): Outcome {
  if (outcome.ok || !isFree(outcome.failure)) return outcome;
  const paid = run.attempts.findLast((one) => one.outcome?.ok === false && !isFree(one.outcome.failure));
  return paid?.outcome ?? outcome;
}

function isFree({ certainty }: Failure): boolean {
  return certainty === 'not_sent' || certainty === 'rejected';
}
