import type { Failure } from '../failure.ts';
import { paidAttempts, type Run } from '../journal.ts';
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
 * Whether money permits another attempt after `failure`. What provably did no work may be repeated; the rest is a
 * second payment. Nothing is paid for again after `completed` work, nor after a crash of ours, where even the cause is
 * unknown.
 */
export function mayPayAgain(failure: Failure, run: Run, policy: Policy): boolean {
  if (paidAttempts(run) >= policy.maxPaidAttempts) return false;
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
