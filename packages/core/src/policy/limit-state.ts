import type { Claim, Limits } from '../pacing.ts';
import type { Climb } from './climb.ts';
import { mergedLogs, type RateDimension, type Units, type UseLog } from './sliding-window.ts';
import type { Refusal } from './window-search.ts';

/** All that is known of the limits of one credential at one target, and what was used of them. Plain JSON. */
export interface LimitState {
  /** The latest instant anything was admitted at: how a clock that was set back is noticed. */
  readonly seenAt: number;
  readonly uses: UseLog;
  /** Calls in flight. */
  readonly permits: readonly Permit[];
  /** Calls that ended last, oldest first. */
  readonly ended: readonly Ended[];
  readonly rates: readonly KnownRate[];
  readonly ceiling?: Ceiling;
  /** Even spacing, per dimension: the next theoretical arrival. */
  readonly smooth: Readonly<Partial<Record<RateDimension, number>>>;
  readonly closed?: { readonly until: number; readonly reason: string };
  /** How long it is closed after a refusal that nothing in flight explains; doubles until something is accepted. */
  readonly pauseMs: number;
  readonly refusals: readonly Refusal[];
  /** Acceptances before this instant say nothing of today's limits. */
  readonly evidenceSince: number;
  /** The most others in flight that a call was accepted beside. */
  readonly peak: number;
  readonly search?: Search;
  /** How late calls were seen to arrive, and when they were last. */
  readonly lateMs: number;
  readonly lateAt: number;
  /** How long refusals take. */
  readonly refusalMs: number;
  /** When a refusal changed something last: those of calls sent before say the same once more. */
  readonly decidedAt: number;
}

export interface Permit extends Units {
  readonly id: string;
  readonly at: number;
  /** A process that died renews its permits no more. */
  readonly until: number;
}

interface Ended {
  readonly at: number;
  readonly endedAt: number;
}

/** A limit that the provider told or that its refusals showed. */
export interface KnownRate {
  readonly dimension: RateDimension;
  readonly windowMs: number;
  readonly source: 'headers' | 'words' | 'refusals';
  readonly climb: Climb;
  /** While another window may be the true one: its calls double from this instant on. */
  readonly rampFrom?: number;
  /** When refusals lowered it last, other than a raise that failed. */
  readonly loweredAt?: number;
  /** The call whose acceptance showed it. */
  readonly shownBy?: string;
}

export interface Ceiling {
  /** `guess`: a refusal named no limit, and this is the likelier one. */
  readonly source: 'headers' | 'words' | 'refusals' | 'guess';
  readonly climb: Climb;
  /** A place is free only so long after its call ended. */
  readonly lagMs: number;
}

/** A limit was met and is not known: one call at a time finds out. */
export interface Search {
  readonly startedAt: number;
  readonly nextProbeAt: number;
  readonly probe?: { readonly id: string; readonly at: number };
}

/** One call as the limits see it. */
export interface Call extends Units {
  readonly id: string;
  readonly at: number;
}

export const EMPTY_LIMITS: LimitState = {
  seenAt: 0,
  uses: [],
  permits: [],
  ended: [],
  rates: [],
  smooth: {},
  pauseMs: 0,
  refusals: [],
  evidenceSince: 0,
  peak: -1,
  lateMs: 0,
  lateAt: -1,
  refusalMs: 0,
  decidedAt: -1,
};

const MAX_ENDED = 64;
/** A clock this far behind the last admission is another node's; further, it was set back. */
const MAX_SKEW_MS = 5_000;
const MIN_PRESUMED_MS = 250;
const MAX_PRESUMED_MS = 5_000;

export function unitsOfClaim({ images, tokens }: Claim): Units {
  return { requests: 1, images, tokens: tokens ?? 0 };
}

/** Whether anything is known that a call must wait for. */
export function hasLimits(state: LimitState, now: number): boolean {
  return (
    state.rates.length > 0 ||
    state.ceiling !== undefined ||
    state.search !== undefined ||
    (state.closed !== undefined && state.closed.until > now)
  );
}

