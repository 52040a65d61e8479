import { isTrying, lowered, type Pace, raised, startClimb } from './climb.ts';
import { type Call, type Ceiling, type LimitState, othersBeside, presumedMs } from './limit-state.ts';

/** One more after a minute without a refusal; a limit that the provider told is believed for longer. */
const FOUND: Pace = { periodMs: 60_000, maxPeriodMs: 240_000 };
const TOLD: Pace = { periodMs: 600_000, maxPeriodMs: 3_600_000 };
const LAG_MS = 100;
const JUST_ENDED_MS = 250;
const MAX_PAUSE_MS = 60_000;
const MIN_PAUSE_MS = 1_000;

function paceOf(source: Ceiling['source']): Pace {
  return source === 'refusals' || source === 'guess' ? FOUND : TOLD;
}

/** The provider said how many calls may be in flight. */
export function ceilingTold(state: LimitState, count: number, source: 'headers' | 'words', now: number): LimitState {
  const { ceiling } = state;
  if (ceiling?.source === source && ceiling.climb.count === count) return state;
  const failedRaise = ceiling?.source === source && isTrying(ceiling.climb);
  const climb = failedRaise ? lowered(ceiling.climb, count, TOLD, now) : startClimb(count, TOLD.periodMs, now);
  return {
    ...state,
    ceiling: { source, climb, lagMs: ceiling?.lagMs ?? 0 },
    decidedAt: now,
    peak: Math.min(state.peak, count - 1),
  };
}

/**
 * A call was refused because too many were in flight: the ceiling is what the provider had accepted beside it. Refusals
 * of calls sent before the last change only make that count exact.
 */
export function refusedByConcurrency(
  state: LimitState,
  call: Call,
  source: 'refusals' | 'guess',
  allowed: number | undefined,
  now: number,
): LimitState {
  const others = othersBeside(state, call);
  const paused = others === 0 ? pause(state, now) : state;
  const count = Math.max(1, others);
  const { ceiling } = state;
  if (call.at < state.decidedAt) {
    if (ceiling === undefined || isTold(ceiling) || ceiling.climb.count <= count) return paused;
    return withCeiling(paused, { ...ceiling, climb: { ...ceiling.climb, count, proven: count } }, count);
  }
  const before = Math.min(allowed ?? Number.POSITIVE_INFINITY, ceiling?.climb.count ?? Number.POSITIVE_INFINITY);
  const lagMs = ceiling?.lagMs ?? 0;
  if (
    source === 'refusals' &&
    lagMs === 0 &&
    others > 0 &&
    others < before &&
    Number.isFinite(before) &&
    justEnded(state, call)
  ) {
    // It may count a call for a moment longer than we do.
    const kept = ceiling ?? { source, climb: startClimb(before, FOUND.periodMs, now) };
    return { ...paused, ceiling: { ...kept, lagMs: LAG_MS }, decidedAt: now };
  }
  const climb = ceiling
    ? lowered(ceiling.climb, Math.min(count, ceiling.climb.count), paceOf(ceiling.source), now)
    : startClimb(count, FOUND.periodMs, now);
  const known = ceiling === undefined || ceiling.source === 'guess' ? source : ceiling.source;
  return { ...withCeiling(paused, { source: known, climb, lagMs: 0 }, count), decidedAt: now };
}

function isTold({ source }: Ceiling): boolean {
  return source === 'headers' || source === 'words';
}

function withCeiling(state: LimitState, ceiling: Ceiling, count: number): LimitState {
  return { ...state, ceiling, peak: Math.min(state.peak, count - 1) };
}

function justEnded(state: LimitState, call: Call): boolean {
  return state.ended.some(({ endedAt }) => endedAt <= call.at && endedAt > call.at - JUST_ENDED_MS);
}

/** Refused with nothing else in flight: others use the key, or it is no limit of ours at all. */
function pause(state: LimitState, now: number): LimitState {
  if (now < (state.closed?.until ?? 0)) return state;
  const pauseMs = Math.min(Math.max(state.pauseMs * 2, MIN_PAUSE_MS), MAX_PAUSE_MS);
  const reason = 'the provider refused a call with no other in flight';
  return { ...state, pauseMs, closed: { until: now + pauseMs, reason } };
}

/** A call was accepted beside so many others: a ceiling that was guessed is one. */
export function acceptedBeside(state: LimitState, call: Call): LimitState {
  const others = othersBeside(state, call);
  const peak = Math.max(state.peak, others);
  const { ceiling } = state;
  const confirmed =
    ceiling?.source === 'guess' && call.at > ceiling.climb.changedAt && others >= ceiling.climb.count - 1;
  if (confirmed) return { ...state, peak, ceiling: { ...ceiling, source: 'refusals' } };
  return peak === state.peak ? state : { ...state, peak };
}

/** The most others that a call was accepted beside, those counted that would have been refused by now. */
export function peakBeside(state: LimitState, now: number): number {
  const accepted = state.permits.filter((one) => one.at <= now - presumedMs(state)).length;
  return Math.max(state.peak, accepted - 1);
}

/** The ceiling raised, when it is time. */
export function ceilingRaised(state: LimitState, allowed: number | undefined, at: number): LimitState | undefined {
  const { ceiling } = state;
  if (ceiling === undefined || ceiling.climb.count >= (allowed ?? Number.POSITIVE_INFINITY)) return undefined;
  const climb = raised(ceiling.climb, paceOf(ceiling.source), at);
  return climb && { ...state, ceiling: { ...ceiling, climb } };
}
