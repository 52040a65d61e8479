import { transportFailure } from './classify.ts';
import { type AnswerProgress, type ClockOptions, type Seen, tooLateToSend, watchClocks } from './exchange-clocks.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { Asset } from './images/asset.ts';
import { ScanError } from './images/scan-error.ts';
import { type Io, type Receiver, type SendOptions, TransportError } from './io.ts';
import type { Timing } from './journal.ts';
import { messageOf } from './message-of.ts';

/** Turns the bytes of one answer into what an adapter reads; `end` throws a `ScanError` for a cut or foreign body. */
export interface AnswerReader {
  write(chunk: Uint8Array): void | Promise<void>;
  end(): HttpResponse;
  /** Of an answer that is handed on as it comes: how far it is. */
  progress?(): AnswerProgress | undefined;
}

/** Thrown by a reader that has its verdict: the exchange ends at once, with this failure. */
export class AnswerFault extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'AnswerFault';
    this.failure = failure;
  }
}

export interface ExchangeOptions extends ClockOptions {
  readonly connectMs: number;
  readonly cancel: AbortSignal;
  readonly reach: SendOptions['reach'];
  readonly readAsset: (asset: Asset) => AsyncIterable<Uint8Array>;
  readonly openReader: (status: number, headers: Readonly<Record<string, string>>) => AnswerReader;
  /** Called when the request starts to leave. */
  readonly onSent?: (() => void) | undefined;
}

export type Exchange = { readonly timing: Timing } & (
  | { readonly ok: true; readonly response: HttpResponse }
  | {
      readonly ok: false;
      readonly failure: Failure;
      /** Of an answer that had begun. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
);

/** Sends one request and reads its answer under the clocks. Never throws: every way to end is an answer or a failure. */
export async function exchange(io: Io, request: HttpRequest, options: ExchangeOptions): Promise<Exchange> {
  // Making the start durable took its time.
  if (options.cancel.aborted) return { ok: false, failure: canceled(false), timing: {} };
  if (io.now() >= options.deadlineAt) return { ok: false, failure: tooLateToSend(options), timing: {} };
  const abort = new AbortController();
  const began = io.now();
  const seen: SeenAnswer = {};
  const watch = watchClocks(io, options, seen, abort);
  const cancel = () => abort.abort();
  options.cancel.addEventListener('abort', cancel, { once: true });
  const timing = (): Timing => ({
    ...(seen.startedAt !== undefined && { connectMs: seen.startedAt - began }),
    ...(seen.startedAt !== undefined &&
      seen.headersAt !== undefined && { firstByteMs: seen.headersAt - seen.startedAt }),
    ...(seen.headersAt !== undefined && { bodyMs: io.now() - seen.headersAt }),
  });
  try {
    await io.send(request, receiverOf(io, options, seen, watch.onProgress), {
      signal: abort.signal,
      connectTimeoutMs: options.connectMs,
      reach: options.reach,
      readAsset: options.readAsset,
    });
    if (seen.reader === undefined) throw new TransportError('sent', 'NO_ANSWER', 'the exchange ended without headers');
    return { ok: true, response: seen.reader.end(), timing: timing() };
  } catch (error) {
    const told = error instanceof AnswerFault ? error.failure : undefined;
    // All that belongs to it had come before the connection was lost or ended by us, unless its caller did not take it.
    const isWhole = seen.progress === 'complete' && told === undefined && watch.fired()?.kind !== 'canceled';
    if (isWhole && seen.reader) return { ok: true, response: seen.reader.end(), timing: timing() };
    const failure =
      told ??
      watch.fired() ??
      (options.cancel.aborted ? canceled(seen.startedAt !== undefined) : brokenExchange(error, options));
    return { ok: false, failure, timing: timing(), ...seen.head };
  } finally {
    watch.stop();
    options.cancel.removeEventListener('abort', cancel);
  }
}

function isEventStream(headers: Readonly<Record<string, string>>): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true;
}

type SeenAnswer = Seen & {
  head?: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
  reader?: AnswerReader;
};

function receiverOf(io: Io, options: ExchangeOptions, seen: SeenAnswer, onProgress: () => void): Receiver {
  const held = (taken: Promise<void>): Promise<void> => {
    seen.heldSince = io.now();
    return taken.then(() => {
      seen.heldSince = undefined;
      seen.dataAt = io.now();
    });
  };
  return {
    onStarted: () => {
      seen.startedAt = io.now();
      options.onSent?.();
    },
    onHeaders: (status, headers) => {
      seen.headersAt = seen.dataAt = io.now();
      seen.head = { status, headers };
      seen.reader = options.openReader(status, headers);
      seen.progress = seen.reader.progress?.();
      seen.isPictureStream = seen.reader.progress === undefined && isEventStream(headers);
      onProgress();
    },
    onData: (chunk) => {
      seen.dataAt = io.now();
      const taken = seen.reader?.write(chunk);
      const progress = seen.reader?.progress?.();
      if (progress !== seen.progress) {
        seen.progress = progress;
        onProgress();
      }
      return taken && options.heldMs !== undefined ? held(taken) : taken;
    },
  };
}

function brokenExchange(error: unknown, options: ExchangeOptions): Failure {
  if (error instanceof TransportError) return transportFailure(error, options.connectMs);
  if (error instanceof ScanError) {
    return {
      kind: 'server',
      certainty: 'ambiguous',
      message: `the answer could not be read: ${error.message}; the provider may have done the work`,
      classifiedBy: `body ${error.reason}`,
    };
  }
  // Neither the network nor the body: the picture came, and keeping it failed (a full disk).
  return { kind: 'storage', certainty: 'completed', message: `the answer could not be stored: ${messageOf(error)}` };
}

function canceled(started: boolean): Failure {
  return {
    kind: 'canceled',
    certainty: started ? 'ambiguous' : 'not_sent',
    message: started
      ? 'canceled while the provider was working; it may bill the work'
      : 'canceled before anything was sent',
  };
}
