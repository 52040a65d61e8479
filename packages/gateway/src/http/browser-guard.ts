import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PAGE_HEADER } from './page-session.ts';
import { RequestProblem } from './problem.ts';

export interface BrowserGuardOptions {
  /** The bind address. */
  readonly host: string;
  readonly publicUrl?: string;
  /** Exact origins, such as `https://app.example`. */
  readonly corsOrigins: readonly string[];
  /** Whether pages of an origin may call now, with a key that is theirs. */
  readonly isKeyOrigin?: (origin: string) => boolean;
}

type Guarded = Pick<FastifyRequest, 'headers'>;
type Known = Guarded & Pick<FastifyRequest, 'key'>;

export interface BrowserGuard {
  /** A Fastify onRequest hook: throws a 403 before the body is read, answers preflights, adds the CORS headers. */
  onRequest(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined>;
  /** Sent by a page of another origin; such a page may spend what its key may spend, and raise nothing. */
  isBrowserRequest(request: Guarded): boolean;
  /** Throws a 403 for a page that may call with a key of its own alone, and shows another one, or none. */
  checkKey(request: Known): void;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const WILDCARDS = ['0.0.0.0', '::', '[::]'];

const ALLOWED_METHODS = 'GET, HEAD, POST, DELETE, OPTIONS';
const ALLOWED_HEADERS = [
  'authorization',
  'x-api-key',
  'api-key',
  'content-type',
  'idempotency-key',
  'prefer',
  'range',
  'last-event-id',
];
const ALLOWED_HEADER_PREFIXES = ['x-onetake-', 'x-stainless-'];
const MAX_ASKED_HEADERS = 64;
const PREFLIGHT_SECONDS = 600;
const EXPOSED_HEADERS = [
  'x-request-id',
  ...['generation', 'provider', 'model', 'attempts', 'paid-attempts', 'fallback', 'cache', 'attached'].map(onetake),
  ...['queued-ms', 'adapted', 'degraded', 'rewritten'].map(onetake),
  ...[
    'idempotent-replayed',
    'warning',
    'retry-after',
    'retry-after-ms',
    'x-should-retry',
    'location',
    'preference-applied',
    'ratelimit',
    'ratelimit-policy',
  ],
].join(', ');

function onetake(name: string): string {
  return `x-onetake-${name}`;
}

/** Keeps pages of other sites out: a foreign Host is DNS rebinding, a foreign Origin a cross-site request. */
export function createBrowserGuard(options: BrowserGuardOptions): BrowserGuard {
  const { corsOrigins, isKeyOrigin = () => false } = options;
  const isOwnHost = ownHosts(options);
  const publicOrigin = options.publicUrl === undefined ? undefined : new URL(options.publicUrl).origin;

  const isSameOrigin = (origin: string, { host = '' }: Guarded['headers']) =>
    origin === publicOrigin || origin === `http://${host.toLowerCase()}`;

  function check(request: FastifyRequest): string | undefined {
    const { host = '', origin, 'sec-fetch-site': site } = request.headers;
    if (!isOwnHost(host)) throw foreignHost(host);
    const isAllowed = origin !== undefined && (corsOrigins.includes(origin) || isKeyOrigin(origin));
    if (isOpenToEverySite(request)) return isAllowed ? origin : undefined;
    if (origin === undefined) {
      if (site === 'cross-site' || site === 'same-site') throw foreignOrigin(`a ${site} page`);
      return undefined;
    }
    if (isSameOrigin(origin, request.headers)) return undefined;
    if (isAllowed) return origin;
    throw foreignOrigin(`"${origin.slice(0, 200)}"`);
  }

  return {
    async onRequest(request, reply) {
      const allowed = check(request);
      if (corsOrigins.length > 0 || allowed !== undefined) reply.header('vary', 'Origin');
      if (allowed === undefined) return undefined;
      reply.header('access-control-allow-origin', allowed);
      reply.header('access-control-expose-headers', EXPOSED_HEADERS);
      const isPreflight = request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
      if (!isPreflight) return undefined;
      return reply
        .code(204)
        .header('vary', 'Origin, Access-Control-Request-Headers')
        .header('access-control-allow-methods', ALLOWED_METHODS)
        .header('access-control-allow-headers', allowedHeaders(request.headers['access-control-request-headers']))
        .header('access-control-max-age', String(PREFLIGHT_SECONDS))
        .send();
    },
    isBrowserRequest({ headers }) {
      return headers.origin !== undefined && !isSameOrigin(headers.origin, headers);
    },
    checkKey({ headers, key }) {
      const { origin } = headers;
      if (origin === undefined || isSameOrigin(origin, headers) || corsOrigins.includes(origin)) return;
      // Which origins a browser key is for was looked at where it was read.
      if (key?.browser === undefined) throw foreignOrigin(`"${origin.slice(0, 200)}"`);
    },
  };
}

/** Any port, because a proxy or a container may map it; rebinding needs a name, and the name is what is checked. */
function ownHosts({ host: bound, publicUrl }: BrowserGuardOptions): (host: string) => boolean {
  const names = new Set([...LOOPBACK_NAMES, bound.toLowerCase(), `[${bound.toLowerCase()}]`]);
  if (publicUrl !== undefined) names.add(new URL(publicUrl).hostname);
  const isEveryAddress = WILDCARDS.includes(bound);
  return (host) => {
    const name = /^(\[[0-9a-f:.]+\]|[^:/@\s]+)(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
    if (name === undefined) return false;
    // Bound to every address, each of the machine's own addresses is a bind address; none of them can be rebound.
    return names.has(name) || (isEveryAddress && isIP(name.replace(/^\[|\]$/g, '')) !== 0);
  };
}

/**
 * The URL of a picture is a capability: who has it may show it, on any site, and reading it changes nothing. The same
 * goes for following a link to the page itself, which carries nobody's authority.
 */
function isOpenToEverySite({ method, url, headers }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (url.startsWith('/v1/assets/')) return true;
  return /^\/(\?|$)/.test(url) && headers['sec-fetch-mode'] === 'navigate' && headers.origin === undefined;
}

function allowedHeaders(asked = ''): string {
  const names = asked
    .toLowerCase()
    .split(',', MAX_ASKED_HEADERS)
    .map((name) => name.trim());
  const prefixed = names.filter(
    (name) =>
      // What tells our own page from every other is nothing that another may send.
      name !== PAGE_HEADER &&
      ALLOWED_HEADER_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
      /^[a-z0-9-]{1,64}$/.test(name),
  );
  return [...ALLOWED_HEADERS, ...prefixed].join(', ');
}

function foreignHost(host: string): RequestProblem {
  const rule = 'it is neither loopback, nor the address the gateway listens on, nor the host of ONETAKE_PUBLIC_URL';
  const wayOut = 'set ONETAKE_PUBLIC_URL to the URL callers use';
  return new RequestProblem(403, 'forbidden_host', `Host: "${host.slice(0, 200)}" is refused: ${rule}; ${wayOut}`, {
    param: 'Host',
  });
}

function foreignOrigin(who: string): RequestProblem {
  const rule = 'it is neither the gateway’s own origin nor listed';
  const wayOut =
    'add the origin to cors.origins in onetake.yaml if that page may use this gateway, or give it a key with "onetake keys create --browser --origin"';
  return new RequestProblem(403, 'forbidden_origin', `Origin: ${who} is refused: ${rule}; ${wayOut}`, {
    param: 'Origin',
  });
}
