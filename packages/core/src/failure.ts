import type { BudgetStanding } from './budget-standing.ts';
import type { PromptFinding } from './policy/prompt-finding.ts';

/**
 * The one table of failures: certainty (did the provider do, and bill, the work?) and kind (the cause). Retry and the
 * bill read certainty, the breaker kind, the HTTP answer both; docs/reference/failures.md is generated from this file.
 */

/**
 * - `not_sent`: the request provably never left.
 * - `rejected`: the provider answered that it did no work, or bills nothing whatever it does.
 * - `failed`: the provider's own words that it tried and failed.
 * - `ambiguous`: bytes left and no verdict came; the work may be done and billed.
 * - `completed`: the work was done and nothing usable came.
 */
export type Certainty = 'not_sent' | 'rejected' | 'failed' | 'ambiguous' | 'completed';

/** Which of the five clocks ran out. */
export type Clock = 'queue' | 'connect' | 'first_byte' | 'first_token' | 'idle' | 'total';

export interface FailureRow {
  readonly certainty: Certainty;
  /** May the same target be tried again when nothing was paid? */
  readonly retry: boolean;
  /** May the next target be tried when nothing was paid? */
  readonly fallback: boolean;
  /** What the failure does to the breakers: counts against the target, trips the credential, or nothing. */
  readonly breaker: 'target' | 'credential' | 'ignored';
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string;
  readonly advice: string;
}

export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'rate_limit_error'
  | 'server_error';

const ask = { type: 'invalid_request_error', certainty: 'rejected', retry: false, breaker: 'ignored' } as const;
const ours = { certainty: 'not_sent', retry: false, fallback: false, breaker: 'ignored' } as const;
const unusable = { ...ours, certainty: 'completed', status: 424, type: 'server_error' } as const;
const trouble = { retry: true, fallback: true, breaker: 'target', type: 'server_error' } as const;

