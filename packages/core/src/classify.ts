import { providerWords } from './envelope.ts';
import { FAILURES, type Failure, type FailureKind } from './failure.ts';
import type { HttpResponse } from './http.ts';
import type { TransportError } from './io.ts';
import { isObject, stringAt } from './json.ts';
import { readHint } from './policy/hints.ts';
import type { FailureReading, Provider } from './providers/provider.ts';

const MAX_MESSAGE_CHARS = 500;

/** What a status says when the provider's own classification leaves it open. A 2xx and everything not listed says nothing. */
const STATUS_KINDS: Readonly<Record<number, FailureKind>> = {
  401: 'authentication',
  402: 'billing',
  403: 'permission',
  404: 'not_found',
  410: 'retired',
  413: 'too_large',
  421: 'overloaded',
  425: 'overloaded',
  429: 'throttled',
  529: 'overloaded',
};

/** The failure a provider's answer means, or undefined when it may hold what was asked for. Total: every answer is read. */
export function failureOf(provider: Provider, response: HttpResponse, now: number): Failure | undefined {
  const reading = provider.classify(response) ?? statusReading(response);
  return reading && completeFailure(reading, response, now);
}

/** Fills in what an adapter's reading leaves out: certainty from the table, status, request id, and the provider's hint. */
export function completeFailure(reading: FailureReading, response: HttpResponse, now: number): Failure {
  // A quota's reset headers speak of the rate beside it.
  const throttled = reading.kind === 'throttled' && response.status === 429;
  const hint = readHint(response.headers, response.body, response.text, now, throttled);
  const waits = reading.kind === 'throttled' || reading.kind === 'overloaded' || reading.kind === 'quota';
  const { code, param } = providerWords(response) ?? {};
  const requestId = response.headers['x-request-id'] ?? response.headers['request-id'];
  return {
    certainty: FAILURES[reading.kind].certainty,
    status: response.status,
    classifiedBy: `status ${response.status}`,
    ...(waits && hint && { notBefore: hint.notBefore }),
    ...(waits && hint?.throttle && { throttle: hint.throttle }),
    ...reading,
    ...presentableFields({ code, param, requestId, ...reading }),
    message: presentable(reading.message) || `the provider answered ${response.status} without a word of why`,
  };
}

const WORDED_FIELDS = ['code', 'param', 'requestId', 'classifiedBy'] as const;

/** What a provider may have written into the short fields is held to the same rule as its message. */
function presentableFields(words: Partial<Record<(typeof WORDED_FIELDS)[number], string | undefined>>) {
  const given = WORDED_FIELDS.map((field) => [field, words[field]] as const);
  return Object.fromEntries(given.flatMap(([field, text]) => (text === undefined ? [] : [[field, presentable(text)]])));
}

function statusReading(response: HttpResponse): FailureReading | undefined {
  const { status } = response;
  const known = STATUS_KINDS[status];
  const said = providerWords(response)?.message || otherWords(response) || 'no explanation';
  if (known) return { kind: known, message: `the provider answered ${status}: ${said}` };
  if (status >= 200 && status < 300) return response.body === undefined ? foreignBody(response) : undefined;
  if (status === 408)
    return { kind: 'timeout', certainty: 'ambiguous', message: 'the provider answered 408: it stopped waiting' };
  if (status === 409)
    return { kind: 'server', certainty: 'ambiguous', message: 'the provider answered 409: the work may be running' };
  if (status >= 400 && status < 500) return { kind: 'invalid', message: `the provider answered ${status}: ${said}` };
  if (status >= 500) return serverReading(response, said);
  return {
    kind: 'network',
    certainty: 'rejected',
    message: `the provider answered ${status}, a redirect or an unknown status, and made nothing; check its base_url`,
  };
}

