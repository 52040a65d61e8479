import type { Clock, Failure } from './failure.ts';
import type { Io } from './io.ts';

export interface ClockOptions {
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** `firstByteMs` is of the first token: from sent to the first content, before which idle does not count. */
  readonly untilContent?: boolean;
  /** How long the receiver may hold the flow; meanwhile idle stands still. Absent, idle counts then too. */
  readonly heldMs?: number;
  /** Nothing is sent from here on (epoch ms), and what was sent is overdue. */
  readonly deadlineAt: number;
  /** What `deadlineAt` was made from, for the error. */
  readonly totalMs: number;
  /** How long the exchange stays open after a clock fired, for an answer that may be paid for; 0 ends it at once. */
  readonly harvestMs: (clock: Clock) => number;
  /** Until when (epoch ms) the work was seen to move: the clock of the first byte counts from there. */
  readonly progressAt?: () => number;
  /** Aborted, with the failure as its reason, when whoever watches the work finds that it stands still. */
  readonly stalled?: AbortSignal;
  /** Called once when a clock ends the caller's wait while the exchange goes on. */
  readonly onClock: (failure: Failure) => void;
}

/** What the clocks look at; the exchange keeps it as things happen. */
export interface Seen {
  startedAt?: number;
  headersAt?: number;
  dataAt?: number;
  /** Since when the receiver holds the flow. */
  heldSince?: number | undefined;
  /** How far a handed-on answer has come; absent for any other. */
  progress?: AnswerProgress | undefined;
  /** Events of a picture that is being made: between two of them there may be all the work. */
  isPictureStream?: boolean;
}

/** `waiting`: no content yet. `complete`: nothing that belongs to it is missing, though its end may not have come. */
export type AnswerProgress = 'waiting' | 'begun' | 'complete';

/** A peer that has said everything has this long to end the answer, or to add what nobody needs. */
const CLOSING_MS = 10_000;

/**
 * First byte or first token, idle and total. A clock that fires before anything was sent ends the exchange; later it
 * ends the caller's wait, and the exchange only when `harvestMs` is over. Timers are set anew when they fire, never for
 * each chunk.
 */
export function watchClocks(io: Io, options: ClockOptions, seen: Seen, abort: AbortController) {
  const began = io.now();
  const timers = new Set<() => void>();
  let fired: Failure | undefined;
  const at = (instant: number, then: () => void) => {
    const cancel = io.timer(instant, () => {
      timers.delete(cancel);
      then();
    });
    timers.add(cancel);
    return () => {
      timers.delete(cancel);
      cancel();
    };
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
  const watchIdle = idleWatch(io, options, seen, began, { at, fire });
  at(options.deadlineAt, () => fire('total', overdue(options, started())));
  const watchFirst = () => {
    if (seen.headersAt !== undefined && seen.progress !== 'waiting') return;
    const from = options.untilContent ? (seen.startedAt ?? began) : (options.progressAt?.() ?? began);
    const due = from + options.firstByteMs;
    if (due > io.now()) return at(due, watchFirst);
    const name = options.untilContent ? 'first_token' : 'first_byte';
    return fire(name, clockFailure(name, options.firstByteMs, 'first_byte_timeout_ms', started()));
  };
  const stall = () => {
    if (seen.headersAt === undefined) fire('idle', options.stalled?.reason);
  };
  at(began + options.firstByteMs, watchFirst);
  options.stalled?.addEventListener('abort', stall, { once: true });
  return {
    /** The headers came, or the answer came further: from its first content on it must not stand still. */
    onProgress: () => {
      if (seen.progress !== 'waiting') watchIdle();
    },
    fired: () => fired,
    stop: () => {
      options.stalled?.removeEventListener('abort', stall);
      for (const cancel of timers) cancel();
    },
  };
}

interface Watch {
  at(instant: number, then: () => void): () => void;
  fire(name: Clock, failure: Failure): void;
}

/** The idle clock; called again, it counts anew by what is known then. */
function idleWatch(io: Io, options: ClockOptions, seen: Seen, began: number, { at, fire }: Watch): () => void {
  let stop = () => {};
  return function watchIdle() {
    stop();
    const now = io.now();
    const isLong = seen.isPictureStream === true && options.firstByteMs > options.idleMs;
    const setting = isLong ? 'first_byte_timeout_ms' : 'idle_timeout_ms';
    const allowedMs = isLong ? options.firstByteMs : options.idleMs;
    const idleMs = seen.progress === 'complete' ? Math.min(allowedMs, CLOSING_MS) : allowedMs;
    if (seen.heldSince !== undefined && options.heldMs !== undefined) {
      const due = seen.heldSince + options.heldMs;
      if (due <= now) return fire('idle', notTaken(options.heldMs));
      stop = at(Math.min(due, now + idleMs), watchIdle);
      return;
    }
    const due = (seen.dataAt ?? began) + idleMs;
    if (due <= now) fire('idle', clockFailure('idle', idleMs, setting, seen.startedAt !== undefined));
    else stop = at(due, watchIdle);
  };
}

/** The caller's own doing: nothing in it speaks against the provider. */
export function notTaken(heldMs: number): Failure {
  return {
    kind: 'canceled',
    certainty: 'ambiguous',
    message: `the caller took nothing of the answer for ${heldMs} ms, so the provider's request was ended`,
    classifiedBy: 'answer not taken',
  };
}

export function tooLateToSend(options: ClockOptions): Failure {
  return clockFailure('queue', options.totalMs, 'total_timeout_ms', false);
}

function overdue(options: ClockOptions, started: boolean): Failure {
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