/** Per kind: its usual certainty, what may follow, what the breakers make of it, the HTTP answer, and one sentence of advice. */
export const FAILURES = {
  throttled: {
    certainty: 'rejected',
    retry: true,
    fallback: true,
    breaker: 'ignored',
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    advice: 'The provider limits this key; wait as long as Retry-After says, or send less at once.',
  },
  quota: {
    certainty: 'rejected',
    retry: false,
    fallback: true,
    breaker: 'credential',
    status: 429,
    type: 'rate_limit_error',
    code: 'insufficient_quota',
    advice:
      'The provider account has used up its quota; repeating cannot help until it is raised or topped up in the provider’s console.',
  },
  billing: {
    certainty: 'rejected',
    retry: false,
    fallback: true,
    breaker: 'credential',
    status: 402,
    type: 'permission_error',
    code: 'insufficient_balance',
    advice: 'The provider account has no balance; add credit in the provider’s console.',
  },
  authentication: {
    certainty: 'rejected',
    retry: false,
    fallback: true,
    breaker: 'credential',
    status: 502,
    type: 'server_error',
    code: 'provider_authentication',
    advice: 'The provider refuses the key this gateway uses; check the variable that holds it.',
  },
  permission: {
    certainty: 'rejected',
    retry: false,
    fallback: true,
    breaker: 'ignored',
    status: 403,
    type: 'permission_error',
    code: 'permission_denied',
    advice:
      'The provider does not allow this key to do that; the account’s owner has to change it (often: verify the organisation).',
  },
  not_found: {
    certainty: 'rejected',
    retry: false,
    fallback: true,
    breaker: 'ignored',
    status: 404,
    type: 'not_found_error',
    code: 'model_not_found',
    advice: 'Nobody answers to this model name for this key; GET /v1/models lists those that can be used.',
  },
  retired: {
    certainty: 'rejected',
    retry: false,
    fallback: true,
    breaker: 'ignored',
    status: 404,
    type: 'not_found_error',
    code: 'model_retired',
    advice: 'The provider has shut this model down; use its successor.',
  },
  invalid: {
    ...ask,
    fallback: false,
    status: 400,
    code: 'invalid_value',
    advice: 'Change the request; the message names the field.',
  },
  capability: {
    ...ask,
    fallback: true,
    status: 400,
    code: 'capability_missing',
    advice: 'This model cannot do what was asked; choose another model or leave the parameter out.',
  },
  too_large: {
    ...ask,
    fallback: false,
    status: 413,
    code: 'file_too_large',
    advice: 'Send less: the message names the limit and who sets it.',
  },
  image_url: {
    ...ask,
    fallback: false,
    status: 400,
    code: 'invalid_image_url',
    advice:
      'The provider could not fetch a picture the request refers to; upload the file, or give a link that opens without a login.',
  },
  image_format: {
    ...ask,
    fallback: false,
    status: 400,
    code: 'unsupported_format',
    advice: 'The provider does not read pictures of this format; convert it to PNG, JPEG or WebP.',
  },
  policy: {
    ...ask,
    fallback: false,
    status: 400,
    code: 'content_policy_violation',
    advice:
      'The provider refused the content; change the prompt or the picture. Repeating the same request will be refused again.',
  },
  overloaded: {
    ...trouble,
    certainty: 'rejected',
    status: 503,
    code: 'model_unavailable',
    advice: 'The provider is overloaded; try again later or add a second target to the route.',
  },
  server: {
    ...trouble,
    certainty: 'failed',
    status: 424,
    code: 'generation_failed',
    advice: 'The provider tried and failed. Trying again may be billed again.',
  },
  out_of_memory: {
    certainty: 'failed',
    retry: false,
    fallback: true,
    breaker: 'ignored',
    status: 424,
    type: 'server_error',
    code: 'out_of_memory',
    advice:
      'The machine has too little memory for this picture; ask for a smaller size or fewer at once, or use a host with more memory.',
  },
  network: {
    ...trouble,
    certainty: 'not_sent',
    status: 502,
    code: 'provider_unreachable',
    advice: 'The provider could not be reached; check its base URL, DNS and the network of this machine.',
  },
  certificate: {
    certainty: 'not_sent',
    retry: false,
    fallback: true,
    breaker: 'target',
    status: 502,
    type: 'server_error',
    code: 'provider_unreachable',
    advice: 'The provider’s TLS certificate was refused; check the base URL, the clock, and any intercepting proxy.',
  },
  timeout: {
    ...trouble,
    certainty: 'ambiguous',
    status: 504,
    code: 'timeout',
    advice: 'The named clock ran out; raise the setting it names if the model is only slow.',
  },
  empty: {
    ...unusable,
    code: 'no_image_returned',
    advice:
      'The provider answered without a picture and may have billed it; look at the provider’s text, change the prompt, or try another model.',
  },
  corrupt: {
    ...unusable,
    code: 'corrupt_image',
    advice:
      'What the provider sent as a picture does not open and may have been billed; report it to the provider with its request id.',
  },
  suspect: {
    ...unusable,
    code: 'suspect_image',
    advice:
      'A whole picture was made, billed and kept, and is not what was asked for; look at it by its generation, or send suspect: accept to be given such pictures.',
  },
  storage: {
    ...unusable,
    code: 'storage_failed',
    advice: 'The picture was made but could not be stored here; free space in the data directory.',
  },
  interrupted: {
    ...unusable,
    certainty: 'ambiguous',
    code: 'outcome_unknown',
    advice:
      'This gateway stopped while the provider was working; the provider may have billed a picture. Look it up there before paying again.',
  },
  canceled: {
    ...ours,
    status: 499,
    type: 'invalid_request_error',
    code: 'canceled',
    advice: 'The request was canceled and nothing of it was billed; send it again if it is wanted after all.',
  },
  budget: {
    ...ours,
    status: 402,
    type: 'permission_error',
    code: 'budget_exceeded',
    advice: 'The budget does not cover this request; raise it or wait for its reset.',
  },
  queue_full: {
    ...ours,
    status: 429,
    type: 'rate_limit_error',
    code: 'queue_full',
    advice: 'Too many requests are waiting here; wait as long as Retry-After says.',
  },
  unavailable: {
    ...ours,
    status: 503,
    type: 'server_error',
    code: 'model_unavailable',
    advice: 'No target of this route can take the request now; the message says why for each.',
  },
} as const satisfies Record<string, FailureRow>;

export type FailureKind = keyof typeof FAILURES;

/** Why an attempt or a run did not end in a usable picture. Plain data: it is journaled and sent to callers. */
export interface Failure {
  readonly kind: FailureKind;
  readonly certainty: Certainty;
  /** What happened, in words fit for the caller; never holds a key or picture bytes. */
  readonly message: string;
  /** The provider's own error code and HTTP status, where it gave them. */
  readonly code?: string;
  readonly status?: number;
  readonly requestId?: string;
  readonly param?: string;
  /** Not to be tried before this instant (epoch ms): the provider's own word, or an open breaker's. */
  readonly notBefore?: number;
  readonly throttle?: 'requests' | 'images' | 'tokens' | 'concurrency';
  readonly clock?: { readonly name: Clock; readonly afterMs: number; readonly setting: string };
  /** Of a canceled job: whether the provider itself gave it up. For refusals: blocked before or after the work. */
  readonly cancel?: 'confirmed' | 'unconfirmed';
  readonly stage?: 'input' | 'output';
  /** What was found in the prompt before anything was sent, where that is the reason. */
  readonly findings?: readonly PromptFinding[];
  readonly budget?: BudgetStanding;
  /** The rule that classified it, such as `status 429` or `openai code insufficient_quota`. */
  readonly classifiedBy?: string;
}
