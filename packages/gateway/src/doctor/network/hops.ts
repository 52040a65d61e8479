import type { DoctorResponse } from '../world.ts';

/** Software between a caller and this gateway, told by the marks it leaves and the time it cuts at. */
export interface Hop {
  readonly name: string;
  /** How long it usually lets a request be silent; absent where it has no usual limit. */
  readonly usuallyMs?: number;
  /** What to change there, one sentence. */
  readonly mend: string;
  readonly fix?: string;
  /** What lets larger bodies through. */
  readonly bodyMend: string;
  readonly header?: (headers: Readonly<Record<string, string>>) => boolean;
  readonly body?: RegExp;
}

type Headers = Readonly<Record<string, string>>;

const server = (pattern: RegExp) => (headers: Headers) => pattern.test(`${headers.server ?? ''} ${headers.via ?? ''}`);

/** The marks and times are those that each one documents; settings may differ, so all of it is said with "usually". */
const HOPS: readonly Hop[] = [
  {
    name: 'Cloudflare',
    usuallyMs: 100_000,
    mend: 'Cloudflare waits 100 s for an answer and only Enterprise plans change that: let callers stream, ask with Prefer: respond-async, or reach the gateway by a host name that is not proxied (grey cloud).',
    bodyMend:
      'Cloudflare takes bodies of 100 MB on Free and Pro plans: reach the gateway by a host name that is not proxied.',
    header: (headers) => headers['cf-ray'] !== undefined || /cloudflare/i.test(headers.server ?? ''),
    body: /^error code:? 52\d|cf-error-details|Cloudflare Ray ID/i,
  },
  {
    name: 'Vercel',
    usuallyMs: 120_000,
    mend: 'Vercel ends what its rewrites wait for after 120 s: let applications call the gateway itself, stream, or ask with Prefer: respond-async.',
    bodyMend: 'A function on Vercel takes bodies of 4.5 MB: upload to the gateway itself.',
    header: (headers) => headers['x-vercel-id'] !== undefined || headers['x-vercel-error'] !== undefined,
    body: /FUNCTION_INVOCATION_TIMEOUT|ROUTER_EXTERNAL_TARGET/,
  },
  {
    name: 'Heroku’s router',
    usuallyMs: 30_000,
    mend: 'Heroku’s router waits 30 s for the first byte (H12) and nothing changes that: let callers stream or ask with Prefer: respond-async.',
    bodyMend: 'Heroku’s router has no limit of its own for bodies; look at the application in front.',
    header: (headers) => /vegur|heroku/i.test(`${headers.server ?? ''} ${headers.via ?? ''}`),
    body: /herokucdn\.com\/error-pages/i,
  },
  {
    name: 'an AWS load balancer or API gateway',
    usuallyMs: 60_000,
    mend: 'An ALB gives up after idle_timeout.timeout_seconds, 60 usually; an API Gateway after 29 s: raise it, or let callers stream or ask with Prefer: respond-async.',
    fix: 'aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes Key=idle_timeout.timeout_seconds,Value=900',
    bodyMend:
      'API Gateway takes bodies of 10 MB, a Lambda behind an ALB 1 MB: point the listener at the gateway itself.',
    header: (headers) =>
      /awselb/i.test(headers.server ?? '') ||
      headers['x-amzn-errortype'] !== undefined ||
      headers['x-amz-apigw-id'] !== undefined ||
      headers['apigw-requestid'] !== undefined,
    body: /awselb|"Endpoint request timed out"/,
  },
  {
    name: 'CloudFront',
    usuallyMs: 30_000,
    mend: 'CloudFront waits OriginReadTimeout for the origin, 30 s usually and 120 s at most: raise it, or let callers stream.',
    bodyMend: 'CloudFront has no small limit for bodies; look at what stands behind it.',
    header: (headers) => headers['x-amz-cf-id'] !== undefined || /cloudfront/i.test(headers.via ?? ''),
    body: /CloudFront/,
  },
  {
    name: 'Google’s load balancer',
    usuallyMs: 30_000,
    mend: 'A backend service of Google Cloud gives up after timeoutSec, 30 usually; Cloud Run after 300 s: raise it.',
    fix: 'gcloud compute backend-services update NAME --timeout=900s',
    bodyMend: 'Cloud Run takes bodies of 32 MB over HTTP/1; put the gateway on a machine or in GKE for larger ones.',
    header: (headers) => /Google Frontend/i.test(headers.server ?? '') || /\b1\.1 google\b/i.test(headers.via ?? ''),
    body: /upstream request timeout[\s\S]*google|The server encountered a temporary error and could not complete your request/i,
  },
  {
    name: 'Azure’s gateway',
    usuallyMs: 240_000,
    mend: 'Azure App Service and load balancers end what is silent for 4 min, an Application Gateway after its request timeout, 20 s usually: raise it, or let callers stream.',
    bodyMend: 'Raise the body limit of the Application Gateway’s firewall policy (file upload limit).',
    header: (headers) =>
      /Microsoft-Azure|azure-application-gateway/i.test(headers.server ?? '') || headers['x-azure-ref'] !== undefined,
    body: /Microsoft-Azure-Application-Gateway/i,
  },
  {
    name: 'Envoy or Istio',
    usuallyMs: 15_000,
    mend: 'A route of Envoy gives up after timeout, 15 s usually: set it to 0s or 900s on this route (Istio: VirtualService, http.timeout).',
    bodyMend: 'Raise max_request_bytes of the buffer filter, or take that filter off this route.',
    header: (headers) => /envoy/i.test(headers.server ?? '') || headers['x-envoy-upstream-service-time'] !== undefined,
    body: /^upstream request timeout$|upstream connect error/i,
  },
  {
    name: 'HAProxy',
    usuallyMs: 50_000,
    mend: 'HAProxy gives up after timeout server, 50 s in usual set-ups: raise it in the backend, and timeout client in the frontend.',
    fix: 'timeout server 900s\ntimeout client 900s',
    bodyMend: 'HAProxy refuses bodies only by a rule of its own: look for req.body_size in its configuration.',
    body: /The server didn't respond in time/i,
  },
  {
    name: 'Caddy or Traefik',
    mend: 'Neither gives up by itself: look for read_timeout or response_header_timeout (Caddy), respondingTimeouts or forwardingTimeouts (Traefik).',
    bodyMend: 'Look for request_body max_size (Caddy) or the buffering middleware (Traefik).',
    header: server(/caddy|traefik/i),
    body: /^Gateway Timeout$/,
  },
  {
    name: 'nginx',
    usuallyMs: 60_000,
    mend: 'nginx gives up after proxy_read_timeout, 60s usually: raise it in the location that leads here (ingress-nginx: the annotation nginx.ingress.kubernetes.io/proxy-read-timeout).',
    fix: 'proxy_read_timeout 900s;\nproxy_send_timeout 900s;\nproxy_buffering off;',
    bodyMend: 'nginx takes bodies of client_max_body_size, 1m usually: raise it in the location that leads here.',
    header: server(/nginx|openresty/i),
    body: /<center>(?:nginx|openresty)/i,
  },
  {
    name: 'Apache',
    usuallyMs: 60_000,
    mend: 'Apache gives up after ProxyTimeout, 60 s usually: raise it for this host, or timeout= at ProxyPass.',
    fix: 'ProxyTimeout 900',
    bodyMend: 'Raise LimitRequestBody for this host.',
    header: server(/apache/i),
    body: /<address>Apache|The proxy server did not receive a timely response/i,
  },
];

/** Who answered instead of the gateway, by marks; undefined where it left none. */
export function hopOf({ headers, text }: Pick<DoctorResponse, 'headers' | 'text'>): Hop | undefined {
  const start = text.slice(0, 20_000);
  // What it wrote itself says more than a header, which a hop further out may have added to another's answer.
  const written = text === '' ? undefined : HOPS.find(({ body }) => body?.test(start));
  return written ?? HOPS.find(({ header }) => header?.(headers));
}

const NEAR_MS = 3_000;

/** Who usually cuts after such a time, when it left no mark. */
export function hopsThatCutAt(ms: number): readonly Hop[] {
  return HOPS.filter(({ usuallyMs = 0 }) => Math.abs(usuallyMs - ms) <= NEAR_MS && usuallyMs > 0);
}

/** Whether an answer was written here: our headers, or our envelope. */
export function isOurs({ headers, text }: Pick<DoctorResponse, 'headers' | 'text'>): boolean {
  const isMarked = Object.keys(headers).some((name) => name.startsWith('x-onetake-'));
  return (
    isMarked || /^req_[\da-f]{8,}/.test(headers['x-request-id'] ?? '') || /^\s*\{[\s\S]{0,4000}"onetake"\s*:/.test(text)
  );
}
