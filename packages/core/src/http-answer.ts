import { type ErrorType, FAILURES, type Failure, type FailureRow } from './failure.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string;
}

/**
 * The HTTP answer to a failed picture: the certainty decides first, because the AI SDK and fal repeat every 5xx and
 * 429 whatever the headers say, so those stand only where a repeat costs nothing.
 */
export function httpAnswer(failure: Failure): HttpAnswer {
  const row: FailureRow = FAILURES[failure.kind];
  // How it ended is known; only its bill is not.
  if (failure.cancel === 'confirmed') return { status: 424, type: 'server_error', code: row.code };
  if (failure.certainty === 'ambiguous') return { status: 424, type: 'server_error', code: 'outcome_unknown' };
  if (failure.certainty === 'failed') return { status: 424, type: 'server_error', code: 'generation_failed' };
  const providersCode = failure.kind === 'invalid' || failure.kind === 'permission' || failure.kind === 'capability';
  return { status: row.status, type: row.type, code: (providersCode ? failure.code : undefined) ?? row.code };
}

/** Whether a repeat of the whole request could cost money: `no`, `maybe`, or `yes`. */
export function billed(failure: Failure): 'no' | 'maybe' | 'yes' {
  if (failure.certainty === 'not_sent' || failure.certainty === 'rejected') return 'no';
  return failure.certainty === 'completed' ? 'yes' : 'maybe';
}

/** Only a 429 or 503 that spent nothing and says when to come back may be repeated by the caller's own retry loop. */
export function callerMayRepeat(failure: Failure): boolean {
  const { status } = httpAnswer(failure);
  const temporary = failure.kind !== 'quota' && (status === 429 || status === 503);
  return temporary && billed(failure) === 'no' && failure.notBefore !== undefined;
}

const UNKNOWN_ADVICE =
  'Nobody here knows whether the provider did the work and bills it; look it up there by time and prompt before paying again.';
const CANCELED_ADVICE =
  'The provider gave the work up after it had begun and may bill it all the same; its console tells.';
const FAILED_ADVICE = FAILURES.server.advice;

/** One sentence on what to do: about the possible charge where there is one, about the cause otherwise. */
export function adviceFor(failure: Failure): string {
  if (failure.cancel === 'confirmed' && failure.certainty === 'ambiguous') return CANCELED_ADVICE;
  if (failure.certainty === 'ambiguous') return UNKNOWN_ADVICE;
  return failure.certainty === 'failed' ? FAILED_ADVICE : FAILURES[failure.kind].advice;
}
