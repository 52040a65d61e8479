import { type ProviderWords, providerWords } from '../envelope.ts';
import type { FailureKind } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import type { FailureReading } from './provider.ts';

/**
 * Reads OpenAI's error envelope `{error: {message, type, code, param}}`, which most compatible servers copy.
 *
 * The code decides before the status, because quota hides behind 429 and 400, and before the type, because
 * `image_generation_user_error` is both moderation and a bad size. The same envelope inside a 200 is a failure too.
 */
export function classifyOpenai(response: HttpResponse): FailureReading | undefined {
  const words = providerWords(response);
  if (words === undefined) return undefined;
  const code = words.code ?? words.type;
  const message = words.message ?? code ?? 'the provider gave no message';
  const kind = kindOf(words, message, response);
  if (kind === undefined) return undefined;
  return {
    kind,
    message,
    ...(code !== undefined && { code, classifiedBy: `status ${response.status}, code ${code}` }),
    ...(kind === 'policy' && stageOf(message)),
    ...(kind === 'throttled' && throttleOf(message)),
  };
}

const KINDS_BY_CODE: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries({
    moderation_blocked: 'policy',
    content_policy_violation: 'policy',
    content_filter: 'policy',
    image_content_policy_violation: 'policy',
    misalignment_policy_violation: 'policy',
    bio_policy: 'policy',
    insufficient_quota: 'quota',
    credit_balance_exhausted: 'quota',
    organization_spend_limit_exceeded: 'quota',
    project_spend_limit_exceeded: 'quota',
    organization_usage_limit_exceeded: 'quota',
    billing_hard_limit_reached: 'quota',
    billing_not_active: 'billing',
    insufficient_balance: 'billing',
    rate_limit_exceeded: 'throttled',
    slow_down: 'throttled',
    server_is_overloaded: 'overloaded',
    overloaded_error: 'overloaded',
    service_unavailable_error: 'overloaded',
    invalid_api_key: 'authentication',
    ip_not_authorized: 'authentication',
    model_not_found: 'not_found',
    invalid_image_url: 'image_url',
    failed_to_download_image: 'image_url',
    image_file_not_found: 'image_url',
    unsupported_format: 'image_format',
    unsupported_image_media_type: 'image_format',
    invalid_image: 'image_format',
    invalid_image_format: 'image_format',
    invalid_image_mode: 'image_format',
    invalid_base64_image: 'image_format',
    image_parse_error: 'image_format',
    empty_image_file: 'image_format',
    image_too_large: 'too_large',
    image_file_too_large: 'too_large',
    image_too_small: 'invalid',
    invalid_prompt: 'invalid',
    data_residency_mismatch: 'permission',
    server_error: 'server',
  } as const),
);

const UNDECIDED: readonly number[] = [408, 409, 502, 504];

/** A reset this near means a per-minute limit whatever the code says; some servers call that a quota. */
const RATE_LIMIT_WORDS = /per[- ](?:second|minute|min)\b|\b(?:RPM|IPM|TPM)\b|try again in \d+(?:\.\d+)?\s*m?s\b/i;

/** `invalid_prompt` is what a refused prompt is called where a job is told of it. */
const FLAGGED_WORDS = /\bflagged\b|usage polic|safety system/i;

function kindOf(words: ProviderWords, message: string, response: HttpResponse): FailureKind | undefined {
  // A proxy's 502 or 504 may wrap the envelope around its own guess; only the status table judges those.
  if (UNDECIDED.includes(response.status)) return undefined;
  const named = KINDS_BY_CODE.get(words.code ?? '') ?? KINDS_BY_CODE.get(words.type ?? '');
  if (named === 'quota' && RATE_LIMIT_WORDS.test(message)) return 'throttled';
  if (named === 'not_found' && /shut down|deprecat|retired|no longer available/i.test(message)) return 'retired';
  if (named === 'invalid' && FLAGGED_WORDS.test(message)) return 'policy';
  if (named !== undefined) return named;
  if (response.status >= 200 && response.status < 300) return 'server';
  return undefined;
}

/** What is blocked at the output was made first: the work is done, and may be billed. */
export function stageOf(message: string): Pick<FailureReading, 'stage' | 'certainty'> | undefined {
  if (/\boutput\b|generated images?\b/i.test(message)) return { stage: 'output', certainty: 'completed' };
  return /\binput\b|prompt|request/i.test(message) ? { stage: 'input' } : undefined;
}

function throttleOf(message: string): { throttle: 'requests' | 'images' | 'tokens' | 'concurrency' } | undefined {
  if (/concurren/i.test(message)) return { throttle: 'concurrency' };
  if (/images? per|input-images|\bIPM\b/i.test(message)) return { throttle: 'images' };
  if (/tokens? per|\bTPM\b/i.test(message)) return { throttle: 'tokens' };
  return /requests? per|\bRPM\b/i.test(message) ? { throttle: 'requests' } : undefined;
}
