import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { type Io, type SendOptions, TransportError } from '../io.ts';
import { abortedError, transportError } from './fault.ts';
import { addressDenied, isPublicAddress, publicLookup } from './public-address.ts';

/** How connections are made; the clock is handed in so that core has one place that reads the time. */
export interface Dialing {
  readonly clock: Pick<Io, 'now' | 'timer'>;
  /** Replaces `dns.lookup`. */
  readonly lookup?: LookupFunction | undefined;
  /** PEM certificates of the authorities to trust instead of Node's own; `NODE_EXTRA_CA_CERTS` adds to those. */
  readonly ca?: string | readonly string[] | undefined;
}

/** Each address of a host but the last gets this long; Node's 250 ms gives up on hosts that are merely far away. */
const ADDRESS_ATTEMPT_MS = 1_000;
const TCP_KEEP_ALIVE_AFTER_MS = 30_000;

/**
 * A peer that accepts and hangs up at once (a port forwarder without a backend) is noticed before the first byte leaves
 * only by waiting. Of such resets, 15 % met written bytes after 0 ms; with every core busy 0.6 % after 3 ms, 0.1 % after
 * 6 ms, none of 1,000 after 10 ms. TLS needs no wait: its handshake is the proof.
 */
const PLAINTEXT_PROBE_MS = 10;

/**
 * Opens one connection for one request: resolves when it can carry bytes, rejects with an `unsent` TransportError.
 * The deadline covers DNS, TCP and TLS and is exact to the event loop. The socket keeps an error listener, so that a
 * late error cannot end the process.
 */
export function connect(url: URL, options: SendOptions, dialing: Dialing): Promise<Socket> {
  const { signal, connectTimeoutMs, reach } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortedError('unsent'));
    if (reach === 'public' && !mayBePublic(url)) return reject(transportError('unsent', addressDenied(url.hostname)));

    const socket = open(url, reach, dialing);
    let cancelTimer = dialing.clock.timer(dialing.clock.now() + connectTimeoutMs, () =>
      fail(
        new TransportError('unsent', 'CONNECT_TIMEOUT', `No connection to ${url.host} within ${connectTimeoutMs} ms.`),
      ),
    );
    const stopWaiting = () => {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose).off('readable', noticeEnd);
    };
    const fail = (error: TransportError) => {
      stopWaiting();
      socket.destroy();
      reject(error);
    };
    const succeed = () => {
      stopWaiting();
      resolve(socket);
    };
    const onAbort = () => fail(abortedError('unsent'));
    const onClose = () => fail(new TransportError('unsent', 'ECONNRESET', `${url.host} closed the new connection.`));
    // An end shows only to a reader, and closes the socket then.
    const noticeEnd = () => {
      if (socket.readableLength === 0) socket.read();
    };
    const onConnected = () => {
      if (socket instanceof TLSSocket) return succeed();
      socket.on('readable', noticeEnd);
      cancelTimer();
      cancelTimer = dialing.clock.timer(dialing.clock.now() + PLAINTEXT_PROBE_MS, succeed);
    };

    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', onConnected);
    socket.on('error', (error) => fail(connectError(socket, error)));
    socket.on('close', onClose);
  });
}

/** Names are judged after they are resolved; a literal never is resolved, so it is judged here. */
function mayBePublic(url: URL): boolean {
  const hostname = bareHostname(url);
  return isIP(hostname) === 0 || isPublicAddress(hostname);
}

function bareHostname(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function open(url: URL, reach: SendOptions['reach'], dialing: Dialing): Socket {
  const host = bareHostname(url);
  const lookup = reach === 'public' ? publicLookup(dialing.lookup) : dialing.lookup;
  const address = {
    host,
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_AFTER_MS,
    ...(lookup === undefined ? {} : { lookup }),
  };
  if (url.protocol === 'http:') return connectTcp(address);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const ca = dialing.ca === undefined ? {} : { ca: typeof dialing.ca === 'string' ? dialing.ca : [...dialing.ca] };
  return connectTls({ ...address, ...servername, ...ca, ALPNProtocols: ['http/1.1'] });
}

function connectError(socket: Socket, error: Error): TransportError {
  const { code, message } = transportError('unsent', error);
  // Node sets it when the chain or the name was refused, and for no other failure of a handshake.
  const certificate = socket instanceof TLSSocket && Boolean(socket.authorizationError);
  return new TransportError('unsent', code, message, { certificate, cause: error });
}
