import { decimal, durationMs, instantOf } from './hints.ts';

/** What an answer told of its provider's limits, in headers or in words. */
export interface LimitReading {
  readonly dimension: 'requests' | 'images' | 'tokens' | 'concurrency';
  /** Default `headers`. */
  readonly source?: 'headers' | 'words';
  /** The limit itself, where it is told. */
  readonly limit?: number;
  readonly windowMs?: number;
  readonly remaining?: number;
  /** When nothing of it will be used (epoch ms). */
  readonly resetAt?: number;
}

type Headers = Readonly<Record<string, string>>;
type Dimension = LimitReading['dimension'];

const MAX_WORDS_CHARS = 4_096;
const MAX_FIELD_CHARS = 1_024;
const MAX_ITEMS = 8;
/** A limit above this is no limit. */
const MAX_LIMIT = 1e12;

/**
 * Reads what an answer tells of limits: the headers `x-ratelimit-{limit,remaining,reset}-{requests,images,tokens}` with
 * their variants, `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), and the words of an error,
 * `text`. Anything that does not read is left out.
 */
export function readLimits(headers: Headers, text: string, now: number): readonly LimitReading[] {
  const fielded = fieldReadings(headers, now);
  const named = HEADER_DIMENSIONS.flatMap((dimension) => headerReading(headers, dimension, now));
  return [...named, ...fielded, ...(text === '' ? [] : wordReadings(text.slice(0, MAX_WORDS_CHARS)))];
}

const HEADER_DIMENSIONS = ['requests', 'images', 'tokens'] as const;

/** `{}` stands for the part that differs; the plain names count requests. */
function headerNames(dimension: (typeof HEADER_DIMENSIONS)[number]): readonly string[] {
  const named = [`x-ratelimit-{}-${dimension}`, `anthropic-ratelimit-${dimension}-{}`];
  return dimension === 'requests' ? [...named, 'x-ratelimit-{}', 'ratelimit-{}'] : named;
}

function headerReading(headers: Headers, dimension: (typeof HEADER_DIMENSIONS)[number], now: number): LimitReading[] {
  for (const name of headerNames(dimension)) {
    const field = (part: string) => headers[name.replace('{}', part)] ?? '';
    const limit = countOf(field('limit').split(/[,;]/)[0]);
    const remaining = countOf(field('remaining'));
    if (limit === undefined && remaining === undefined) continue;
    const resetAt = instantOf(field('reset'), headers, now);
    const windowMs =
      quotedWindow(field('limit')) ?? windowOf(limit, remaining, resetAt === undefined ? 0 : resetAt - now);
    return [{ dimension, source: 'headers', ...defined({ limit, windowMs, remaining, resetAt }) }];
  }
  return [];
}

function countOf(text: string | undefined): number | undefined {
  const count = decimal(text ?? '');
  return count !== undefined && count <= MAX_LIMIT ? Math.floor(count) : undefined;
}

