import { type ErrorType, FAILURES, type Failure, type FailureKind, type FailureRow } from './failure.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string;
}

/**
 * The answers to work that usually is billed, or may be, where it was not: a repeat costs nothing, so it may be asked
 * for with a 5xx, and no charge is spoken of.
 */
const UNBILLED: { readonly [Kind in FailureKind]?: Pick<HttpAnswer, 'status' | 'code'> & { readonly advice: string } } =
  {
    server: {
      status: 502,
      code: 'generation_failed',
      advice: 'The server tried and failed, and bills nothing; look at its log, or try again.',
    },
    empty: {
      status: 502,
      code: 'no_image_returned',
      advice: 'The server answered without a picture, and bills nothing; look at its log, or change the prompt.',
    },
    corrupt: {
      status: 502,
      code: 'corrupt_image',
      advice: 'What the server sent as a picture does not open; it bills nothing, so try again, or look at its log.',
    },
    suspect: {
      status: 424,
      code: 'suspect_image',
      advice:
        'A whole picture was made and kept, for nothing, and is not what was asked for; look at it by its generation, or try again.',
    },
    storage: {
      status: 500,
      code: 'storage_failed',
      advice: 'The picture could not be stored here; free space in the data directory, and send the request again.',
    },
    interrupted: {
      status: 502,
      code: 'interrupted',
      advice: 'The work was cut off and nothing was billed; send the request again.',
    },
  };

function unbilledAnswer(failure: Failure) {
  const isFree = failure.certainty === 'rejected' || failure.certainty === 'not_sent';
  return isFree ? UNBILLED[failure.kind] : undefined;
}

/** Their cause says more than that the work was tried: what to change, and that a repeat ends the same. */
const SPEAKS_FOR_ITSELF: readonly FailureKind[] = ['out_of_memory', 'policy'];

/**
 * The HTTP answer to a failed picture: the certainty decides first, because the AI SDK and fal repeat every 5xx and
 * 429 whatever the headers say, so those stand only where a repeat costs nothing.
 */
export function httpAnswer(failure: Failure): HttpAnswer {
  const row: FailureRow = FAILURES[failure.kind];
  // How it ended is known; only its bill is not.
  if (failure.cancel === 'confirmed' || isCanceledLate(failure))
    return { status: 424, type: 'server_error', code: row.code };
  if (failure.certainty === 'ambiguous') return { status: 424, type: 'server_error', code: 'outcome_unknown' };
  if (failure.certainty === 'failed' && !SPEAKS_FOR_ITSELF.includes(failure.kind))
    return { status: 424, type: 'server_error', code: 'generation_failed' };
  const unbilled = unbilledAnswer(failure);
  if (unbilled) return { status: unbilled.status, type: row.type, code: unbilled.code };
  const providersCode = failure.kind === 'invalid' || failure.kind === 'permission' || failure.kind === 'capability';
  return { status: row.status, type: row.type, code: (providersCode ? failure.code : undefined) ?? row.code };
}

/** The work was done when nobody wanted it any more. */
function isCanceledLate({ kind, certainty }: Failure): boolean {
  return kind === 'canceled' && certainty === 'completed';
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
const CANCELED_LATE_ADVICE = 'The work was done when it was canceled, and the provider bills it.';
const RULE_ADVICE =
  'A rule of this gateway refused the prompt before anybody was asked; the message says what to write instead.';
const FAILED_ADVICE = FAILURES.server.advice;

/** One sentence on what to do: about the possible charge where there is one, about the cause otherwise. */
export function adviceFor(failure: Failure): string {
  if (failure.kind === 'policy' && failure.findings) return RULE_ADVICE;
  if (failure.cancel === 'confirmed' && failure.certainty === 'ambiguous') return CANCELED_ADVICE;
  if (isCanceledLate(failure)) return CANCELED_LATE_ADVICE;
  if (failure.certainty === 'ambiguous') return UNKNOWN_ADVICE;
  if (failure.certainty === 'failed' && !SPEAKS_FOR_ITSELF.includes(failure.kind)) return FAILED_ADVICE;
  return unbilledAnswer(failure)?.advice ?? FAILURES[failure.kind].advice;
}
