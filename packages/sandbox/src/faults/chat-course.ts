import type { Refusal } from '../wire/answer.ts';
import type { Circumstances, Connection, NamedFault } from './fault.ts';

/** How an answer in words goes; every absent field means that nothing goes wrong there. */
export interface ChatCourse {
  /** An error instead of the answer. */
  readonly refusal?: (circumstances: Circumstances) => Refusal;
  /** A page of HTML, as a proxy in front of the provider writes it. */
  readonly page?: { readonly status: number; readonly html: string };
  /** Before anything of the answer. */
  readonly answerAfterMs?: number;
  /** Between the head of a stream and its first content; of a whole answer, before it. */
  readonly firstAfterMs?: number;
  readonly tokensPerSecond?: number;
  /** How long the text is, where it has no form of its own. */
  readonly tokens?: number;
  /** `before` any byte, after the `prelude` of a stream or in the `middle` of its tokens. */
  readonly breaks?: { readonly at: 'before' | 'prelude' | 'middle'; readonly how: Connection['how'] };
  /** An error event in a stream that began well; `failed` is the Responses API's end of that name. */
  readonly fails?: { readonly at: 'first' | 'middle'; readonly code: ChatErrorCode; readonly as: 'error' | 'failed' };
  /** `no-done` leaves out [DONE], `cut` also the finish; `half-event` ends in the middle of an event. */
  readonly ends?: 'no-done' | 'cut' | 'half-event';
  readonly garbage?: true;
  readonly comments?: true;
  readonly reasoning?: true;
  readonly usage?: ChatUsageQuirk;
  /** `filtered` by moderation half way, a `refusal` in place of the text, no choices or outputs (`empty`), or no list. */
  readonly answers?: 'filtered' | 'refusal' | 'empty' | 'absent';
  /** The body stops in the middle of its JSON, and its content-length agrees. */
  readonly cut?: true;
}

/** `unasked` adds it where nobody asked, `every` to each event; `odd` counts contradict each other. */
export type ChatUsageQuirk = 'unasked' | 'odd' | 'none' | 'every';

export interface ChatFault extends NamedFault {
  readonly plays: (argument: ChatArgument) => ChatCourse;
}

export interface ChatArgument {
  readonly value: number | undefined;
  readonly word?: string;
}

/** What an error in the middle of things may be called, with its type and the status it would have had. */
export const CHAT_ERRORS = {
  rate_limit_exceeded: [429, 'rate_limit_error', 'Rate limit reached. Please try again later.'],
  insufficient_quota: [
    ...([429, 'insufficient_quota'] as const),
    'You exceeded your current quota, please check your plan and billing details.',
  ],
  server_error: [500, 'server_error', 'The server had an error while processing your request. Sorry about that!'],
  server_is_overloaded: [
    ...([503, 'service_unavailable_error'] as const),
    'Our servers are currently overloaded. Please try again later.',
  ],
  slow_down: [503, 'service_unavailable_error', 'Our servers are busy. Please slow down.'],
  context_length_exceeded: [
    ...([400, 'invalid_request_error'] as const),
    'Your input exceeds the context window of this model. Please adjust your input and try again.',
  ],
  content_policy_violation: [
    ...([400, 'invalid_request_error'] as const),
    'Your request was rejected as a result of our safety system.',
  ],
  invalid_api_key: [401, 'invalid_request_error', 'Incorrect API key provided.'],
  model_not_found: [404, 'invalid_request_error', 'The model does not exist or you do not have access to it.'],
} as const satisfies Readonly<Record<string, readonly [status: number, type: string, message: string]>>;

export type ChatErrorCode = keyof typeof CHAT_ERRORS;

export const CHAT_ERROR_CODES = Object.keys(CHAT_ERRORS) as readonly ChatErrorCode[];

/** The same error as a whole answer. */
export function chatRefusal(code: ChatErrorCode): Refusal {
  const [status, type, message] = CHAT_ERRORS[code];
  return { status, type, code, message };
}