function defined(fields: {
  readonly limit?: number | undefined;
  readonly windowMs?: number | undefined;
  readonly remaining?: number | undefined;
  readonly resetAt?: number | undefined;
}): Omit<LimitReading, 'dimension' | 'source'> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `100, 100;w=60` of the draft's earlier versions. */
function quotedWindow(limit: string): number | undefined {
  const seconds = /;\s*w=(\d{1,9})/.exec(limit)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

const TELLING_WINDOWS_MS = [1, 2, 5, 10, 15, 20, 30, 60, 300, 3_600, 86_400].map((seconds) => seconds * 1_000);
const TELLING = 0.02;

/**
 * The window a provider does not tell, from its reset. Where use drains evenly (OpenAI, Groq) the reset is used ÷ limit
 * of the window; where a window slides or begins anew it is the window itself. Undefined unless exactly one of the two
 * comes out at a usual window.
 */
function windowOf(limit: number | undefined, remaining: number | undefined, resetMs: number): number | undefined {
  if (limit === undefined || remaining === undefined || remaining >= limit || resetMs <= 0) return undefined;
  const usual = (ms: number) => TELLING_WINDOWS_MS.find((one) => Math.abs(one - ms) <= one * TELLING);
  const found = new Set(
    [usual((resetMs * limit) / (limit - remaining)), usual(resetMs)].filter((one) => one !== undefined),
  );
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

const UNITS: Readonly<Record<string, Dimension>> = {
  requests: 'requests',
  images: 'images',
  tokens: 'tokens',
  'concurrent-requests': 'concurrency',
};

interface Field {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `RateLimit-Policy: "burst";q=100;w=60;qu="requests"` says the limit, `RateLimit: "burst";r=50;t=30` what is left. */
function fieldReadings(headers: Headers, now: number): readonly LimitReading[] {
  const left = new Map(fields(headers.ratelimit ?? '').map((field) => [field.name, field.parameters]));
  return fields(headers['ratelimit-policy'] ?? '').flatMap(({ name, parameters }): readonly LimitReading[] => {
    const dimension = UNITS[parameters.get('qu') ?? 'requests'];
    const limit = countOf(parameters.get('q'));
    if (dimension === undefined || limit === undefined) return [];
    const state = left.get(name);
    const [seconds, reset] = [decimal(parameters.get('w') ?? ''), decimal(state?.get('t') ?? '')];
    const windowMs = seconds === undefined ? undefined : seconds * 1_000;
    const resetAt = reset === undefined ? undefined : now + reset * 1_000;
    return [
      { dimension, source: 'headers', ...defined({ limit, windowMs, remaining: countOf(state?.get('r')), resetAt }) },
    ];
  });
}

/** Items of a structured field (RFC 9651): names with parameters. */
function fields(value: string): readonly Field[] {
  const items = value.slice(0, MAX_FIELD_CHARS).split(',').slice(0, MAX_ITEMS);
  return items.flatMap((item) => {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim().replaceAll('"', ''));
    if (name === '') return [];
    const pairs = parameters.map((part) => {
      const [key = '', text = ''] = part.split('=');
      return [key.trim().toLowerCase(), text.trim()] as const;
    });
    return [{ name, parameters: new Map(pairs) }];
  });
}

const PERIODS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = String.raw`\d{1,9}(?:\.\d{1,9})? ?(?:ms|s|m|h|d|sec|secs|seconds?|min|mins|minutes?|hours?|days?)(?:\d{1,9}s)?`;
const PERIOD = String.raw`(?:second|sec|minute|min|hour|day)\b`;
const SPAN = `(?<span>${DURATION}|${PERIOD})`;
const UNIT = `(?:input-|output-|input |output |total )?(?<unit>requests?|images?|tokens?|predictions?|generations?|calls?)`;
const NUMBER = String.raw`\d{1,3}(?:,\d{3}){1,4}(?!\d)|\d{1,15}`;
const COUNT = `(?<count>${NUMBER})`;

/** "on images per min (IPM): Limit 5, Used 5, Requested 1" and "images per 60s: Limit 5". */
const LIMIT_AFTER = new RegExp(
  String.raw`${UNIT} per[ -]${SPAN}[^.]{0,40}?\blimit:? ${COUNT}(?:, used:? (?<used>${NUMBER}))?`,
  'i',
);
/** "6 requests per minute", "150 requests within a 10 second period", "60 images every 30 seconds". */
const LIMIT_BEFORE = new RegExp(
  String.raw`\b${COUNT} ${UNIT}(?: per| within| in| every|/)(?: an?| any)? ?-?${SPAN}`,
  'i',
);
const CONCURRENT =
  /concurren|in[- ]flight|in parallel|at the same time|simultaneous|active (?:tasks|requests|jobs|generations)/i;
const CONCURRENT_LIMITS = [
  /\blimit:? (?<count>\d{1,6})(?:, used:? (?<used>\d{1,6}))?/i,
  /\b(?:limit|maximum|max)(?: of| is|:)? (?<count>\d{1,6})\b/i,
  /\b(?<count>\d{1,6}) (?:concurrent|simultaneous|parallel|in-flight|active)\b/i,
];

function wordReadings(text: string): readonly LimitReading[] {
  const quota = quotaReadings(text);
  if (quota.length > 0) return quota;
  const groups = LIMIT_AFTER.exec(text)?.groups ?? LIMIT_BEFORE.exec(text)?.groups;
  if (groups) return rateInWords(groups);
  if (!CONCURRENT.test(text)) return [];
  const told = CONCURRENT_LIMITS.map((pattern) => pattern.exec(text)?.groups).find((found) => found !== undefined);
  return told ? [reading('concurrency', told)] : [];
}

function rateInWords(groups: Readonly<Record<string, string | undefined>>): readonly LimitReading[] {
  const unit = (groups.unit ?? '').toLowerCase();
  const dimension = unit.startsWith('image') ? 'images' : unit.startsWith('token') ? 'tokens' : 'requests';
  const windowMs = spanMs(groups.span ?? '');
  return windowMs === undefined ? [] : [{ ...reading(dimension, groups), windowMs }];
}

function reading(dimension: Dimension, groups: Readonly<Record<string, string | undefined>>): LimitReading {
  const limit = Number((groups.count ?? '').replaceAll(',', ''));
  const used = groups.used === undefined ? undefined : Number(groups.used.replaceAll(',', ''));
  const remaining = used === undefined ? undefined : Math.max(0, limit - used);
  return { dimension, source: 'words', limit, ...(remaining !== undefined && { remaining }) };
}

function spanMs(span: string): number | undefined {
  const ms = /^\d/.test(span) ? durationMs(span) : PERIODS[span.charAt(0).toLowerCase()];
  return ms !== undefined && ms >= 1 ? ms : undefined;
}

/** Google: `"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", … "quotaValue": "10"`. */
function quotaReadings(text: string): readonly LimitReading[] {
  const found = text.matchAll(
    /"quotaId":\s?"[A-Za-z]{0,60}?(?<unit>Requests|Images|Tokens)[A-Za-z]{0,40}?Per(?<span>Second|Minute|Hour|Day)[^}]{0,600}?"quotaValue":\s?"(?<count>\d{1,12})"/g,
  );
  return [...found].slice(0, MAX_ITEMS).flatMap(({ groups }) => rateInWords({ ...groups }));
}
