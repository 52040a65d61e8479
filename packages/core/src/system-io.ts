import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HttpRequest } from './http.ts';
import { type Io, type Receiver, type SendOptions, TransportError } from './io.ts';
import { connect, type Dialing } from './transport/connect.ts';
import { type Connections, connections } from './transport/connections.ts';
import { abortedError, transportError } from './transport/fault.ts';
import { roundTrip } from './transport/round-trip.ts';

export type SystemIoOptions = Pick<Dialing, 'lookup' | 'ca'>;

/**
 * How long a connection may have rested and still be taken. A server that closes it at that moment leaves a request
 * in doubt: harmless for a GET, an unknown outcome for a POST that costs money, so a POST trusts it only for less
 * than the shortest idle time in common use (gunicorn, 2 s).
 */
const MAX_REST_MS = { GET: 4_000, POST: 1_000, PUT: 1_000, DELETE: 1_000 } as const;

/** The largest delay `setTimeout` can hold; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The real clock and network: HTTP/1.1 over our own sockets, redirects not followed, no proxy taken from the
 * environment. `close` ends the connections at rest; exchanges under way go on, new ones are refused.
 */
export function systemIo(options: SystemIoOptions = {}): Io & { close(): Promise<void> } {
  const clock = { now: () => Date.now(), timer };
  const pool = connections(clock.now);
  const dialing = { ...options, clock };
  let closed = false;
  return {
    ...clock,
    async send(request, receiver, sendOptions) {
      if (closed) throw new TransportError('unsent', 'CLOSED', 'This Io was closed; make another with systemIo().');
      await send(request, receiver, sendOptions, pool, (url) => connect(url, sendOptions, dialing));
    },
    async close() {
      closed = true;
      await pool.close();
    },
  };
}

/** A pending timer keeps the process alive: somebody waits for it, and cancels it when they no longer do. */
function timer(at: number, callback: () => void): () => void {
  let handle: NodeJS.Timeout;
  const arm = () => {
    handle = setTimeout(fire, Math.min(Math.max(at - Date.now(), 0), MAX_TIMER_MS));
  };
  // setTimeout may fire a millisecond early, and stops short of what is further away than it can hold.
  const fire = () => (Date.now() < at ? arm() : callback());
  arm();
  return () => clearTimeout(handle);
}

async function send(
  request: HttpRequest,
  receiver: Receiver,
  options: SendOptions,
  pool: Connections,
  dial: (url: URL) => Promise<Socket>,
): Promise<void> {
  if (options.signal.aborted) throw abortedError('unsent');
  const url = parseUrl(request.url);
  // What was reached without the check for public addresses is never lent to a request that needs it.
  const key = `${options.reach} ${url.origin}`;
  const rested = pool.take(key, MAX_REST_MS[request.method]);
  if (rested !== undefined) {
    // One whole turn of the event loop: a close that the kernel already knows of is then known here too.
    await nextTurn();
    try {
      await roundTrip(rested, request, receiver, options);
      return pool.keep(key, rested);
    } catch (error) {
      const diedAtRest = error instanceof TransportError && error.phase === 'unsent' && !options.signal.aborted;
      if (!diedAtRest) throw error;
    }
  }
  const opened = pool.adopt(url.origin, await dial(url));
  await roundTrip(opened, request, receiver, options);
  pool.keep(key, opened);
}

function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw transportError('unsent', error);
  }
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new TransportError(
    'unsent',
    'UNSUPPORTED_PROTOCOL',
    `Only http and https URLs can be fetched, not ${url.protocol}//.`,
  );
}
