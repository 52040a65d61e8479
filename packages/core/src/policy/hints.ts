import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';

/** A provider's own word on when to come back. */
export interface Hint {
  /** Not to be tried before this instant (epoch ms): at least `now`, at most a year later. */
  readonly notBefore: number;
  /** The header, body field or prose it was read from. */
  readonly source: string;
  /** What the provider counts, where it says so. */
  readonly throttle?: Throttle;
}

type Throttle = 'requests' | 'images' | 'tokens' | 'concurrency';
type Headers = Readonly<Record<string, string>>;
/** A reading before it is anchored: a wait from now, or an instant on the provider's clock. */
type Reading = { readonly afterMs: number } | { readonly at: number };

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const MAX_PROSE_CHARS = 64 * 1024;

/**
 * Reads every form of retry hint seen at providers; undefined when there is none or none can be understood.
 *
 * The first that reads wins: `retry-after-ms` and its vendor names, `retry-after` (RFC 9110 §10.2.3, also decimals and
 * durations), the body (google.rpc.RetryInfo, `retry_after`), prose, rate limit resets. Instants are corrected by the
 * skew of the answer's `date`. Resets count where the matching `remaining` is 0; on a `throttled` answer that names no
 * exhausted limit the earliest reset stands, because any of them may be the one.
 */
export function readHint(
  headers: Headers,
  body: JsonValue | undefined,
  text: string,
  now: number,
  throttled = false,
): Hint | undefined {
  const words = prose(body, text);
  const found =
    millisecondsHint(headers) ??
    retryAfterHint(headers, now) ??
    bodyHint(body, now) ??
    proseHint(words) ??
    resetHint(headers, now, throttled);
  if (found === undefined) return undefined;
  const throttle = found.throttle ?? throttleInWords(words);
  const notBefore = anchor(found.reading, headers, now);
  return { notBefore, source: found.source, ...(throttle && { throttle }) };
}

interface Found {
  readonly reading: Reading;
  readonly source: string;
  readonly throttle?: Throttle | undefined;
}

function anchor(reading: Reading, headers: Headers, now: number): number {
  if ('afterMs' in reading) return now + clamp(reading.afterMs);
  const theirNow = httpDate(headers.date ?? '', now) ?? now;
  return now + clamp(reading.at - theirNow);
}

function clamp(waitMs: number): number {
  return Math.min(Math.max(waitMs, 0), YEAR_MS);
}

function millisecondsHint(headers: Headers): Found | undefined {
  for (const source of ['retry-after-ms', 'x-ms-retry-after-ms', 'x-amz-retry-after']) {
    const afterMs = decimal(headers[source] ?? '');
    if (afterMs !== undefined) return { reading: { afterMs }, source };
  }
  return undefined;
}

/** A repeated header arrives joined by commas; seconds then win over a date, and the longest of them over the others. */
function retryAfterHint(headers: Headers, now: number): Found | undefined {
  const source = 'retry-after';
  const value = headers[source]?.trim() ?? '';
  const repeated = value.split(/,\s*(?=[\d.]+\s*(?:,|$))/).map(decimal);
  const seconds = repeated.filter((one) => one !== undefined);
  const reading = seconds.length > 0 ? numberReading(Math.max(...seconds)) : timeReading(value, now);
  return reading && { reading, source };
}

function bodyHint(body: JsonValue | undefined, now: number): Found | undefined {
  for (const place of errorPlaces(body)) {
    for (const detail of Array.isArray(place.details) ? place.details.slice(0, 100) : []) {
      const delay = stringAt(detail, 'retryDelay');
      const afterMs = delay === undefined ? undefined : durationMs(delay);
      if (afterMs !== undefined) return { reading: { afterMs }, source: 'RetryInfo' };
    }
    for (const source of ['retry_after', 'retryAfter']) {
      const value = place[source];
      const reading =
        typeof value === 'number' || typeof value === 'string' ? timeReading(String(value), now) : undefined;
      if (reading !== undefined) return { reading, source };
    }
  }
  return undefined;
}

/** Where providers put what they say about an error: the body, its `error`, or those of a list's first entry. */
function errorPlaces(body: JsonValue | undefined): readonly JsonObject[] {
  const top = Array.isArray(body) ? body[0] : body;
  return isObject(top) ? [top, top.error].filter(isObject) : [];
}

function prose(body: JsonValue | undefined, text: string): readonly string[] {
  const said = errorPlaces(body).flatMap((place) => ['message', 'detail', 'error'].map((key) => stringAt(place, key)));
  return [...said, text].filter((one) => one !== undefined).map((one) => one.slice(0, MAX_PROSE_CHARS));
}

const UNIT_NAMES: readonly (readonly [names: string, ms: number])[] = [
  ['ns', 1e-6],
  ['us|µs', 1e-3],
  ['ms|milliseconds?', 1],
  ['s|secs?|seconds?', 1_000],
  ['m|mins?|minutes?', 60_000],
  ['h|hours?', 3_600_000],
  ['d|days?', 86_400_000],
];
const TERM = String.raw`\d{1,15}(?:\.\d{1,15})? ?(?:${UNIT_NAMES.map(([names]) => names).join('|')})(?![a-zµ])`;
const DURATION = `${TERM}(?:,? ?(?:and )?${TERM}){0,4}`;
const WHOLE_DURATION = new RegExp(`^${DURATION}$`, 'i');
const PROSE = new RegExp(
  String.raw`\b(?:try again|retry|resets?|wait)(?: again)?(?: in| after| for)? (?:about |approximately )?~?(${DURATION})`,
  'i',
);

