import type { Limits } from '../pacing.ts';
import { PERMIT_MS, RATES, ratesInForce, spacingOf } from './admission.ts';
import { acceptedBeside, peakBeside, refusedByConcurrency } from './ceiling.ts';
import { concluded, isNearlyUsed, type RateInForce, refusedByRate, withRefusal } from './learned-limits.ts';
import { atInstant, type Call, type LimitState, othersBeside, released } from './limit-state.ts';
import { type RateDimension, recorded, takenBack } from './sliding-window.ts';

/** A call that was admitted was never sent: everything it took is given back. */
export function givenBack(before: LimitState, configured: Limits | undefined, call: Call, now: number): LimitState {
  const { state, call: admitted } = known(before, call, now);
  const uses = takenBack(state.uses, admitted.at, admitted);
  const { search, ...rest } = released({ ...state, uses }, admitted);
  const smooth = unspaced(rest.smooth, ratesInForce(state, configured), admitted);
  if (search?.probe?.id !== call.id) return { ...rest, smooth, ...(search && { search }) };
  return { ...rest, smooth, search: { startedAt: search.startedAt, nextProbeAt: search.nextProbeAt } };
}

/** Under this a use is left where it is: the guard of every window covers it. */
const MIN_MOVE_MS = 5;

/**
 * Its bytes leave only now: what it used counts from here, for a provider counts from its arrival, and a window that
 * began earlier here would end too early there.
 */
export function leaving(before: LimitState, call: Call, now: number): LimitState {
  const { state, call: admitted } = known(before, call, now);
  if (now - admitted.at < MIN_MOVE_MS) return state;
  const uses = recorded(takenBack(state.uses, admitted.at, admitted), now, admitted, Number.POSITIVE_INFINITY);
  const permits = state.permits.map((one) => (one.id === call.id ? { ...one, at: now } : one));
  return { ...state, uses, permits };
}

/** Only the last one's spacing can be given back: those behind it have counted on it. */
function unspaced(smooth: LimitState['smooth'], inForce: readonly RateInForce[], call: Call): LimitState['smooth'] {
  const dimensions = RATES.filter((dimension) => {
    const last = call.at + call[dimension] * spacingOf(dimension, inForce);
    return smooth[dimension] !== undefined && Math.abs(smooth[dimension] - last) < 1;
  });
  return dimensions.length === 0
    ? smooth
    : { ...smooth, ...Object.fromEntries(dimensions.map((dimension) => [dimension, call.at])) };
}

/** The call as it was admitted: a clock that was set back since has moved it with everything else. */
function known(before: LimitState, call: Call, now: number): { readonly state: LimitState; readonly call: Call } {
  const { state } = atInstant(before, now);
  return { state, call: state.permits.find((one) => one.id === call.id) ?? call };
}

export type Ending =
  | { readonly kind: 'accepted'; readonly tokens?: number }
  /** It ended in a way that says nothing of limits, though it may be known what it used. */
  | { readonly kind: 'other'; readonly tokens?: number }
  | {
      readonly kind: 'refused';
      readonly dimension?: RateDimension | 'concurrency';
      /** Its words are those of a rate, whichever. */
      readonly isRate?: boolean;
      readonly notBefore?: number;
      readonly reason: string;
    };

/** The call is over: its place in flight is free, and what its end says of the limits is learned. */
export function settled(
  before: LimitState,
  configured: Limits | undefined,
  call: Call,
  ending: Ending,
  now: number,
): LimitState {
  const { state, call: admitted } = known(before, call, now);
  switch (ending.kind) {
    case 'accepted':
      return accepted(state, admitted, ending.tokens, now);
    case 'other':
      return released({ ...state, uses: usesOf(state, admitted, ending.tokens) }, admitted, now);
    case 'refused':
      return refused(state, configured, admitted, ending, now);
  }
}

function accepted(before: LimitState, call: Call, tokens: number | undefined, now: number): LimitState {
  const beside = acceptedBeside(before, call);
  const state = released({ ...beside, uses: usesOf(beside, call, tokens), pauseMs: 0 }, call, now);
  return state.search?.probe?.id === call.id ? concluded(state, now) : state;
}

/** The uses with what a call used of tokens in place of its estimate. */
function usesOf({ uses }: LimitState, call: Call, tokens = call.tokens): LimitState['uses'] {
  return tokens === call.tokens
    ? uses
    : takenBack(uses, call.at, { requests: 0, images: 0, tokens: call.tokens - tokens });
}

function refused(
  before: LimitState,
  configured: Limits | undefined,
  call: Call,
  ending: Extract<Ending, { kind: 'refused' }>,
  now: number,
): LimitState {
  const uses = takenBack(before.uses, call.at, call);
  const refusalMs = Math.max(now - call.at, before.refusalMs * 0.8);
  const state = closedFor({ ...released(before, call), uses, refusalMs }, ending);
  const inForce = ratesInForce(state, configured);
  if (ending.dimension === 'concurrency')
    return refusedByConcurrency(state, call, 'refusals', configured?.concurrency, now);
  const dimensions: readonly RateDimension[] = ending.dimension
    ? [ending.dimension]
    : RATES.filter((one) => one !== 'tokens' || call.tokens > 0);
  if (ending.dimension !== undefined || ending.isRate || !mayBeConcurrency(state, inForce, call, now))
    return refusedByRate(state, call, dimensions, inForce, now);
  const seen = withRefusal(state, call, dimensions);
  return refusedByConcurrency(seen, call, 'guess', configured?.concurrency, now);
}

function closedFor(state: LimitState, { notBefore, reason }: { readonly notBefore?: number; readonly reason: string }) {
  return notBefore === undefined || notBefore <= (state.closed?.until ?? 0)
    ? state
    : { ...state, closed: { until: notBefore, reason } };
}

/**
 * Whether a refusal that names no limit may be one of calls in flight: some were, no rate was about to be used up, and
 * no call was accepted beside as many. The next refusal beside fewer proves it wrong.
 */
function mayBeConcurrency(state: LimitState, inForce: readonly RateInForce[], call: Call, now: number): boolean {
  const others = othersBeside(state, call);
  if (others === 0 || state.search !== undefined || isNearlyUsed(state, inForce, call)) return false;
  const { ceiling } = state;
  if (ceiling && ceiling.source !== 'guess' && others >= ceiling.climb.count - 1) return true;
  return others > peakBeside(state, now);
}

/** Permits of calls that go on. */
export function renewed(state: LimitState, ids: ReadonlySet<string>, now: number): LimitState {
  const until = now + PERMIT_MS;
  return { ...state, permits: state.permits.map((one) => (ids.has(one.id) ? { ...one, until } : one)) };
}
