import type { HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { FailureReading } from './provider.ts';

/**
 * Reads Google's `{error: {code, message, status, details}}`, which a stream wraps in a list. The reason in the details
 * decides before the status: a bad key is a 400, and a 429 is a rate, a day's quota, or a limit of nothing at all.
 */
export function classifyGoogle({ status: httpStatus, body }: HttpResponse): FailureReading | undefined {
  const top: JsonValue | undefined = Array.isArray(body) ? body[0] : body;
  const error = isObject(top) && isObject(top.error) ? top.error : undefined;
  if (error === undefined || Object.keys(error).length === 0) return undefined;
  const said: Said = {
    status: stringAt(error, 'status') ?? '',
    http: httpStatus < 400 ? (numberAt(error, 'code') ?? 500) : httpStatus,
    message: stringAt(error, 'message') ?? 'Google gave no message',
    details: detailsOf(error),
  };
  const reading = readingOf(said) ?? (httpStatus < 400 ? ({ kind: 'server' } as const) : undefined);
  if (reading === undefined) return undefined;
  const code = reasonsOf(said)[0] ?? (said.status === '' ? undefined : said.status);
  const classifiedBy = `status ${httpStatus}, ${code ?? 'no status'}`;
  return { ...(code !== undefined && { code }), message: said.message, classifiedBy, ...reading };
}

interface Said {
  readonly status: string;
  readonly http: number;
  readonly message: string;
  readonly details: readonly JsonObject[];
}

type Reading = Omit<FailureReading, 'message'> & Partial<Pick<FailureReading, 'message'>>;

const MAX_DETAILS = 32;

function detailsOf({ details }: JsonObject): readonly JsonObject[] {
  return Array.isArray(details) ? details.slice(0, MAX_DETAILS).filter(isObject) : [];
}

function reasonsOf({ details }: Said): readonly string[] {
  return details.map((detail) => stringAt(detail, 'reason')).filter((reason) => reason !== undefined);
}

function readingOf(said: Said): Reading | undefined {
  const { status, http, message } = said;
  const isKeys = reasonsOf(said).some((reason) => /^API_KEY_(?:INVALID|EXPIRED)$|^ACCESS_TOKEN/.test(reason));
  if (isKeys || /API key (?:not valid|not found|expired)|reported as leaked/i.test(message))
    return { kind: 'authentication' };
  if (status === 'RESOURCE_EXHAUSTED' || http === 429) return exhausted(said);
  if (/\bbilling\b|prepa(?:id|yment)/i.test(message) || reasonsOf(said).includes('BILLING_DISABLED'))
    return { kind: 'billing' };
  // Most often: the API is not offered where the caller is.
  if (status === 'FAILED_PRECONDITION') return { kind: 'permission' };
  if (status === 'UNAVAILABLE' || http === 503) return { kind: 'overloaded' };
  if (status === 'NOT_FOUND' && /no longer|shut ?down|deprecat|retired|discontinued/i.test(message))
    return { kind: 'retired' };
  if (http === 499) return { kind: 'server', certainty: 'ambiguous' };
  return status === 'INVALID_ARGUMENT' || http === 400 ? wrong(said) : undefined;
}

function wrong(said: Said): Reading {
  const isUnsafe = reasonsOf(said).some((reason) => reason.includes('UNSAFE'));
  if (isUnsafe || /blocked by safety|safety settings/i.test(said.message)) return { kind: 'policy', stage: 'input' };
  if (/payload size|too large|exceeds the (?:maximum|limit)/i.test(said.message)) return { kind: 'too_large' };
  const [violation] = said.details.flatMap(({ fieldViolations }) => listOf(fieldViolations));
  const param = stringAt(violation, 'field');
  return { kind: 'invalid', ...(param !== undefined && { param }) };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value.slice(0, MAX_DETAILS) : [];
}

/** A limit of nothing is a plan that does not have this model; a day's quota comes back, but not soon. */
function exhausted({ message, details }: Said): Reading {
  const violations = details.flatMap((detail) => listOf(detail.violations));
  const names = violations.map((one) => `${stringAt(one, 'quotaId') ?? ''} ${stringAt(one, 'quotaMetric') ?? ''}`);
  const spelled = [...names, message].join(' ');
  if (/prepayment credits|billing account|spend(?:ing)? (?:cap|limit)/i.test(message)) return { kind: 'billing' };
  const isNothing = violations.some((one) => stringAt(one, 'quotaValue') === '0') || /\blimit: 0\b/.test(message);
  if (isNothing) return { kind: 'quota', message: `the plan of this key includes none of it: ${message}` };
  if (/per_?day|daily/i.test(spelled)) return { kind: 'quota' };
  const throttle = /token/i.test(spelled) ? 'tokens' : /image/i.test(names.join(' ')) ? 'images' : 'requests';
  return { kind: 'throttled', ...(names.length > 0 && { throttle }) };
}
