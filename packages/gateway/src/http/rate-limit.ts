import type { Io } from '@onetake/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ManagedKey } from '../keys/key.ts';
import { COUNT_WINDOW_MS, type RequestCount, type RequestCounts } from '../keys/request-counts.ts';
import { type BoundedWindow, windowsOf } from '../keys/windows.ts';
import type { Ledger } from '../store/ledger.ts';
import { RequestProblem } from './problem.ts';

export interface RateLimitOptions {
  readonly counts: Pick<RequestCounts, 'take' | 'peek'>;
  readonly store: Pick<Ledger, 'uses'>;
  readonly io: Pick<Io, 'now'>;
}

/**
 * Counts a request that may spend against its key's requests per minute, and tells in `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10) what holds for the key and what is left. Throws a 429 beyond it.
 */
export type LimitRate = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** What pictures are left is asked of the store this often at most. */
const USES_FRESH_MS = 1_000;
const MAX_KNOWN = 10_000;

export function createRateLimit({ counts, store, io }: RateLimitOptions): LimitRate {
  const pictures = new Map<
    string,
    { readonly at: number; readonly window: string; readonly used: Promise<number | undefined> }
  >();

  /** Undefined where the store does not say: an answer is not held up, or lost, for a header. */
  function picturesUsed(name: string, window: BoundedWindow): Promise<number | undefined> {
    const known = pictures.get(name);
    if (known && known.window === window.name && io.now() - known.at < USES_FRESH_MS) return known.used;
    const used = store.uses(name, [window]).then(
      ([use]) => use && use.spent + use.held,
      () => undefined,
    );
    pictures.delete(name);
    pictures.set(name, { at: io.now(), window: window.name, used });
    const oldest = pictures.keys().next();
    if (pictures.size > MAX_KNOWN && !oldest.done) pictures.delete(oldest.value);
    return used;
  }

  async function picturesItem(key: ManagedKey): Promise<Item | undefined> {
    const now = io.now();
    const window = windowsOf(key, now).find(({ unit }) => unit === 'images');
    const used = window && (await picturesUsed(key.name, window));
    if (window === undefined || used === undefined) return undefined;
    const { most, since, until } = window;
    return {
      ...{ name: 'images', quota: most, remaining: Math.max(0, most - used) },
      ...(until !== undefined && { windowMs: until - since, resetMs: until - now }),
    };
  }

  return async (request, reply) => {
    const { key } = request;
    if (key === undefined || (key.rpm === undefined && key.images === undefined)) return;
    const { name, rpm } = key;
    const mayCount = rpm !== undefined && maySpend(request);
    const [count, images] = await Promise.all([
      mayCount ? counts.take(name, rpm) : rpm !== undefined ? counts.peek(name, rpm) : undefined,
      picturesItem(key),
    ]);
    const requests = count && rpm !== undefined ? [requestsItem(rpm, count)] : [];
    const items = [...requests, ...(images ? [images] : [])];
    if (items.length > 0) reply.headers(rateLimitHeaders(items));
    if (mayCount && count && !count.isTaken) throw tooMany(name, rpm, count);
  };
}

/** Of what is limited: how much in how long, and what is left until when. */
interface Item {
  readonly name: string;
  readonly quota: number;
  readonly remaining: number;
  /** Absent where it never begins anew. */
  readonly windowMs?: number;
  readonly resetMs?: number;
}

function requestsItem(rpm: number, { remaining, resetMs }: RequestCount): Item {
  return { name: 'requests', quota: rpm, remaining, windowMs: COUNT_WINDOW_MS, resetMs };
}

/** Lists of structured fields (RFC 9651): strings with whole numbers as parameters. */
function rateLimitHeaders(items: readonly Item[]): Record<string, string> {
  const policies = items.map(({ name, quota, windowMs }) => `"${name}";q=${quota}${parameter('w', windowMs)}`);
  const limits = items.map(({ name, remaining, resetMs }) => `"${name}";r=${remaining}${parameter('t', resetMs)}`);
  return { 'ratelimit-policy': policies.join(', '), ratelimit: limits.join(', ') };
}

function parameter(name: string, ms: number | undefined): string {
  return ms === undefined ? '' : `;${name}=${Math.ceil(ms / 1000)}`;
}

const SPENDING = new Set([
  ...['/v1/images/generations', '/v1/images/edits', '/v1/images/variations', '/v1/images/upscales', '/v1/tasks'],
  ...['/v1/generations/:id/regenerate', '/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/batches'],
]);

/** A whole batch counts as one: its lines wait for their turns anyway. */
function maySpend({ method, routeOptions: { url } }: FastifyRequest): boolean {
  return method === 'POST' && url !== undefined && SPENDING.has(url);
}

function tooMany(name: string, rpm: number, { resetMs }: RequestCount): RequestProblem {
  const waitMs = Math.max(1, Math.ceil(resetMs));
  const message = `key "${name}": ${rpm} requests in 60 s are what it may make, and they are made; nothing was begun, and the next one may come in ${waitMs} ms`;
  const headers = {
    'retry-after': String(Math.ceil(waitMs / 1000)),
    'retry-after-ms': String(waitMs),
    'x-should-retry': 'true',
  };
  return new RequestProblem(429, 'rate_limit_exceeded', message, { headers });
}
