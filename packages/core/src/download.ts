import { createAnswerReader } from './answer.ts';
import { type Connection, credentialOf, type RunEnvironment } from './environment.ts';
import { type Exchange, exchange } from './exchange.ts';
import type { HttpRequest } from './http.ts';
import { createIntake, type Settled } from './images/intake.ts';
import type { Plan } from './plan.ts';

/** What fetching a provider's result needs. */
export interface Downloading {
  readonly plan: Plan;
  readonly environment: RunEnvironment;
  readonly connection: Connection;
  readonly credential: string;
}

const MAX_REDIRECTS = 3;
/** Doubled with each try. */
const RETRY_DELAY_MS = 250;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Fetches a picture from the link its provider gave: https on a host the provider is known to use, resolved to public
 * addresses, or the provider's own configured address, the one private address allowed. Redirects are checked like the
 * link itself. A failed download is retried as a download, never as a new picture.
 */
export async function downloadResult(url: string, from: Downloading): Promise<Settled | { readonly why: string }> {
  const { io, limits, cancel } = from.environment;
  let why = 'it was not tried';
  for (let tries = 0; tries < limits.maxDownloadTries && !cancel.aborted; tries += 1) {
    if (tries > 0) await pause(RETRY_DELAY_MS * 2 ** tries, io, cancel);
    const got = await fetchOnce(url, from);
    if (!('why' in got)) return got;
    why = got.why;
    if (got.final) break;
  }
  return { why };
}

type Fetched = Settled | { readonly why: string; readonly final?: boolean };

async function fetchOnce(url: string, from: Downloading): Promise<Fetched> {
  let at = url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const way = wayTo(at, from);
    if ('why' in way) return way;
    const intake = createIntake(from.environment.assets);
    const got = await receive(way, intake, from);
    if (got.ok && got.response.status === 200) return intake.settle(0);
    await intake.discardAll();
    if (!got.ok) return { why: got.failure.message };
    const { status, headers } = got.response;
    if (!REDIRECTS.includes(status)) return { why: `status ${status}` };
    const next = URL.parse(headers.location ?? '', at);
    if (next === null) return { why: `status ${status} without a place to go` };
    at = next.href;
  }
  return { why: `more than ${MAX_REDIRECTS} redirects`, final: true };
}

interface Way {
  readonly request: HttpRequest;
  readonly reach: 'configured' | 'public';
}

function wayTo(text: string, { connection, credential }: Downloading): Way | { why: string; final: true } {
  const url = URL.parse(text);
  if (url === null) return { why: 'it is not a URL', final: true };
  const { provider } = connection;
  const request: HttpRequest = { method: 'GET', url: url.href, headers: { accept: 'image/*' } };
  const authorized = () => provider.authorize(request, credentialOf(connection, credential));
  if (url.origin === originOf(connection, credential)) return { request: authorized(), reach: 'configured' };
  if (url.protocol !== 'https:') return { why: `${url.protocol}// is not https`, final: true };
  const { results } = provider;
  if (results && !isUnder(url.hostname, results.hosts))
    return { why: `${url.hostname} is not a host that ${connection.id} is known to keep results on`, final: true };
  const isKnown = isUnder(url.hostname, results?.authorized ?? []);
  return { request: isKnown ? authorized() : request, reach: 'public' };
}

function originOf({ baseUrl, hosts }: Connection, credential: string): string {
  return new URL(hosts?.[credential] ?? baseUrl).origin;
}

function isUnder(hostname: string, hosts: readonly string[]): boolean {
  return hosts.some((host) => hostname === host || hostname.endsWith(`.${host}`));
}

function receive(
  { request, reach }: Way,
  intake: ReturnType<typeof createIntake>,
  { plan, environment }: Downloading,
): Promise<Exchange> {
  const { timeout } = plan.policy;
  return exchange(environment.io, request, {
    connectMs: timeout.connectMs,
    firstByteMs: timeout.idleMs,
    idleMs: timeout.idleMs,
    deadlineAt: environment.io.now() + timeout.totalMs,
    totalMs: timeout.totalMs,
    harvestMs: () => 0,
    cancel: environment.cancel,
    reach,
    readAsset: (asset) => environment.assets.read(asset),
    openReader: (status, headers) =>
      createAnswerReader(status, headers, { intake, maxBytes: environment.limits.maxAnswerBytes, isImage: true }),
    onClock: () => {},
  });
}

function pause(ms: number, io: RunEnvironment['io'], cancel: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      cancel.removeEventListener('abort', done);
      resolve();
    };
    const stop = io.timer(io.now() + ms, done);
    cancel.addEventListener('abort', done, { once: true });
  });
}
