import { type AttemptCost, costOfAttempt, isPicturePlan } from './attempt-cost.ts';
import { isChatPlan } from './chat/chat.ts';
import { chatHttpAnswer } from './chat/http-answer.ts';
import type { Certainty, Failure, FailureKind } from './failure.ts';
import type { Generation } from './generation.ts';
import { httpAnswer } from './http-answer.ts';
import type { Attempt, Outcome, Run } from './journal.ts';
import { pictureShares } from './picture-shares.ts';
import type { RunPlan } from './plan.ts';

/**
 * One attempt of a generation as the bill has it, or the request itself where none was made: what it was for, how it
 * ended, and what it cost. A fold of plan and journals, so the ledger can always be written anew. Money is in whole
 * millionths of a US dollar (`microUsd`), so that sums are exact.
 */
export interface LedgerLine {
  /** Of the generation's runs, from 0. */
  readonly run: number;
  /** From 1 in its run; 0 where the request ended without any. */
  readonly attempt: number;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** `provider/model`; absent where nobody was asked. */
  readonly target?: string;
  /** `retry`: the same target again in its run. `fallback`: a later target. `cached`: answered without asking anybody. */
  readonly role: 'first' | 'retry' | 'fallback' | 'cached';
  /** Pictures that it made and that are billed; 0 of chat. */
  readonly images: number;
  /** Certainly billed; null where it is and nobody knows the price, 0 where it is not. */
  readonly spentMicroUsd: number | null;
  /** What an attempt whose end nobody knows may have cost; null where that price is unknown, 0 where nothing is in doubt. */
  readonly possibleMicroUsd: number | null;
  /** Pictures that such an attempt was for. */
  readonly possibleImages: number;
  /** Of `cached`: what the same cost when it was made; null where that is unknown. */
  readonly savedMicroUsd?: number | null;
  /**
   * How the money was found: `reported` by the provider, from the `usage` that it told, by `table@2026-11-01` (the date
   * of the price data; `table@config` where the user's own, `table` where it has none), `estimated`, `unknown`, or `none` where nothing is billed.
   */
  readonly priced: string;
  /** Of a failure. */
  readonly kind?: FailureKind;
  readonly certainty?: Certainty;
  /** The code that callers are told. */
  readonly code?: string;
  /** At most 300 characters, with nothing secret in them. */
  readonly message?: string;
  /** The provider's own HTTP status and request id, where there were any. */
  readonly status?: number;
  readonly providerRequestId?: string;
}

/** What one run may cost until its end, as far as that is known before the next attempt of it is sent. */
export interface Spend {
  readonly runId: string;
  /** `provider/model` of the next attempt. */
  readonly target: string;
  /** What the attempts before may have cost and the next one will, together; undefined where a price is unknown. */
  readonly microUsd: number | undefined;
  /** The pictures of all of them. */
  readonly images: number;
}

/** An attempt with what it cost; what `costOf` and the lines of the ledger are made of. */
export interface Booking {
  /** Of the generation's runs, from 0. */
  readonly run: number;
  readonly attempt: Attempt;
  readonly cost: AttemptCost;
}

/** Every attempt of every run, in their order. */
export function bookingsOf(plan: RunPlan, { runs }: Generation): readonly Booking[] {
  const shares = sharesOf(plan, runs.length);
  return runs.flatMap(({ attempts }, run) =>
    attempts.map((attempt) => ({ run, attempt, cost: costOfAttempt(attempt, plan, shares[run] ?? 0) })),
  );
}

function sharesOf(plan: RunPlan, runs: number): readonly number[] {
  if (!isPicturePlan(plan)) return [];
  const shares = pictureShares(plan);
  return shares.length === runs ? shares : new Array(runs).fill(Math.ceil(plan.request.n / runs));
}

/** The ledger's lines of a generation: one per attempt, and one for each run that ended without any. */
export function ledgerOf(plan: RunPlan, generation: Generation): readonly LedgerLine[] {
  const bookings = bookingsOf(plan, generation);
  return generation.runs.flatMap((run, index): readonly LedgerLine[] => {
    if (run.attempts.length === 0) return run.finished ? [withoutAttempt(plan, run, run.finished, index)] : [];
    const first = run.attempts[0]?.target;
    return bookings.filter((one) => one.run === index).map((booking) => lineOf(plan, booking, first));
  });
}

function lineOf(plan: RunPlan, { run, attempt: one, cost }: Booking, first: string | undefined): LedgerLine {
  const { attempt, startedAt, endedAt, target, status, requestId, outcome } = one;
  const [isCertain, isPossible] = [cost.standing === 'certain', cost.standing === 'possible'];
  return {
    run,
    attempt,
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    target,
    role: attempt === 1 ? 'first' : target === first ? 'retry' : 'fallback',
    images: isCertain ? cost.images : 0,
    spentMicroUsd: isCertain ? cost.microUsd : 0,
    possibleMicroUsd: isPossible ? cost.microUsd : 0,
    possibleImages: isPossible ? cost.images : 0,
    priced: cost.priced,
    ...failureFields(plan, outcome),
    ...exchangeFields(status, requestId, outcome),
  };
}

/** It was refused before anything was sent, or answered without asking anybody. */
function withoutAttempt(plan: RunPlan, { finishedAt }: Run, outcome: Outcome, run: number): LedgerLine {
  return {
    run,
    attempt: 0,
    startedAt: plan.createdAt,
    // What was kept was finished before it was asked for again.
    ...(finishedAt !== undefined && { endedAt: Math.max(finishedAt, plan.createdAt) }),
    role: outcome.ok ? 'cached' : 'first',
    images: 0,
    spentMicroUsd: 0,
    possibleMicroUsd: 0,
    possibleImages: 0,
    ...(outcome.ok && { savedMicroUsd: null }),
    priced: 'none',
    ...failureFields(plan, outcome),
  };
}

const MAX_MESSAGE_CHARS = 300;

function failureFields(plan: RunPlan, outcome: Outcome | undefined) {
  if (outcome === undefined || outcome.ok) return {};
  const { failure } = outcome;
  const { kind, certainty, message } = failure;
  return { kind, certainty, code: codeOf(plan, failure), message: message.slice(0, MAX_MESSAGE_CHARS) };
}

function codeOf(plan: RunPlan, failure: Failure): string {
  return isChatPlan(plan) ? chatHttpAnswer(failure).code : httpAnswer(failure).code;
}

/** Of a job that failed, what the look at it said; a failure may know more than the exchange that ended it. */
function exchangeFields(status: number | undefined, requestId: string | undefined, outcome: Outcome | undefined) {
  const failure = outcome?.ok === false ? outcome.failure : undefined;
  const told = { status: status ?? failure?.status, id: requestId ?? failure?.requestId };
  return {
    ...(told.status !== undefined && { status: told.status }),
    ...(told.id !== undefined && { providerRequestId: told.id }),
  };
}
