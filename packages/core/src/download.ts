import { createAnswerReader } from './answer.ts';
import { type Connection, credentialOf, type RunEnvironment } from './environment.ts';
import { type Exchange, exchange } from './exchange.ts';
import type { HttpRequest } from './http.ts';
import { createIntake, type Intake, type Settled } from './images/intake.ts';
import type { Plan } from './plan.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What fetching a provider's result needs. */
export interface Downloading {
  readonly plan: Plan;
  readonly environment: RunEnvironment;
  readonly connection: Connection;
  readonly credential: string;
  /** Counts the time in which what came is checked and stored. */
  readonly verifying?: Stopwatch;
}

const MAX_REDIRECTS = 3;
/** Doubled with each try. */
const RETRY_DELAY_MS = 250;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Fetches a picture from the link its provider gave: https on a host the provider is known to use, resolved to public
 * addresses, or the provider's own configured address, the one private address allowed. Redirects are checked like the
 * link itself, and none leads back in from outside. A failed download, or one that brought no whole picture, is retried
 * as a download, never as a new picture; the caller's deadline does not end it, because the picture is paid for.
 */
export async function downloadResult(url: string, from: Downloading): Promise<Settled | { readonly why: string }> {
  const { io, limits, cancel } = from.environment;
  const deadlineAt = io.now() + limits.maxDownloadMs;
  let last: Fetched = { why: 'it was not tried' };
  for (let tries = 0; tries < limits.maxDownloadTries && !cancel.aborted && io.now() < deadlineAt; tries += 1) {
    if (tries > 0) await pause(RETRY_DELAY_MS * 2 ** (tries - 1), io, cancel);
    if (cancel.aborted) break;
    last = await fetchOnce(url, from, deadlineAt);
    if ('ok' in last ? last.ok || last.problem === 'too_large' : last.final) break;
  }
  return last;
}

type Fetched = Settled | { readonly why: string; readonly final?: boolean };

async function fetchOnce(url: string, from: Downloading, deadlineAt: number): Promise<Fetched> {
  let at = url;
  let isOutside = false;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const way = wayTo(at, isOutside, from);
    if ('why' in way) return way;
    isOutside = way.reach === 'public';
    const intake = createIntake(from.environment.assets, { maxBlobBytes: from.environment.limits.maxResultBytes });
    try {
      const got = await receive(way, intake, deadlineAt, from);
      if (!got.ok) return { why: got.failure.message, final: got.failure.classifiedBy === 'body too_large' };
      const { status, headers } = got.response;
      if (status === 200) return await (from.verifying?.time(() => intake.settle(0)) ?? intake.settle(0));
      if (!REDIRECTS.includes(status)) return { why: `status ${status}` };
      const next = URL.parse(headers.location ?? '', at);
      if (next === null) return { why: `status ${status} without a place to go` };
      at = next.href;
    } finally {
      await intake.discardAll();
    }
  }
  return { why: `more than ${MAX_REDIRECTS} redirects`, final: true };
}

interface Way {
  readonly request: HttpRequest;
  readonly reach: 'configured' | 'public';
}

/** `isOutside`: somebody outside led here, whom the provider's own address and our key are not for. */
function wayTo(
  text: string,
  isOutside: boolean,
  { connection, credential }: Downloading,
): Way | { why: string; final: true } {
  const url = URL.parse(text);
  if (url === null) return { why: 'it is not a URL', final: true };
  const { provider } = connection;
  const request: HttpRequest = { method: 'GET', url: url.href, headers: { accept: 'image/*' } };
  const authorized = () => provider.authorize(request, credentialOf(connection, credential));
  if (!isOutside && url.origin === originOf(connection, credential))
    return { request: authorized(), reach: 'configured' };
  if (url.protocol !== 'https:') return { why: `${url.protocol}// is not https`, final: true };
  const { results } = provider;
  if (results && !isUnder(url.hostname, results.hosts))
    return {
      why: `${url.hostname.slice(0, 100)} is not a host that ${connection.id} is known to keep results on`,
      final: true,
    };
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
  intake: Intake,
  deadlineAt: number,
  { plan, environment }: Downloading,
): Promise<Exchange> {
  const { timeout } = plan.policy;
  return exchange(environment.io, request, {
    connectMs: timeout.connectMs,
    firstByteMs: timeout.idleMs,
    idleMs: timeout.idleMs,
    deadlineAt,
    totalMs: environment.limits.maxDownloadMs,
    harvestMs: () => 0,
    cancel: environment.cancel,
    reach,
    readAsset: (asset) => environment.assets.read(asset),
    openReader: (status, headers) =>
      createAnswerReader(status, headers, { intake, maxBytes: environment.limits.maxResultBytes, isImage: true }),
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
