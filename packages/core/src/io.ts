import type { HttpRequest } from './http.ts';
import type { Asset } from './images/asset.ts';

/** The only door out of core: a clock, timers and the network. `systemIo()` is the real one; tests script their own. */
export interface Io {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once at the instant `at` or as soon after as the event loop allows; returns the cancel function. */
  timer(at: number, callback: () => void): () => void;
  /** Resolves when the answer's last byte was taken by `receiver`; rejects with a `TransportError` otherwise. */
  send(request: HttpRequest, receiver: Receiver, options: SendOptions): Promise<void>;
}

export interface Receiver {
  /** The request was given a connection: from here on bytes of it may have left. Never called means none did. */
  onStarted(): void;
  onHeaders(status: number, headers: Readonly<Record<string, string>>): void;
  /** A returned promise stops the flow until it settles; a rejection or throw ends the exchange with that error. */
  onData(chunk: Uint8Array): void | Promise<void>;
}

export interface SendOptions {
  /** Aborting destroys the connection at once, whatever the phase. */
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
  /** `public` denies loopback, private, link-local and reserved addresses after resolving, and pins the answer. */
  readonly reach: 'configured' | 'public';
  /** Reads the files of a multipart body. */
  readonly readAsset: (asset: Asset) => AsyncIterable<Uint8Array>;
}

/** How far a failed exchange had come: the evidence that certainty is judged by. */
export type WirePhase = 'unsent' | 'sent' | 'answering';

/** An exchange that ended without a complete answer. */
export class TransportError extends Error {
  readonly phase: WirePhase;
  /** Node's or undici's error code, such as `ECONNREFUSED` or `UND_ERR_SOCKET`; `ABORTED` when the signal ended it. */
  readonly code: string;
  /** The peer's certificate was refused: the same address will not do better on a second try. */
  readonly certificate: boolean;

  constructor(
    phase: WirePhase,
    code: string,
    message: string,
    options: { certificate?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TransportError';
    this.phase = phase;
    this.code = code;
    this.certificate = options.certificate ?? false;
  }
}
