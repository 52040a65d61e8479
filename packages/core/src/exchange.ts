import { transportFailure } from './classify.ts';
import type { Clock, Failure } from './failure.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { Asset } from './images/asset.ts';
import { ScanError } from './images/scan-error.ts';
import { type Io, type SendOptions, TransportError } from './io.ts';
import type { Timing } from './journal.ts';

/** Turns the bytes of one answer into what an adapter reads; `end` throws a `ScanError` for a cut or foreign body. */
export interface AnswerReader {
  write(chunk: Uint8Array): void | Promise<void>;
  end(): HttpResponse;
}

export interface ExchangeOptions {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** Nothing is sent from here on (epoch ms), and what was sent is overdue. */
  readonly deadlineAt: number;
  /** What `deadlineAt` was made from, for the error. */
  readonly totalMs: number;
  /** How long the exchange stays open after a clock fired, for an answer that may be paid for; 0 ends it at once. */
  readonly harvestMs: (clock: Clock) => number;
  readonly cancel: AbortSignal;
  readonly reach: SendOptions['reach'];
  readonly readAsset: (asset: Asset) => AsyncIterable<Uint8Array>;
  readonly openReader: (status: number, headers: Readonly<Record<string, string>>) => AnswerReader;
  /** Until when (epoch ms) the work was seen to move: the clock of the first byte counts from there. */
  readonly progressAt?: () => number;
  /** Aborted, with the failure as its reason, when whoever watches the work finds that it stands still. */
  readonly stalled?: AbortSignal;
  /** Called when the request starts to leave. */
  readonly onSent?: (() => void) | undefined;
  /** Called once when a clock ends the caller's wait while the exchange goes on. */
  readonly onClock: (failure: Failure) => void;
}

export type Exchange = { readonly timing: Timing } & (
  | { readonly ok: true; readonly response: HttpResponse }
  | { readonly ok: false; readonly failure: Failure; readonly status?: number }
);

/** Sends one request and reads its answer under the clocks. Never throws: every way to end is an answer or a failure. */
export async function exchange(io: Io, request: HttpRequest, options: ExchangeOptions): Promise<Exchange> {
  // Making the start durable took its time.
  if (options.cancel.aborted) return { ok: false, failure: canceled(false), timing: {} };
  if (io.now() >= options.deadlineAt) return { ok: false, failure: tooLateToSend(options), timing: {} };
  const abort = new AbortController();
  const began = io.now();
  const seen: { startedAt?: number; headersAt?: number; dataAt?: number; status?: number; reader?: AnswerReader } = {};
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
    await io.send(
      request,
      {
        onStarted: () => {
          seen.startedAt = io.now();
          options.onSent?.();
        },
        onHeaders: (status, headers) => {
          seen.headersAt = seen.dataAt = io.now();
          seen.status = status;
          seen.reader = options.openReader(status, headers);
          watch.onHeaders();
        },
        onData: (chunk) => {
          seen.dataAt = io.now();
          return seen.reader?.write(chunk);
        },
      },
      { signal: abort.signal, connectTimeoutMs: options.connectMs, reach: options.reach, readAsset: options.readAsset },
    );
    if (seen.reader === undefined) throw new TransportError('sent', 'NO_ANSWER', 'the exchange ended without headers');
    return { ok: true, response: seen.reader.end(), timing: timing() };
  } catch (error) {
    const failure =
      watch.fired() ??
      (options.cancel.aborted ? canceled(seen.startedAt !== undefined) : brokenExchange(error, options));
    return { ok: false, failure, timing: timing(), ...(seen.status !== undefined && { status: seen.status }) };
  } finally {
    watch.stop();
    options.cancel.removeEventListener('abort', cancel);
  }
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
  const said = error instanceof Error ? error.message : String(error);
  return { kind: 'storage', certainty: 'completed', message: `the answer could not be stored: ${said}` };
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

interface Seen {
  startedAt?: number;
  headersAt?: number;
  dataAt?: number;
}

/**
 * First byte, idle and total. A clock that fires before anything was sent ends the exchange; later it ends the
 * caller's wait, and the exchange only when `harvestMs` is over.
 */
function watchClocks(io: Io, options: ExchangeOptions, seen: Seen, abort: AbortController) {
  const began = io.now();
  const timers = new Set<() => void>();
  let fired: Failure | undefined;
  const at = (instant: number, then: () => void) => {
    const cancel = io.timer(instant, () => {
      timers.delete(cancel);
      then();
    });
    timers.add(cancel);
  };
  const fire = (name: Clock, failure: Failure) => {
    if (fired !== undefined) return;
    fired = failure;
    const harvestMs = options.harvestMs(name);
    if (seen.startedAt === undefined || harvestMs === 0) return abort.abort();
    options.onClock(fired);
    at(io.now() + harvestMs, () => abort.abort());
  };
  const started = () => seen.startedAt !== undefined;
  const watchIdle = () => {
    const due = (seen.dataAt ?? began) + options.idleMs;
    if (due <= io.now()) fire('idle', clockFailure('idle', options.idleMs, 'idle_timeout_ms', started()));
    else at(due, watchIdle);
  };
  at(options.deadlineAt, () => fire('total', overdue(options, started())));
  const watchFirstByte = () => {
    if (seen.headersAt !== undefined) return;
    const due = (options.progressAt?.() ?? began) + options.firstByteMs;
    if (due > io.now()) return at(due, watchFirstByte);
    fire('first_byte', clockFailure('first_byte', options.firstByteMs, 'first_byte_timeout_ms', started()));
  };
  const stall = () => {
    if (seen.headersAt === undefined) fire('idle', options.stalled?.reason);
  };
  at(began + options.firstByteMs, watchFirstByte);
  options.stalled?.addEventListener('abort', stall, { once: true });
  return {
    onHeaders: watchIdle,
    fired: () => fired,
    stop: () => {
      options.stalled?.removeEventListener('abort', stall);
      for (const cancel of timers) cancel();
    },
  };
}

function tooLateToSend(options: ExchangeOptions): Failure {
  return clockFailure('queue', options.totalMs, 'total_timeout_ms', false);
}

function overdue(options: ExchangeOptions, started: boolean): Failure {
  return clockFailure('total', options.totalMs, 'total_timeout_ms', started);
}

function clockFailure(name: Clock, afterMs: number, setting: string, started: boolean): Failure {
  const ran = `the ${name.replace('_', ' ')} clock ran out after ${afterMs} ms (${setting})`;
  return {
    kind: 'timeout',
    certainty: started ? 'ambiguous' : 'not_sent',
    message: started ? `${ran}; the provider may still be working` : `${ran} before anything was sent`,
    clock: { name, afterMs, setting },
    classifiedBy: `clock ${name}`,
  };
}
