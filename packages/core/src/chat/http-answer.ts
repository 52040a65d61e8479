import { FAILURES, type Failure, type FailureKind, type FailureRow } from '../failure.ts';
import { billed, type HttpAnswer } from '../http-answer.ts';

/**
 * The HTTP answer to a chat that failed: the natural one of its cause, whatever the certainty, because tokens are cheap
 * to send again. A provider's own 5xx and 409 stay what they are; `type` and `code` are OpenAI's.
 */
export function chatHttpAnswer(failure: Failure): HttpAnswer {
  const row: FailureRow = FAILURES[failure.kind];
  switch (failure.kind) {
    case 'server':
      return serverAnswer(failure);
    case 'out_of_memory':
      return { status: providersStatus(failure) ?? 502, type: 'server_error', code: row.code };
    case 'network':
      // A redirect was an answer, though of nobody who was asked.
      if (failure.status !== undefined) return { ...NO_ANSWER, code: row.code };
      return { ...NO_ANSWER, code: failure.certainty === 'not_sent' ? row.code : 'connection_lost' };
    case 'corrupt':
      return { ...NO_ANSWER, code: 'truncated_answer' };
    case 'empty':
      return { ...NO_ANSWER, code: 'empty_answer' };
    case 'suspect':
      return { ...NO_ANSWER, code: 'suspect_answer' };
    case 'interrupted':
      return { ...NO_ANSWER, code: 'interrupted' };
    case 'storage':
      return { status: 500, type: 'server_error', code: row.code };
    case 'too_large':
      return { status: row.status, type: row.type, code: failure.code || 'request_too_large' };
    case 'invalid':
    case 'permission':
    case 'capability':
    case 'not_found':
      return { status: row.status, type: row.type, code: failure.code || row.code };
    default:
      return { status: row.status, type: row.type, code: row.code };
  }
}

const NO_ANSWER = { status: 502, type: 'server_error' } as const;

function serverAnswer(failure: Failure): HttpAnswer {
  if (failure.status === 409) return { status: 409, type: 'invalid_request_error', code: failure.code || 'conflict' };
  return { status: providersStatus(failure) ?? 502, type: 'server_error', code: failure.code || 'server_error' };
}

/** The 5xx that the provider answered with. */
function providersStatus({ status }: Failure): number | undefined {
  return status !== undefined && status >= 500 && status <= 599 ? status : undefined;
}

/**
 * Whether the caller's own retry loop may repeat it: only a 429 or 503 that spent nothing and says when to come back.
 * All else was repeated here as often as the policy allows, and is answered with `x-should-retry: false`.
 */
export function chatMayRepeat(failure: Failure): boolean {
  const { status } = chatHttpAnswer(failure);
  const temporary = failure.kind !== 'quota' && (status === 429 || status === 503);
  return temporary && billed(failure) === 'no' && failure.notBefore !== undefined;
}

/** Where the table of failures speaks of pictures, or of what a second one would cost. */
const IN_CHAT: { readonly [Kind in FailureKind]?: string } = {
  server: 'The provider failed; try again later, or add a second target to the route.',
  policy: 'The provider refused the content; change the messages. Repeating the same request will be refused again.',
  image_url:
    'The provider could not fetch a picture in the messages; give a link that opens without a login, or send it as a data URL.',
  image_format: 'The provider does not read pictures of this format; send those in the messages as PNG, JPEG or WebP.',
  out_of_memory:
    'The machine has too little memory for this model and context; send less, choose a smaller model, or use a host with more memory.',
  empty: 'The provider answered without any content; try again, or try another model.',
  corrupt: 'The answer ended before it was complete; send the request again. The tokens that were made may be billed.',
  suspect: 'The answer is not what was asked for; try again, or try another model.',
  storage: 'The answer could not be stored here; free space in the data directory, and send the request again.',
  interrupted:
    'This gateway stopped while the provider was answering; send the request again. The tokens that were made may be billed.',
};

const LOST_ADVICE =
  'The connection to the provider was lost; send the request again. The tokens that were made may be billed.';
const MOVED_ADVICE = 'Something else than the provider’s API answers at this address; check its base_url.';
const PROVIDERS_CLOCK_ADVICE =
  'The provider stopped waiting by a clock of its own; send the request again. The tokens that were made may be billed.';
const CANCELED_ADVICE =
  'The request was canceled while the provider worked on it; the tokens that were made until then may be billed.';
const CONFLICT_ADVICE = 'The provider says that the request conflicts with another; wait until that one has ended.';
const UNBILLED = /\. The tokens that were made may be billed\.$/;

/** One sentence or two on what to do, in words for chat. */
export function chatAdvice(failure: Failure): string {
  const said = adviceOn(failure);
  return billed(failure) === 'no' ? said.replace(UNBILLED, '.') : said;
}

function adviceOn(failure: Failure): string {
  const { kind, certainty } = failure;
  if (kind === 'network' && failure.status !== undefined) return MOVED_ADVICE;
  if (kind === 'network' && certainty !== 'not_sent') return LOST_ADVICE;
  if (kind === 'timeout' && failure.status !== undefined) return PROVIDERS_CLOCK_ADVICE;
  if (kind === 'canceled' && billed(failure) !== 'no') return CANCELED_ADVICE;
  if (kind === 'server' && failure.status === 409) return CONFLICT_ADVICE;
  return IN_CHAT[kind] ?? FAILURES[kind].advice;
}
