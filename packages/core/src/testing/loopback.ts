import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { HttpRequest } from '../http.ts';
import type { Asset } from '../images/asset.ts';
import type { Receiver, SendOptions } from '../io.ts';

/** PEM of a self-signed certificate for 127.0.0.1, followed by its key. */
export const TEST_CERTIFICATE = readFileSync(
  new URL('../transport/fixtures/not-a-secret-test-certificate.pem', import.meta.url),
  'utf8',
);

/** A raw server on a free port of 127.0.0.1 that does to each connection what a test says; closed with the test. */
export interface Loopback {
  readonly url: string;
  readonly port: number;
  /** Connections that were ever accepted. */
  readonly accepted: () => number;
  /** Connections that are open now. */
  readonly open: () => number;
  /** Resolves when no connection is open any more. */
  readonly emptied: () => Promise<void>;
}

export async function loopback(
  context: TestContext,
  onConnection: (socket: Socket, index: number) => void,
  options: { readonly tls?: boolean } = {},
): Promise<Loopback> {
  const open = new Set<Socket>();
  let accepted = 0;
  let onEmpty = () => {};
  const accept = (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      if (open.size === 0) onEmpty();
    });
    // Read on, or the peer's end is never seen.
    socket.resume();
    onConnection(socket, accepted);
    accepted += 1;
  };
  const pem = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE };
  const server: Server = options.tls ? createTlsServer(pem, accept) : createServer(accept);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}/`,
    port,
    accepted: () => accepted,
    open: () => open.size,
    emptied: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => (onEmpty = resolve))),
  };
}

export interface Recorder extends Receiver {
  started: number;
  status: number | undefined;
  headers: Readonly<Record<string, string>>;
  readonly chunks: Uint8Array[];
  readonly text: () => string;
}

/** A receiver that keeps what it is given. */
export function recorder(overrides: Partial<Receiver> = {}): Recorder {
  const chunks: Uint8Array[] = [];
  return {
    started: 0,
    status: undefined,
    headers: {},
    chunks,
    text: () => Buffer.concat(chunks).toString(),
    onStarted() {
      this.started += 1;
    },
    onHeaders(status, headers) {
      this.status = status;
      this.headers = headers;
    },
    onData(chunk) {
      chunks.push(chunk);
    },
    ...overrides,
  };
}

export function sendOptions(overrides: Partial<SendOptions> = {}): SendOptions {
  return {
    signal: new AbortController().signal,
    connectTimeoutMs: 5_000,
    reach: 'configured',
    readAsset: () => {
      throw new Error('This test sends no files.');
    },
    ...overrides,
  };
}

export const get = (url: string): HttpRequest => ({ method: 'GET', url, headers: {} });

export const post = (url: string, value: string): HttpRequest => ({
  method: 'POST',
  url,
  headers: {},
  body: { kind: 'json', value },
});

export function testAsset(hash: string, bytes: number): Asset {
  return { hash, bytes, type: 'png', width: 1, height: 1, animated: false, alpha: false };
}

/** Calls back once when the whole head of a request has come, with all that has come so far. */
export function afterHead(socket: Socket, callback: (received: Buffer) => void): void {
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (!received.includes('\r\n\r\n')) return;
    socket.off('data', onData);
    callback(received);
  };
  socket.on('data', onData);
}

/** Answers every bodiless request of a connection, one after the other, with a small 200. */
export function answerOk(socket: Socket): void {
  socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
}