/** What an answer of no known shape says. It may repeat what was asked for, so of JSON only its own words are shown. */
function otherWords({ body, text }: HttpResponse): string {
  if (isObject(body)) return WORD_KEYS.map((key) => stringAt(body, key) ?? '').find((words) => words !== '') ?? '';
  return /^\s*[[{"]/.test(text) ? '' : presentable(text);
}

const WORD_KEYS = ['message', 'detail', 'description', 'error_description', 'msg', 'reason', 'title'] as const;

/** Cloudflare's own, of a server that it lost; to a program it tells them in JSON, as a provider would. */
const [FIRST_CDN_STATUS, LAST_CDN_STATUS] = [520, 530];

/** A 5xx is the provider's own verdict only in its own error envelope; a proxy's 5xx says that a verdict was lost. */
function serverReading(response: HttpResponse, said: string): FailureReading {
  const { status } = response;
  const message = `the provider answered ${status}: ${said}`;
  const proxied = status === 502 || status === 504 || (status >= FIRST_CDN_STATUS && status <= LAST_CDN_STATUS);
  if (status === 503 && response.headers['retry-after'] !== undefined) return { kind: 'overloaded', message };
  if (status !== 503 && !proxied && providerWords(response) !== undefined) {
    return { kind: 'server', message };
  }
  return { kind: 'server', certainty: 'ambiguous', message: `${message}; nothing says whether the work was done` };
}

function foreignBody(response: HttpResponse): FailureReading {
  const type = response.headers['content-type'] ?? 'no content-type';
  return {
    kind: 'server',
    certainty: 'ambiguous',
    message: `the answer was not the provider's: status ${response.status} with ${type} instead of JSON; something between may have replaced it`,
  };
}

/** The certainty of a broken exchange: before the first byte could leave nothing happened, after it nobody knows. */
export function transportFailure(error: TransportError, connectMs: number): Failure {
  if (error.phase !== 'unsent') {
    const lost = error.phase === 'sent' ? 'before any answer came' : 'in the middle of the answer';
    return {
      kind: 'network',
      certainty: 'ambiguous',
      message: `the connection was lost ${lost} (${error.code}); the provider may have done the work`,
      classifiedBy: `wire phase ${error.phase}, ${error.code}`,
    };
  }
  const classifiedBy = `wire phase unsent, ${error.code}`;
  if (error.certificate)
    return { kind: 'certificate', certainty: 'not_sent', message: presentable(error.message), classifiedBy };
  if (error.code === 'CONNECT_TIMEOUT') {
    const clock = { name: 'connect', afterMs: connectMs, setting: 'connect_timeout_ms' } as const;
    return {
      kind: 'timeout',
      certainty: 'not_sent',
      message: `no connection within ${connectMs} ms (connect_timeout_ms)`,
      clock,
      classifiedBy,
    };
  }
  return {
    kind: 'network',
    certainty: 'not_sent',
    message: `the provider could not be reached: ${presentable(error.message)}`,
    classifiedBy,
  };
}

/** A data URL, lines of at least 60 digits, or a single run of at least 100. */
const BASE64 = /data:[^\s,]{0,100};base64,[\w+/=-]*|(?:[\w+/-]{60,}\s+)+[\w+/-]*={0,2}|[\w+/-]{100,}={0,2}/g;
const KEYS = /\b(?:sk|rk|pk|key|r8|fal|hf|gsk|xai)[-_][\w*-]{8,}|\bAIza[\w-]{20,}|\b(?:Bearer|Basic)\s+\S+/gi;

/** The query of a link whose parameters open it: a signature, a token, a key, and until when. */
const SIGNED_QUERY =
  /(https?:\/\/[^\s?"'<>]{1,500})\?(?=[^\s"'<>]{0,2000}(?:sig|token|key|expires|credential|policy))[^\s"'<>]*/gi;

/** Cuts a provider's words to what a log and a caller should hold: no key, no signature, no base64, no markup, bounded. */
export function presentable(text: string): string {
  return text
    .slice(0, 16_384)
    .replaceAll(/<(script|style)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replaceAll(SIGNED_QUERY, '$1?[redacted]')
    .replaceAll(BASE64, '[long data]')
    .replaceAll(KEYS, '[redacted]')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_MESSAGE_CHARS);
}
