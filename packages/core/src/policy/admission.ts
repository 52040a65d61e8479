import { isObject, type JsonValue } from '../json.ts';
import type { Claim, Limits } from '../pacing.ts';
import { ceilingRaised } from './ceiling.ts';
import { nextArrival } from './gcra.ts';
import { concluded, type RateInForce, rateRaised } from './learned-limits.ts';
import {
  atInstant,
  type Call,
  hasLimits,
  type LimitState,
  type Permit,
  presumedMs,
  unitsOfClaim,
} from './limit-state.ts';
import { fitsAt, type RateDimension, recorded, type Units, unitsOf, usedWithin } from './sliding-window.ts';
import { guardMs } from './window-search.ts';

/** A permit that its process does not renew ends after this: what a dead process had in flight is free again. */
export const PERMIT_MS = 60_000;

export const RATES: readonly RateDimension[] = ['requests', 'images', 'tokens'];

export type Admission =
  | { readonly admitted: true; readonly state: LimitState; readonly at: number }
  | {
      readonly admitted: false;
      readonly state: LimitState;
      /** When to ask again, unless a call ends before. */
      readonly until: number;
      readonly reason: string;
    };

/** Something that a call waits for. `raise`: it may be tried whether more is allowed than is known. */
interface Block {
  readonly until: number;
  readonly reason: string;
  readonly raise?: (state: LimitState) => LimitState | undefined;
}

/** The rates that hold now: configured ones and what was learned. */
export function ratesInForce(state: LimitState, configured: Limits | undefined): readonly RateInForce[] {
  const set = RATES.flatMap((dimension) => (configured?.[dimension] ?? []).map((rate) => ({ dimension, ...rate })));
  const learned = state.rates.map((known) => ({
    dimension: known.dimension,
    count: known.climb.count,
    windowMs: known.windowMs,
    known,
  }));
  return [...set, ...learned];
}

/** Calls that may be in flight; undefined when that is not known to be limited. */
export function concurrencyInForce(state: LimitState, configured: Limits | undefined): number | undefined {
  const counts = [configured?.concurrency, state.ceiling?.climb.count].filter((one) => one !== undefined);
  return counts.length === 0 ? undefined : Math.min(...counts);
}

/**
 * Admits one call under all limits, or under none: what is refused here uses nothing up, and leaves the state as it was
 * (the same object) unless time alone has changed it.
 */
export function admit(
  before: LimitState,
  configured: Limits | undefined,
  id: string,
  claim: Claim,
  now: number,
): Admission {
  const { state: current, at } = atInstant(before, now);
  if (configured === undefined && !hasLimits(current, at)) {
    // Of chat a refusal costs nothing, and a wait is what its callers notice first.
    const opensAt = claim.images === 0 ? at : openingAt(current, at);
    if (opensAt > at) return { admitted: false, state: current, until: opensAt, reason: OPENING_REASON };
    const free = noted(current, { id, at, ...unitsOfClaim(claim) }, 0);
    return { admitted: true, state: free, at };
  }
  const probe = current.search?.probe;
  const state = probe && at >= probe.at + presumedMs(current) ? concluded(current, at) : current;
  const inForce = ratesInForce(state, configured);
  const units = withTokens(unitsOfClaim(claim), state, inForce);
  const blocks = blocksOf(state, configured, inForce, units, at);
  const firm = blocks.filter((one) => one.raise === undefined);
  const raised =
    firm.length > 0 ? undefined : blocks.reduce<LimitState | undefined>((one, { raise }) => one && raise?.(one), state);
  if (raised === undefined) {
    const [last] = (firm.length > 0 ? firm : blocks).toSorted((one, other) => other.until - one.until);
    return { admitted: false, state, until: Math.max(last?.until ?? 0, now + 1), reason: last?.reason ?? '' };
  }
  return { admitted: true, state: committed(raised, inForce, { id, at, ...units }), at };
}

