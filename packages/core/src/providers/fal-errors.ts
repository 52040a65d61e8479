import type { FailureKind } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import { isObject, type JsonValue, stringAt } from '../json.ts';
import type { FailureReading } from './provider.ts';

/** What fal says of a failure; its `input`, which repeats the prompt and private links, is never read. */
interface FalWords {
  readonly type?: string;
  readonly message?: string;
  /** The field it is about. */
  readonly place?: string;
}

const KINDS_BY_TYPE: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ['content_policy_violation', 'policy'],
  ['file_too_large', 'too_large'],
  ['image_load_error', 'image_format'],
  ['unsupported_image_format', 'image_format'],
  ['file_download_error', 'image_url'],
  ['feature_not_supported', 'capability'],
  ['downstream_service_unavailable', 'overloaded'],
  ['runner_scheduling_failure', 'overloaded'],
  ['startup_timeout', 'overloaded'],
  ['client_cancelled', 'canceled'],
  ['client_disconnected', 'canceled'],
]);

/**
 * Reads fal's shapes: `{detail: [{type, msg, loc}]}` of a model, `{detail, error_type}` of the platform, `{message}` or
 * a page of what stands before it. The type decides, then the status; `x-fal-retryable` overrules what it means.
 */
export function classifyFal(response: HttpResponse): FailureReading | undefined {
  // Of a look or a submit they say that an answer was lost; only at the result may they be the app's own.
  return UNDECIDED.includes(response.status) ? undefined : readingOf(response);
}

const UNDECIDED: readonly number[] = [502, 504];

function readingOf(response: HttpResponse): FailureReading | undefined {
  const { status, headers } = response;
  if (status < 400) return undefined;
  const words = wordsOf(response);
  const message = words.message ?? words.type ?? '';
  const told = { message, ...(words.type !== undefined && { code: words.type }) };
  if (status === 403 && /balance|locked|billing/i.test(message)) return { kind: 'billing', ...told };
  if (status === 429) return { kind: 'throttled', throttle: 'concurrency', ...told, message: message || TOO_MANY };
  if (words.type === undefined || FRONT_STATUSES.includes(status)) return undefined;
  const kind = kindOf(words.type, status, headers['x-fal-retryable']);
  const { place } = words;
  return {
    kind,
    ...certaintyOf(kind, status, headers['x-fal-billable-units']),
    ...(kind === 'canceled' && { cancel: 'confirmed' as const }),
    ...(kind === 'policy' && stageOf(place, headers['x-fal-billable-units'])),
    ...(place !== undefined && { param: place }),
    ...told,
    ...(kind === 'invalid' && place !== undefined && { message: `${place}: ${message}` }),
    classifiedBy: `status ${status}, type ${words.type}`,
  };
}

/** What these say is about the caller or the address, whatever type comes along. */
const FRONT_STATUSES: readonly number[] = [401, 403, 404, 408];
const TOO_MANY = 'too many concurrent requests';

/** Repeating what fal calls not retryable cannot help, however it failed; another model may still do it. */
function kindOf(type: string, status: number, retryable: string | undefined): FailureKind {
  const named = KINDS_BY_TYPE.get(type);
  if (named === 'policy' || named === 'canceled') return named;
  if (retryable === 'true') return named === 'overloaded' ? named : 'server';
  if (retryable === 'false' && status >= 500) return 'capability';
  return named ?? (status >= 500 ? 'server' : 'invalid');
}

/** The prompt is what is named for a blocked picture too; what is billed was made. */
function stageOf(place: string | undefined, units: string | undefined): Pick<FailureReading, 'stage'> {
  if (Number(units) > 0) return { stage: 'output' };
  return /^(?:prompt|image)/.test(place ?? '') ? { stage: 'input' } : {};
}

/** Its own count of what it bills decides, where it is told; a 5xx of a running app is the app's own word that it failed. */
function certaintyOf(
  kind: FailureKind,
  status: number,
  units: string | undefined,
): Pick<FailureReading, 'certainty'> | undefined {
  if (units !== undefined && Number(units) === 0) return { certainty: 'rejected' };
  if (kind === 'canceled') return { certainty: 'ambiguous' };
  if (units !== undefined && Number(units) > 0) return { certainty: kind === 'policy' ? 'completed' : 'failed' };
  return status >= 500 && kind !== 'overloaded' ? { certainty: 'failed' } : undefined;
}

/**
 * At the result an error is the request's own end when a model or a runner says so. What fal's front says of the look
 * itself (a key, a rate, a page of nginx, an internal error) is not.
 */
export function jobsOwnEnd(response: HttpResponse): FailureReading | undefined {
  const { type, message = '' } = wordsOf(response);
  if (/still in progress/i.test(message) || response.status < 400 || type === undefined || type === 'internal_error')
    return undefined;
  const isFronts = response.status === 429 || FRONT_STATUSES.includes(response.status);
  return isFronts ? undefined : readingOf(response);
}

function wordsOf({ headers, body, text }: HttpResponse): FalWords {
  const isOurs = isObject(body);
  const detail = isOurs ? body.detail : undefined;
  const first: JsonValue | undefined = Array.isArray(detail) ? detail[0] : undefined;
  const named = stringAt(first, 'type') ?? stringAt(body, 'error_type') ?? headers['x-fal-error-type'];
  const type = named ?? cut('type', text) ?? (Array.isArray(detail) ? 'unnamed' : undefined);
  const said =
    stringAt(first, 'msg') ??
    stringAt(body, 'detail') ??
    stringAt(body, 'message') ??
    stringAt(body, 'error') ??
    (isOurs ? undefined : cut('msg', text));
  const loc: readonly JsonValue[] = isObject(first) && Array.isArray(first.loc) ? first.loc.slice(0, 8) : [];
  const place = loc.filter((part, index) => index > 0 || part !== 'body').join('.');
  return {
    ...(type !== undefined && type !== '' && { type }),
    ...(said !== undefined && { message: said }),
    ...(place !== '' && { place }),
  };
}

/** An `input` of megabytes, repeated in the error, leaves a body that is cut and no JSON any more. */
function cut(key: 'type' | 'msg', text: string): string | undefined {
  if (!text.startsWith('{"detail"')) return undefined;
  return new RegExp(`"${key}":\\s*"([^"\\\\]{1,300})"`).exec(text)?.[1];
}
