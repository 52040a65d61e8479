import { count } from '../text.ts';
import type { Answered } from './task-calls.ts';

/** Time, as a batch spends it. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Resolves when the time is over or the signal aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The whole batch stops here; nothing is lost by it. */
export class StopError extends Error {
  override readonly name = 'StopError';
}

/** How long a gateway may be out of reach before the batch stops. */
export const UNREACHABLE_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/** When requests may be sent again, after the gateway said to wait. One for all lines. */
export interface Gate {
  notBefore: number;
}

export interface PatienceOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  /** Ends the asking, with undefined. */
  readonly signal: AbortSignal;
  /** Every answer that was not the gateway's, and every `wait`. */
  readonly onSetback?: (answer: Answered<unknown>) => void;
}

/** Undefined when the asking was ended. */
export type AskedFor<Value> =
  | Exclude<Answered<Value>, { readonly kind: 'wait' | 'unreachable' | 'useless' }>
  | undefined;

/**
 * Asks until the gateway has told, refused or lost it: waits as it says, and asks again for a minute while it cannot
 * be reached. Undefined when the signal ended it. Throws a `StopError` when the minute is over or asking is useless.
 */
export async function askPatiently<Value>(
  ask: () => Promise<Answered<Value>>,
  { clock, gate, signal, onSetback }: PatienceOptions,
): Promise<AskedFor<Value>> {
  let unreachableSince: number | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  // Ended by an answer, by the signal, or by a minute without any.
  for (;;) {
    while (clock.now() < gate.notBefore && !signal.aborted) await clock.sleep(gate.notBefore - clock.now(), signal);
    if (signal.aborted) return undefined;
    const answer = await ask();
    if (answer.kind === 'told' || answer.kind === 'refused' || answer.kind === 'gone') return answer;
    onSetback?.(answer);
    if (answer.kind === 'useless') throw new StopError(answer.message);
    if (signal.aborted) return undefined;
    if (answer.kind === 'wait') {
      unreachableSince = undefined;
      gate.notBefore = Math.max(gate.notBefore, clock.now() + answer.ms);
      continue;
    }
    unreachableSince ??= clock.now();
    if (clock.now() - unreachableSince >= UNREACHABLE_MS)
      throw new StopError(`no answer for ${count(UNREACHABLE_MS / 1000, 'second')}: ${answer.message}`);
    await clock.sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
  }
}