/** So many calls go out at once to a provider that was never called, then twice as many after a step. */
const OPENING_CALLS = 8;
const OPENING_STEP_MS = 200;
/** Beyond these the pace stays even, for a refusal takes its time to be heard of. */
const OPENING_DOUBLED = 16;
const OPENING_PACE_MS = 20;
const OPENING_MS = 3_000;
const OPENING_REASON = 'what this provider allows is not known yet: the first calls begin one after the other';

/**
 * Slow start: a provider refuses within milliseconds, so calls that begin one after the other meet an unknown limit with
 * a few, and not with all that wait. The last of 64 calls that come at once begins 1.2 s later for it.
 */
function openingAt({ uses }: LimitState, at: number): number {
  const first = uses[0]?.[0];
  if (first === undefined || at - first >= OPENING_MS) return at;
  const calls = uses.reduce((sum, use) => sum + unitsOf(use, 'requests'), 0);
  if (calls < OPENING_CALLS) return at;
  const doubled = Math.min(calls + 1, OPENING_DOUBLED);
  const even = Math.max(0, calls + 1 - OPENING_DOUBLED) * OPENING_PACE_MS;
  return Math.ceil(first + OPENING_STEP_MS * Math.log2(doubled / OPENING_CALLS) + even);
}

/** What a call will use of tokens is told with its answer; until then it counts as much as the calls before it did. */
function withTokens(units: Units, { uses }: LimitState, inForce: readonly RateInForce[]): Units {
  if (units.tokens > 0 || !inForce.some((rate) => rate.dimension === 'tokens')) return units;
  const [tokens, requests] = uses.reduce(([all, calls], use) => [all + use[4], calls + use[2]], [0, 0]);
  return { ...units, tokens: requests > 0 ? Math.max(1, Math.ceil(tokens / requests)) : 1 };
}

function blocksOf(
  state: LimitState,
  configured: Limits | undefined,
  inForce: readonly RateInForce[],
  units: Units,
  at: number,
): readonly Block[] {
  const { closed } = state;
  return [
    ...(closed && closed.until > at ? [closed] : []),
    ...concurrencyBlock(state, configured, at),
    ...inForce.flatMap((rate) => rateBlock(state, rate, inForce, units, at)),
    ...RATES.flatMap((dimension) => spacingBlock(state, dimension, units, at)),
    ...searchBlock(state, at),
  ];
}

function concurrencyBlock(state: LimitState, configured: Limits | undefined, at: number): readonly Block[] {
  const allowed = concurrencyInForce(state, configured);
  if (allowed === undefined) return [];
  const lagMs = state.ceiling?.lagMs ?? 0;
  const ends = state.permits.filter((one) => one.until > at).map((one) => one.until);
  const lagging = state.ended.filter(({ endedAt }) => endedAt + lagMs > at).map(({ endedAt }) => endedAt + lagMs);
  if (ends.length + lagging.length < allowed) return [];
  const reason = `${ends.length + lagging.length} of ${allowed} requests are in flight`;
  const until = Math.min(...ends, ...lagging);
  const raise = ceilingRaised(state, configured?.concurrency, at);
  if (raise === undefined) return [{ until, reason }];
  return [{ until, reason, raise: (one) => ceilingRaised(one, configured?.concurrency, at) }];
}

function rateBlock(
  state: LimitState,
  rate: RateInForce,
  inForce: readonly RateInForce[],
  units: Units,
  at: number,
): readonly Block[] {
  const need = units[rate.dimension];
  if (need <= 0) return [];
  const { known, count, dimension } = rate;
  const windowMs = rate.windowMs + guardMs(rate.windowMs, state.lateMs);
  const ramp = known && rampedUntil(state, known, need, at);
  const until = Math.max(fitsAt(state.uses, dimension, { count, windowMs }, need, at), ramp ?? at);
  if (until <= at) return [];
  const reason = `${count} ${dimension} in ${rate.windowMs / 1000} s are used`;
  const raise = known && ramp === undefined ? rateRaised(state, known, inForce, at) : undefined;
  const added = raise?.rates.find(
    (one) => one.dimension === dimension && one.windowMs === rate.windowMs && one.source === known?.source,
  );
  const isEnough =
    raise &&
    (added === undefined || fitsAt(state.uses, dimension, { count: added.climb.count, windowMs }, need, at) <= at);
  if (!isEnough || known === undefined) return [{ until, reason }];
  return [{ until, reason, raise: (one) => rateRaised(one, known, inForce, at) }];
}