/** When a time in a header's value is, whatever form it has; instants are corrected by the skew of the answer's `date`. */
export function instantOf(value: string, headers: Headers, now: number): number | undefined {
  const reading = timeReading(value, now);
  return reading && anchor(reading, headers, now);
}

/** The sum of a duration's terms, such as `6m0s`, `2m59.56s`, `20ms` or `1 hour and 5 minutes`. */
export function durationMs(text: string): number | undefined {
  if (!WHOLE_DURATION.test(text.trim())) return undefined;
  const terms = text.matchAll(/([\d.]+) ?([a-zµ]+)/gi);
  return [...terms].reduce((sum, [, count, unit]) => sum + Number(count) * unitMs(unit ?? ''), 0);
}

function unitMs(unit: string): number {
  return UNIT_NAMES.find(([names]) => new RegExp(`^(?:${names})$`, 'i').test(unit))?.[1] ?? 0;
}

function proseHint(words: readonly string[]): Found | undefined {
  for (const text of words) {
    const afterMs = durationMs(PROSE.exec(text)?.[1] ?? '');
    if (afterMs !== undefined) return { reading: { afterMs }, source: 'prose' };
  }
  return undefined;
}

const THROTTLE_WORDS: readonly (readonly [Throttle, RegExp])[] = [
  ['concurrency', /concurren/i],
  ['images', /\bimages? per\b|\bIPM\b/i],
  ['tokens', /\btokens? per\b|\bTP[MD]\b/i],
  ['requests', /\brequests? per\b|\bRP[MDS]\b/i],
];

function throttleInWords(words: readonly string[]): Throttle | undefined {
  return THROTTLE_WORDS.find(([, pattern]) => words.some((text) => pattern.test(text)))?.[0];
}

interface Reset extends Found {
  readonly exhausted: boolean;
  readonly at: number;
}

/** Every exhausted limit must refill, so the latest of their resets counts. */
function resetHint(headers: Headers, now: number, throttled: boolean): Found | undefined {
  const resets = Object.keys(headers).flatMap((name) => resetOf(name, headers, now));
  const exhausted = resets.filter((reset) => reset.exhausted).sort((one, other) => other.at - one.at);
  if (exhausted.length > 0 || !throttled) return exhausted[0];
  return resets.sort((one, other) => one.at - other.at)[0];
}

/** The dimension is part of the name: `x-ratelimit-reset-tokens`, `anthropic-ratelimit-requests-reset`. */
function resetOf(name: string, headers: Headers, now: number): Reset[] {
  if (!/^(?:x-|anthropic-)?ratelimit-.{0,40}reset/.test(name)) return [];
  const reading = timeReading(headers[name] ?? '', now);
  if (reading === undefined) return [];
  const remaining = decimal(headers[name.replace('reset', 'remaining')] ?? '');
  const throttle = (['requests', 'images', 'tokens'] as const).find((one) => name.includes(one.slice(0, -1)));
  return [{ reading, source: name, throttle, exhausted: remaining === 0, at: anchor(reading, headers, now) }];
}

/** Seconds, an epoch, a duration, or a date: whatever providers write where a time belongs. */
function timeReading(value: string, now: number): Reading | undefined {
  const text = value.trim();
  const number = decimal(text);
  if (number !== undefined) return numberReading(number);
  const afterMs = durationMs(text);
  if (afterMs !== undefined) return { afterMs };
  const at = httpDate(text, now) ?? rfc3339(text);
  return at === undefined ? undefined : { at };
}

/** Nobody asks to wait 30 years: above 1e9 it is an epoch in seconds, above 1e12 in milliseconds. */
function numberReading(value: number): Reading {
  if (value > 1e12) return { at: value };
  return value > 1e9 ? { at: value * 1000 } : { afterMs: value * 1000 };
}

export function decimal(text: string): number | undefined {
  return /^\d{1,15}(?:\.\d{0,15})?$/.test(text.trim()) ? Number(text) : undefined;
}

function rfc3339(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TIME = String.raw`(?<time>\d\d:\d\d:\d\d)`;
/** RFC 9110 §5.6.7: IMF-fixdate, RFC 850, asctime. `Date.parse` would guess at anything else. */
const HTTP_DATES = [
  String.raw`[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) ${TIME} GMT`,
  String.raw`[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) ${TIME} GMT`,
  String.raw`[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})`,
].map((pattern) => new RegExp(`^${pattern}$`, 'i'));

function httpDate(text: string, now: number): number | undefined {
  const found = HTTP_DATES.map((pattern) => pattern.exec(text.trim())?.groups).find((groups) => groups !== undefined);
  if (found === undefined) return undefined;
  const { day = '', month = '', year = '', time = '' } = found;
  const monthNumber = String(MONTHS.indexOf(month.toLowerCase()) + 1).padStart(2, '0');
  const fullYear = year.length === 2 ? nearestYear(Number(year), now) : year;
  const at = Date.parse(`${fullYear}-${monthNumber}-${day.trim().padStart(2, '0')}T${time}Z`);
  return Number.isNaN(at) ? undefined : at;
}

/** RFC 9110: a two-digit year more than 50 years ahead is the most recent past year with those digits. */
function nearestYear(digits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const candidate = thisYear - (thisYear % 100) + digits;
  return candidate > thisYear + 50 ? candidate - 100 : candidate;
}
