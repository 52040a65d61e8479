import type { Failure } from '../failure.ts';
import { fraction } from './retry.ts';

/**
 * A circuit breaker for slow, paid calls, as pure functions over a plain state.
 *
 * It trips on `consecutive` failures in a row or when half of the last `window` outcomes failed: a window of counts,
 * because the calls outlast windows of time. Every permit carries the generation it was given in, and a result of an
 * older generation changes nothing. Half open lets one leased probe through; a probe that was ignored (a refusal, a
 * cancel) hands its permit back, and one that never reports expires.
 */
export interface BreakerState {
  readonly generation: number;
  readonly phase: 'closed' | 'open' | 'half_open';
  readonly consecutive: number;
  /** The last outcomes, oldest first; true is a failure. */
  readonly recent: readonly boolean[];
  /** How often it opened without a success between. */
  readonly openings: number;
  readonly openUntil: number;
  readonly probeExpiresAt?: number;
  /** What tripped it; told to callers while it is open. */
  readonly cause?: Failure;
}

export interface BreakerPolicy {
  readonly consecutive: number;
  readonly window: number;
  readonly minimumOutcomes: number;
  readonly failureShare: number;
  readonly firstOpenMs: number;
  readonly maxOpenMs: number;
  /** How long a probe may stay unreported before the next one is let through. */
  readonly probeLeaseMs: number;
}

export const BREAKER_POLICY: BreakerPolicy = {
  consecutive: 5,
  window: 20,
  minimumOutcomes: 10,
  failureShare: 0.5,
  firstOpenMs: 5_000,
  maxOpenMs: 300_000,
  probeLeaseMs: 600_000,
};

/** For credentials: one verdict on the key is enough, and it outlasts the repeats of the caller's own SDK. */
export const CREDENTIAL_POLICY: BreakerPolicy = { ...BREAKER_POLICY, consecutive: 1, firstOpenMs: 60_000 };

export const CLOSED: BreakerState = {
  generation: 0,
  phase: 'closed',
  consecutive: 0,
  recent: [],
  openings: 0,
  openUntil: 0,
};

/** Closed by hand: what was sent before tells nothing any more. */
export function reset({ generation }: BreakerState): BreakerState {
  return { ...CLOSED, generation: generation + 1 };
}

export interface Permit {
  readonly generation: number;
  readonly probe: boolean;
}

export type Verdict =
  | { readonly result: 'success' }
  | { readonly result: 'ignored' }
  | { readonly result: 'failure'; readonly failure: Failure };

const PROBE_USUALLY_MS = 10_000;

/** When the next call may pass (epoch ms), or undefined when it may now. */
export function closedUntil(state: BreakerState, now: number): number | undefined {
  if (state.phase === 'closed') return undefined;
  if (state.phase === 'open') return state.openUntil > now ? state.openUntil : undefined;
  const lease = state.probeExpiresAt ?? 0;
  // The lease is how long a probe may hang; it usually reports much sooner.
  return lease > now ? Math.min(lease, now + PROBE_USUALLY_MS) : undefined;
}

/** Lets one call through. Ask `closedUntil` first; the first call through an expired opening becomes the probe. */
export function permit(
  state: BreakerState,
  now: number,
  policy: BreakerPolicy,
): { state: BreakerState; permit: Permit } {
  if (state.phase === 'closed') return { state, permit: { generation: state.generation, probe: false } };
  const generation = state.generation + 1;
  const probing: BreakerState = { ...state, generation, phase: 'half_open', probeExpiresAt: now + policy.probeLeaseMs };
  return { state: probing, permit: { generation, probe: true } };
}

export function settle(
  state: BreakerState,
  given: Permit,
  verdict: Verdict,
  now: number,
  policy: BreakerPolicy,
): BreakerState {
  if (given.generation !== state.generation) return state;
  if (verdict.result === 'ignored') return given.probe ? { ...state, phase: 'open', openUntil: now } : state;
  if (verdict.result === 'success') return succeeded(state, given, policy);
  if (given.probe) return opened(state, verdict.failure, now, policy);
  const recent = [...state.recent, true].slice(-policy.window);
  const counted = { ...state, recent, consecutive: state.consecutive + 1 };
  return tripped(counted, policy) ? opened(counted, verdict.failure, now, policy) : counted;
}

function succeeded(state: BreakerState, given: Permit, policy: BreakerPolicy): BreakerState {
  if (given.probe) return { ...CLOSED, generation: state.generation + 1 };
  return { ...state, consecutive: 0, recent: [...state.recent, false].slice(-policy.window) };
}

function tripped(state: BreakerState, policy: BreakerPolicy): boolean {
  if (state.consecutive >= policy.consecutive) return true;
  const failures = state.recent.filter(Boolean).length;
  return state.recent.length >= policy.minimumOutcomes && failures >= state.recent.length * policy.failureShare;
}

/** The opening doubles with each one, plus up to half of it so that nodes do not probe together; never before the provider's own hint. */
function opened(state: BreakerState, cause: Failure, now: number, policy: BreakerPolicy): BreakerState {
  const doubled = policy.firstOpenMs * 2 ** Math.min(state.openings, 30);
  const openMs = Math.min(policy.maxOpenMs, doubled * (1 + 0.5 * fraction(`${state.generation}:${cause.message}`)));
  return {
    generation: state.generation + 1,
    phase: 'open',
    consecutive: 0,
    recent: [],
    openings: state.openings + 1,
    openUntil: Math.max(now + Math.floor(openMs), cause.notBefore ?? 0),
    cause,
  };
}