/** Slow start while the window is one of several: 1, then 3, 7, 15… calls after each time a refusal would have taken. */
function rampedUntil(
  state: LimitState,
  { rampFrom, climb, dimension }: RateInForce['known'] & object,
  need: number,
  at: number,
) {
  if (rampFrom === undefined) return undefined;
  const steps = Math.floor((at - rampFrom) / presumedMs(state)) + 1;
  const allowed = 2 ** Math.min(steps, 30) - 1;
  if (allowed >= climb.count) return undefined;
  const used = usedWithin(state.uses, dimension, at - rampFrom + 1, at);
  return used === 0 || used + need <= allowed ? undefined : rampFrom + steps * presumedMs(state);
}

function spacingBlock(state: LimitState, dimension: RateDimension, units: Units, at: number): readonly Block[] {
  const until = state.smooth[dimension];
  if (until === undefined || until <= at || units[dimension] <= 0) return [];
  return [{ until, reason: `the provider wants ${dimension} evenly spaced` }];
}

function searchBlock({ search, ...state }: LimitState, at: number): readonly Block[] {
  if (search === undefined) return [];
  const until = search.probe ? search.probe.at + presumedMs(state) : search.nextProbeAt;
  return until > at ? [{ until, reason: 'the provider has a limit that it does not tell; one call finds out' }] : [];
}

function committed(state: LimitState, inForce: readonly RateInForce[], call: Call): LimitState {
  const { id, at } = call;
  const exactMs = inForce.reduce((most, rate) => Math.max(most, rate.windowMs * 1.1), 0);
  const living = { ...state, permits: state.permits.filter((one) => one.until > at) };
  return {
    ...noted(living, call, exactMs),
    smooth: spaced(state, inForce, call),
    ...(state.search && { search: { ...state.search, probe: { id, at } } }),
  };
}

function noted(state: LimitState, call: Call, exactMs: number): LimitState {
  const { id, at, requests, images, tokens } = call;
  const permit: Permit = { id, at, until: at + PERMIT_MS, requests, images, tokens };
  return { ...state, seenAt: at, uses: recorded(state.uses, at, call, exactMs), permits: [...state.permits, permit] };
}

/** With a call that was in flight before anybody here counted: it uses a place and nothing else. */
export function joined(state: LimitState, call: Call): LimitState {
  const permit: Permit = { ...call, until: call.at + PERMIT_MS };
  return { ...state, permits: [...state.permits, permit] };
}

/** What a process that owns its limits alone finds at its start: calls of the one before are in nobody's flight. */
export function withoutPermits(state: JsonValue): JsonValue {
  return isObject(state) ? { ...state, permits: [] } : state;
}

function spaced({ smooth }: LimitState, inForce: readonly RateInForce[], call: Call): LimitState['smooth'] {
  const dimensions = RATES.filter((dimension) => smooth[dimension] !== undefined && call[dimension] > 0);
  if (dimensions.length === 0) return smooth;
  const next = dimensions.map((dimension) => {
    const spacingMs = spacingOf(dimension, inForce);
    return [dimension, nextArrival(smooth[dimension], call[dimension], spacingMs, call.at)] as const;
  });
  return { ...smooth, ...Object.fromEntries(next) };
}

export function spacingOf(dimension: RateDimension, inForce: readonly RateInForce[]): number {
  const rates = inForce.filter((rate) => rate.dimension === dimension && rate.known?.source !== 'refusals');
  return Math.max(0, ...rates.map(({ windowMs, count }) => windowMs / count));
}
