import { retryAfter } from './faults/refusals.ts';
import { durationText, type Refusal } from './wire/answer.ts';

/** At most `count` in any stretch of `windowMs`. */
export interface Rate {
  readonly count: number;
  readonly windowMs: number;
}

/** What a sandbox admits; an absent dimension has no limit. */
export interface LimitRule {
  readonly images?: Rate;
  readonly requests?: Rate;
  /** Of chat, in and out. */
  readonly tokens?: Rate;
  readonly concurrency?: number;
}

/** What a request asks for. */
export interface Wanted {
  readonly images?: number;
  readonly tokens?: number;
}

export type Admission =
  /** `leave` ends the part in the concurrency; calling it again does nothing. */
  | { readonly admitted: true; readonly headers: Readonly<Record<string, string>>; leave(): void }
  | { readonly admitted: false; readonly refusal: Refusal };

export interface Limiter {
  /** `now` in milliseconds of a clock that never goes back. */
  admit(model: string, wanted: Wanted, now: number): Admission;
  /** Counts work that is open already, of an earlier process, into the concurrency; `leave` as in an admission. */
  enter(): () => void;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const MAX_COUNT = 1_000_000;
const MAX_WINDOW_MS = 24 * 3_600_000;
const EXAMPLE = 'images=5/60s,requests=10/60s,concurrency=4';
/** What the headers say when no limit of requests is set. */
const NOMINAL: Rate = { count: 500, windowMs: 60_000 };

/** Reads a limit such as `images=5/60s,requests=10/60s,concurrency=4`; throws an error that names what is wrong. */
export function parseLimit(text: string): LimitRule {
  const rule: { images?: Rate; requests?: Rate; tokens?: Rate; concurrency?: number } = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.trim().split('=');
    if (name !== 'images' && name !== 'requests' && name !== 'tokens' && name !== 'concurrency') {
      throw wrong(part, 'images, requests, tokens and concurrency can be limited');
    }
    if (name in rule) throw wrong(part, `${name} is limited twice`);
    if (name === 'concurrency') rule.concurrency = parseCount(part, value);
    else rule[name] = parseRate(part, value);
  }
  return rule;
}

function wrong(part: string, rule: string): Error {
  return new Error(`limit "${part}": ${rule}; write it as in "${EXAMPLE}"`);
}

function parseCount(part: string, text: string): number {
  const count = /^\d{1,7}$/u.test(text) ? Number(text) : 0;
  if (count < 1 || count > MAX_COUNT) throw wrong(part, `the count must be a whole number from 1 to ${MAX_COUNT}`);
  return count;
}

function parseRate(part: string, text: string): Rate {
  const [count = '', window] = text.split('/');
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/u.exec(window ?? '') ?? [];
  const windowMs = Number(number) * (UNIT_MS[unit] ?? 0);
  if (!(windowMs >= 1 && windowMs <= MAX_WINDOW_MS)) {
    throw wrong(part, 'after the count comes a slash and a time from 1ms to 24h');
  }
  return { count: parseCount(part, count), windowMs };
}

/** Enforces a rule over all requests with strict sliding windows; a refused request uses nothing up. */
export function createLimiter(rule: LimitRule, silent: boolean): Limiter {
  const images = rule.images && createWindow(rule.images);
  const requests = rule.requests && createWindow(rule.requests);
  const tokens = rule.tokens && createWindow(rule.tokens);
  let open = 0;
  const enter = () => {
    open++;
    let gone = false;
    return () => {
      if (!gone) open--;
      gone = true;
    };
  };
  return {
    enter,
    admit(model, wanted, now) {
      const dimensions = [
        ['images', images, wanted.images ?? 0],
        ['requests', requests, 1],
        ['tokens', tokens, wanted.tokens ?? 0],
      ] as const;
      if (rule.concurrency !== undefined && open >= rule.concurrency) {
        return { admitted: false, refusal: tooConcurrent(model, rule.concurrency, open, silent) };
      }
      for (const [name, window, count] of dimensions) {
        const blocked = window && count > 0 && shortage(name, window, count, now);
        if (blocked) return { admitted: false, refusal: tooMany(model, blocked, silent) };
      }
      for (const [, window, count] of dimensions) if (count > 0) window?.use(count, now);
      const headers = { ...rateHeaders(requests, now), ...(wanted.tokens !== undefined && tokenHeaders(tokens, now)) };
      return { admitted: true, headers: silent ? {} : headers, leave: enter() };
    },
  };
}

