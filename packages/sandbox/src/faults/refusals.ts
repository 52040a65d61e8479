import type { Refusal } from '../wire/answer.ts';
import type { Argument, Circumstances, Fault } from './fault.ts';

const VIOLATION = 'safety_violations=[violence]';
const SUCCESSOR = 'gpt-image-2';
const WAIT: Argument = { unit: 'seconds', required: false, maximum: 86_400, example: 2 };

function refusing(
  name: string,
  sentence: string,
  refusal: Refusal | ((circumstances: Circumstances) => Refusal),
): Fault {
  const made = typeof refusal === 'function' ? refusal : () => refusal;
  return { name, sentence, charges: false, act: { kind: 'refuse', refusal: made } };
}

const SERVER_ERROR: Refusal = {
  status: 500,
  reason: 'server',
  type: 'server_error',
  message: 'The server had an error while processing your request. Sorry about that! You can retry your request.',
};

/** `retry-after` in whole seconds, never early; `retry-after-ms` exactly. */
export function retryAfter(ms: number): Record<string, string> {
  return { 'retry-after': String(Math.ceil(ms / 1000)), 'retry-after-ms': String(Math.ceil(ms)) };
}

function rateLimited({ value, model }: Circumstances): Refusal {
  const reached = `Rate limit reached for ${model} on requests per min.`;
  const throttled = { status: 429, reason: 'rate', type: 'rate_limit_error', code: 'rate_limit_exceeded' } as const;
  if (value === undefined) return { ...throttled, message: `${reached} Please try again later.` };
  const waitMs = value * 1000;
  return { ...throttled, message: `${reached} Please try again in ${value}s.`, waitMs, headers: retryAfter(waitMs) };
}

function rateLimitedUntil({ value = 0, model, now }: Circumstances): Refusal {
  const until = new Date(Math.ceil((now + value * 1000) / 1000) * 1000).toUTCString();
  return { ...rateLimited({ value: undefined, model, now }), waitMs: value * 1000, headers: { 'retry-after': until } };
}

/** Faults whose answer is an error in OpenAI's envelope, or the bare 503 of a load balancer. */
export const REFUSING_FAULTS: readonly Fault[] = [
  refusing('400', 'Answers 400: the size is not supported.', {
    status: 400,
    reason: 'invalid',
    param: 'size',
    code: 'invalid_value',
    message: "Invalid value: the size is not supported by this model. Supported values are: '1024x1024' and 'auto'.",
  }),
  refusing('policy', 'Answers 400: the prompt was blocked by moderation, no work was done.', {
    status: 400,
    reason: 'policy',
    type: 'image_generation_user_error',
    code: 'moderation_blocked',
    message: `Your request was rejected by the safety system. ${VIOLATION}.`,
  }),
  {
    ...refusing('policy-output', 'Answers 400: the picture was made and then blocked by moderation.', {
      status: 400,
      reason: 'policy-output',
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
      message: `The generated output was blocked by the safety system. ${VIOLATION}.`,
    }),
    charges: true,
  },
  refusing('401', 'Answers 401: the API key is wrong.', {
    status: 401,
    reason: 'key',
    code: 'invalid_api_key',
    message: 'Incorrect API key provided. You can find your API key in your account settings.',
  }),
  refusing('402', 'Answers 402: the balance is used up.', {
    status: 402,
    reason: 'billing',
    code: 'insufficient_balance',
    message: 'Insufficient balance. Please add credit to your account.',
  }),
  refusing('403', 'Answers 403: the organization must be verified.', ({ model }) => ({
    status: 403,
    reason: 'permission',
    message:
      `Your organization must be verified to use the model \`${model}\`. Please go to your organization settings and click on ` +
      'Verify Organization. If you just verified, it can take up to 15 minutes for access to propagate.',
  })),
  refusing('404', 'Answers 404: the model does not exist.', ({ model }) => ({
    status: 404,
    reason: 'not-found',
    code: 'model_not_found',
    message: `The model '${model}' does not exist or you do not have access to it.`,
  })),
  refusing('retired', 'Answers 404: the model was shut down; the message names its successor.', ({ model }) => ({
    status: 404,
    reason: 'retired',
    code: 'model_not_found',
    message: `The model '${model}' was shut down and is no longer available. Use its successor '${SUCCESSOR}' instead.`,
  })),
  refusing('408', 'Answers 408.', {
    status: 408,
    reason: 'timeout',
    code: 'request_timeout',
    message: 'The request timed out.',
  }),
  refusing('409', 'Answers 409.', {
    status: 409,
    reason: 'conflict',
    code: 'conflict',
    message: 'The request conflicts with another one. Please retry.',
  }),
  {
    ...refusing(
      '429',
      'Answers 429 for a rate limit, with Retry-After when seconds are given and without a hint otherwise.',
      rateLimited,
    ),
    argument: WAIT,
  },
  {
    ...refusing('429-date', 'Answers 429 with a Retry-After that is a date S seconds from now.', rateLimitedUntil),
    argument: { ...WAIT, required: true },
  },
  refusing('429-concurrency', 'Answers 429: too many requests at the same time.', ({ model }) => ({
    status: 429,
    reason: 'concurrency',
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    message: `Too many concurrent requests for ${model}. Please wait for one of them to finish.`,
  })),
  refusing('quota', 'Answers 429: the quota is used up, and waiting does not help.', {
    status: 429,
    reason: 'quota',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  }),
  refusing('500', 'Answers 500; no work was done.', SERVER_ERROR),
  { ...refusing('500-billed', 'Answers 500 although the work was done.', SERVER_ERROR), charges: true },
  {
    name: '503',
    sentence: 'Answers 503 with an empty body; no work was done.',
    charges: false,
    act: { kind: 'page', status: 503, html: '' },
  },
  refusing('503-overloaded', 'Answers 503: the servers are overloaded; no work was done.', {
    status: 503,
    reason: 'overloaded',
    type: 'service_unavailable_error',
    code: 'server_is_overloaded',
    message: 'Our servers are currently overloaded. Please try again later.',
  }),
  refusing('error-in-200', 'Answers 200 with an error in it; no work was done.', { ...SERVER_ERROR, status: 200 }),
];