export function anyLimit(limits: Limits | undefined): boolean {
  return limits !== undefined && Object.values(limits).some((one) => one !== undefined);
}

/** A call not refused for this long is taken for accepted: its picture comes much later than a refusal does. */
export function presumedMs(state: LimitState): number {
  return Math.min(Math.max(state.refusalMs * 3, MIN_PRESUMED_MS), MAX_PRESUMED_MS);
}

/** The instant to reckon with: never before the last admission, and what is known shifted where the clock was set back. */
export function atInstant(state: LimitState, now: number): { readonly state: LimitState; readonly at: number } {
  const behind = state.seenAt - now;
  if (behind <= MAX_SKEW_MS) return { state, at: Math.max(now, state.seenAt) };
  return { state: shifted(state, -behind), at: now };
}

function shifted(state: LimitState, ms: number): LimitState {
  const climb = (one: Climb): Climb => ({ ...one, changedAt: one.changedAt + ms });
  return {
    ...state,
    seenAt: state.seenAt + ms,
    uses: state.uses.map(([from, to, ...units]) => [from + ms, to + ms, ...units] as const),
    permits: state.permits.map((one) => ({ ...one, at: one.at + ms, until: one.until + ms })),
    ended: state.ended.map((one) => ({ at: one.at + ms, endedAt: one.endedAt + ms })),
    rates: state.rates.map((one) => ({
      ...one,
      climb: climb(one.climb),
      ...(one.rampFrom !== undefined && { rampFrom: one.rampFrom + ms }),
      ...(one.loweredAt !== undefined && { loweredAt: one.loweredAt + ms }),
    })),
    ...(state.ceiling && { ceiling: { ...state.ceiling, climb: climb(state.ceiling.climb) } }),
    smooth: Object.fromEntries(Object.entries(state.smooth).map(([dimension, at]) => [dimension, at + ms])),
    ...(state.closed && { closed: { ...state.closed, until: state.closed.until + ms } }),
    refusals: state.refusals.map((one) => ({ ...one, at: one.at + ms })),
    evidenceSince: state.evidenceSince + ms,
    decidedAt: state.decidedAt + ms,
    lateAt: state.lateAt + ms,
    ...(state.search && { search: shiftedSearch(state.search, ms) }),
  };
}

function shiftedSearch({ startedAt, nextProbeAt, probe }: Search, ms: number): Search {
  return {
    startedAt: startedAt + ms,
    nextProbeAt: nextProbeAt + ms,
    ...(probe && { probe: { ...probe, at: probe.at + ms } }),
  };
}

/** How many other calls the provider had accepted and not yet ended when this one was sent. */
export function othersBeside(state: LimitState, call: Call): number {
  let others = 0;
  for (const one of state.permits) if (one.at <= call.at && one.id !== call.id) others += 1;
  for (const one of state.ended) if (one.at <= call.at && one.endedAt > call.at) others += 1;
  return others;
}

/** Its place in flight is free. */
export function released(state: LimitState, call: Call, endedAt?: number): LimitState {
  const permits = state.permits.filter((one) => one.id !== call.id);
  if (endedAt === undefined) return { ...state, permits };
  return { ...state, permits, ended: [...state.ended.slice(1 - MAX_ENDED), { at: call.at, endedAt }] };
}

/** What one process saw of a limit that others know too. */
export function mergedStates(shared: LimitState | undefined, own: LimitState, now: number): LimitState {
  if (shared === undefined) return own;
  const known = hasLimits(shared, now) || !hasLimits(own, now) ? shared : own;
  return {
    ...known,
    seenAt: Math.max(shared.seenAt, own.seenAt),
    uses: mergedLogs(shared.uses, own.uses, now),
    permits: [...shared.permits, ...own.permits].sort((one, other) => one.at - other.at),
    ended: [...shared.ended, ...own.ended].sort((one, other) => one.endedAt - other.endedAt).slice(-MAX_ENDED),
    peak: Math.max(shared.peak, own.peak),
  };
}