interface Window {
  readonly rate: Rate;
  used(now: number): number;
  use(count: number, now: number): void;
  /** Milliseconds until `wanted` more fit; Infinity when they never do. */
  waitMs(wanted: number, now: number): number;
  /** Milliseconds until nothing in the window is used. */
  resetMs(now: number): number;
}

function createWindow(rate: Rate): Window {
  const uses: { at: number; count: number }[] = [];
  const used = (now: number) => {
    while (uses[0] && now - uses[0].at >= rate.windowMs) uses.shift();
    return uses.reduce((sum, { count }) => sum + count, 0);
  };
  return {
    rate,
    used,
    use: (count, at) => void uses.push({ at, count }),
    waitMs(wanted, now) {
      let excess = used(now) + wanted - rate.count;
      if (excess <= 0) return 0;
      for (const { at, count } of uses) {
        excess -= count;
        if (excess <= 0) return at + rate.windowMs - now;
      }
      return Number.POSITIVE_INFINITY;
    },
    resetMs: (now) => Math.max(0, (uses.at(-1)?.at ?? -rate.windowMs) + rate.windowMs - now),
  };
}

interface Shortage {
  readonly of: 'images' | 'requests' | 'tokens';
  readonly rate: Rate;
  readonly used: number;
  readonly wanted: number;
  readonly waitMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

function shortage(of: Shortage['of'], window: Window, wanted: number, now: number): Shortage | undefined {
  const waitMs = window.waitMs(wanted, now);
  if (waitMs === 0) return undefined;
  const requests = of === 'requests' ? rateHeaders(window, now) : rateHeaders(undefined, now);
  const headers = of === 'tokens' ? { ...requests, ...tokenHeaders(window, now) } : requests;
  return { of, rate: window.rate, used: window.used(now), wanted, waitMs, headers };
}

const THROTTLED = { status: 429, reason: 'rate', type: 'rate_limit_error', code: 'rate_limit_exceeded' } as const;

function tooMany(model: string, { of, rate, used, wanted, waitMs, headers }: Shortage, silent: boolean): Refusal {
  if (silent) return { ...THROTTLED, message: `Rate limit reached for ${model}. Please try again later.` };
  const window = durationText(rate.windowMs);
  if (waitMs === Number.POSITIVE_INFINITY) {
    const message = `Request too large for ${model} on ${of} per ${window}: Limit ${rate.count}, Requested ${wanted}. Ask for fewer ${of} at once.`;
    return { ...THROTTLED, message, headers };
  }
  const seconds = Math.ceil(waitMs / 100) / 10;
  const message = `Rate limit reached for ${model} on ${of} per ${window}: Limit ${rate.count}, Used ${used}, Requested ${wanted}. Please try again in ${seconds}s.`;
  return { ...THROTTLED, message, waitMs, headers: { ...headers, ...retryAfter(waitMs) } };
}

function tooConcurrent(model: string, limit: number, open: number, silent: boolean): Refusal {
  const numbers = silent ? '' : ` Limit ${limit}, Used ${open}, Requested 1.`;
  return {
    ...THROTTLED,
    reason: 'concurrency',
    message: `Too many concurrent requests for ${model}.${numbers} Please wait for one of them to finish.`,
  };
}

function rateHeaders(requests: Window | undefined, now: number): Record<string, string> {
  const { count, windowMs } = requests?.rate ?? NOMINAL;
  const remaining = requests ? count - requests.used(now) : count - 1;
  return {
    'x-ratelimit-limit-requests': String(count),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': durationText(requests ? requests.resetMs(now) : windowMs / count),
  };
}

function tokenHeaders(tokens: Window | undefined, now: number): Record<string, string> {
  if (!tokens) return {};
  return {
    'x-ratelimit-limit-tokens': String(tokens.rate.count),
    'x-ratelimit-remaining-tokens': String(Math.max(0, tokens.rate.count - tokens.used(now))),
    'x-ratelimit-reset-tokens': durationText(tokens.resetMs(now)),
  };
}
