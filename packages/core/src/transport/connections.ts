import type { Socket } from 'node:net';
import { Client } from 'undici';

/**
 * One connection that carries one exchange at a time. undici's client speaks HTTP/1.1 on a socket that we opened: it
 * has no deadline, no queue and no way to connect again, so it can neither fire a coarse timer nor resend anything.
 */
export interface Connection {
  readonly client: Client;
  readonly socket: Socket;
}

/** Below the idle time of common servers (Node 5 s, nginx 75 s), and 2 s below the server's own hint. */
const KEEP_ALIVE_MS = 4_000;
const HINT_MARGIN_MS = 2_000;
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_RESTING = 256;

export interface Connections {
  /** Makes a connection of a socket that was just opened. */
  adopt(origin: string, socket: Socket): Connection;
  /** The connection used last under `key`, if it rested no longer than `maxRestMs`. */
  take(key: string, maxRestMs: number): Connection | undefined;
  /** Lets a connection whose exchange has ended well rest until it is taken again or closes. */
  keep(key: string, connection: Connection): void;
  /** Closes those that rest now; what is given back later is closed too. */
  close(): Promise<void>;
}

/** Connections, of which at most 256 rest: the one that rested longest makes room. */
export function connections(now: () => number): Connections {
  /** The one that has rested longest first; few enough to be searched one by one. */
  const resting: { readonly key: string; readonly connection: Connection; readonly since: number }[] = [];
  let closed = false;
  return {
    adopt(origin, socket) {
      const connection = speakHttp(origin, socket);
      socket.once('close', () => {
        const at = resting.findIndex((rest) => rest.connection === connection);
        if (at >= 0) resting.splice(at, 1);
      });
      return connection;
    },
    take(key, maxRestMs) {
      const at = resting.findLastIndex((rest) => rest.key === key && !rest.connection.socket.destroyed);
      const newest = resting[at];
      if (newest === undefined || now() - newest.since > maxRestMs) return undefined;
      resting.splice(at, 1);
      return newest.connection;
    },
    keep(key, connection) {
      if (closed || connection.socket.destroyed) {
        void closeConnection(connection);
        return;
      }
      resting.push({ key, connection, since: now() });
      const oldest = resting.length > MAX_RESTING ? resting.shift() : undefined;
      if (oldest) void closeConnection(oldest.connection);
    },
    async close() {
      closed = true;
      await Promise.all(resting.splice(0).map(({ connection }) => closeConnection(connection)));
    },
  };
}

function speakHttp(origin: string, socket: Socket): Connection {
  let fresh = true;
  const client = new Client(origin, {
    // Answered in a microtask: undici ignores a connection that is ready before its connector has returned.
    connect: (_options, callback) => {
      const usable = fresh;
      fresh = false;
      queueMicrotask(() => (usable ? callback(null, socket) : callback(connectionGone(), null)));
    },
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    keepAliveTimeoutThreshold: HINT_MARGIN_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  return { client, socket };
}

function connectionGone(): Error {
  return Object.assign(new Error('The connection was closed before the request was written.'), { code: 'ECONNRESET' });
}

/**
 * Frees the socket at once; resolves when it is closed. The client goes first: it gives the socket an error, and only
 * an error makes undici end the source of a body that it is still sending.
 */
export async function closeConnection({ client, socket }: Connection): Promise<void> {
  const closed = client.destroy();
  socket.destroy();
  await closed;
}
