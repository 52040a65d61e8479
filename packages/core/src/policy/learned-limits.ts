import { isTrying, lowered, type Pace, raised, startClimb } from './climb.ts';
import { type Call, type KnownRate, type LimitState, presumedMs, type Search } from './limit-state.ts';
import { type RateDimension, type UseLog, unitsOf } from './sliding-window.ts';
import { type Evidence, explanations, guardMs, mostGenerous, probeAt, type Refusal } from './window-search.ts';

/** A rate that calls are held to now. */
export interface RateInForce {
  readonly dimension: RateDimension;
  readonly count: number;
  readonly windowMs: number;
  /** Absent where it was configured. */
  readonly known?: KnownRate;
}

const MAX_REFUSALS = 32;
const MAX_RATES = 8;
const WINDOWS_PER_RAISE = 8;
const TOLD_PERIOD_MS = 600_000;
/** A call refused with less than this share used was not refused for that rate, unless it asks for even spacing. */
const NEARLY_USED = 0.9;
const HALF_USED = 0.5;

function paceOf({ source, windowMs }: Pick<KnownRate, 'source' | 'windowMs'>): Pace {
  const periodMs =
    source === 'refusals'
      ? Math.min(Math.max(windowMs * WINDOWS_PER_RAISE, 60_000), 3_600_000)
      : Math.max(TOLD_PERIOD_MS, windowMs * 2);
  return { periodMs, maxPeriodMs: periodMs * 16 };
}

/** The provider said what it allows in a window; what its refusals had seemed to show gives way to its words. */
export function rateTold(
  state: LimitState,
  told: Pick<KnownRate, 'dimension' | 'windowMs'> & { readonly source: 'headers' | 'words'; readonly count: number },
  now: number,
): LimitState {
  const { count, ...named } = told;
  const old = state.rates.find((one) => isSameRate(one, named) && one.source === named.source);
  if (old?.climb.count === count) return state;
  const pace = paceOf(named);
  const climb =
    old && isTrying(old.climb) ? lowered(old.climb, count, pace, now) : startClimb(count, pace.periodMs, now);
  if (named.source === 'headers') return { ...state, rates: placed(state.rates, { ...named, climb }) };
  const { search: _, ceiling, ...rest } = state;
  const rates = state.rates.filter((one) => one.source !== 'refusals');
  return {
    ...rest,
    ...(ceiling && ceiling.source !== 'guess' && { ceiling }),
    rates: placed(rates, { ...named, climb }),
    refusals: [],
    decidedAt: now,
  };
}

function isSameRate(one: Pick<KnownRate, 'dimension' | 'windowMs'>, other: typeof one): boolean {
  return one.dimension === other.dimension && one.windowMs === other.windowMs;
}

function placed(rates: readonly KnownRate[], rate: KnownRate): readonly KnownRate[] {
  const others = rates.filter((one) => !(isSameRate(one, rate) && one.source === rate.source));
  return [...others, rate].slice(-MAX_RATES);
}

/**
 * A call was refused because of a rate. One that was nearly used up is corrected: a raise that failed, calls that
 * arrive late, a limit lower than thought, a provider that wants them evenly spaced. Else an unknown limit was met.
 */
export function refusedByRate(
  before: LimitState,
  call: Call,
  dimensions: readonly RateDimension[],
  inForce: readonly RateInForce[],
  now: number,
): LimitState {
  const state = withRefusal(before, call, dimensions);
  if (state.search) return searchedOn(state, state.search, call, now);
  const shown = state.rates.find((one) => one.shownBy === call.id);
  if (shown) return searched({ ...state, rates: state.rates.filter((one) => one !== shown) }, call, now);
  const concerned = inForce.filter(({ dimension }) => dimensions.includes(dimension));
  if (call.at < state.decidedAt) return concerned.reduce((one, rate) => madeExact(one, rate, call), before);
  for (const correct of CORRECTIONS) {
    for (const rate of concerned) {
      const corrected = correct(state, rate, call, dimensions.length === 1, now);
      if (corrected) return { ...corrected, decidedAt: now };
    }
  }
  return searched(state, call, now);
}

export function withRefusal(state: LimitState, call: Call, dimensions: readonly RateDimension[]): LimitState {
  const { at, requests, images, tokens } = call;
  const refusal: Refusal = { at, requests, images, tokens, dimensions };
  return { ...state, refusals: [...state.refusals.slice(1 - MAX_REFUSALS), refusal] };
}

/** Whether one of these rates was all but used up when the call was sent. */
export function isNearlyUsed(state: LimitState, inForce: readonly RateInForce[], call: Call): boolean {
  return inForce.some((rate) => usedBeside(state, rate, call) + call[rate.dimension] > rate.count * NEARLY_USED);
}

type Correction = (
  state: LimitState,
  rate: RateInForce,
  call: Call,
  isNamed: boolean,
  now: number,
) => LimitState | undefined;

const failedRaise: Correction = (state, { known, ...rate }, call, _isNamed, now) => {
  const used = usedBeside(state, rate, call);
  if (known === undefined || !isTrying(known.climb) || used + call[rate.dimension] <= known.climb.proven)
    return undefined;
  return withLowered(state, known, Math.min(used, known.climb.count - 1), now);
};

const lateArrival: Correction = (state, rate, call, _isNamed, now) => {
  const { dimension, count, windowMs } = rate;
  const guard = guardMs(windowMs, state.lateMs);
  const tolerance = Math.max(guard * 3, windowMs * 0.02);
  // Once more so soon, and it is a lower limit.
  if (state.lateAt >= 0 && now - state.lateAt < windowMs * 4) return undefined;
  let used = usedBeside(state, rate, call) + call[dimension];
  const left = state.uses.filter(
    (use) => use[1] <= call.at - windowMs - guard && use[1] > call.at - windowMs - guard - tolerance,
  );
  for (const use of left.toReversed()) {
    used += unitsOf(use, dimension);
    if (used > count) return { ...state, lateMs: (call.at - windowMs - use[1]) * 1.5, lateAt: now };
  }
  return undefined;
};

const lowerLimit: Correction = (state, { known, ...rate }, call, isNamed, now) => {
  const used = usedBeside(state, rate, call);
  if (known && known.source !== 'headers') {
    // Lower still so soon, and it is another limit.
    const isAgain = known.loweredAt !== undefined && now - known.loweredAt < rate.windowMs * 4;
    if (isAgain || used >= rate.count || used < rate.count * HALF_USED) return undefined;
    const { rates } = withLowered(state, known, used, now);
    return { ...state, rates: rates.map((one) => (isSameRate(one, known) ? { ...one, loweredAt: now } : one)) };
  }
  if (!isNamed || used < rate.count * NEARLY_USED) return undefined;
  const shadow: KnownRate = {
    dimension: rate.dimension,
    windowMs: rate.windowMs,
    source: 'refusals',
    climb: startClimb(Math.max(1, used), paceOf({ source: 'refusals', windowMs: rate.windowMs }).periodMs, now),
  };
  return { ...state, rates: placed(state.rates, shadow) };
};

/** Azure and OpenAI enforce slices of a minute: what is announced is not used up, and still too much at once. */
const evenSpacing: Correction = (state, { dimension, known }, call, isNamed) => {
  if (!isNamed || known?.source === 'refusals' || state.smooth[dimension] !== undefined) return undefined;
  return { ...state, smooth: { ...state.smooth, [dimension]: call.at } };
};

const CORRECTIONS: readonly Correction[] = [failedRaise, lateArrival, lowerLimit, evenSpacing];

/** The first refusal of a burst was counted with others that were refused later. */
function madeExact(state: LimitState, { known, ...rate }: RateInForce, call: Call): LimitState {
  if (known?.source !== 'refusals' || isTrying(known.climb) || known.climb.changedAt < call.at) return state;
  const used = usedBeside(state, rate, call);
  if (used >= rate.count || used < rate.count * HALF_USED) return state;
  const climb = { ...known.climb, count: used, proven: used };
  return { ...state, rates: state.rates.map((one) => (one === known ? { ...one, climb } : one)) };
}

function withLowered(state: LimitState, rate: KnownRate, count: number, now: number): LimitState {
  const climb = lowered(rate.climb, Math.max(1, count), paceOf(rate), now);
  return { ...state, rates: state.rates.map((one) => (one === rate ? { ...one, climb } : one)) };
}

function usedBeside({ uses, lateMs }: LimitState, { dimension, windowMs }: RateInForce, call: Call): number {
  const guard = guardMs(windowMs, lateMs);
  return usedBetween(uses, dimension, call.at - windowMs - guard, call.at + guard);
}

function usedBetween(uses: UseLog, dimension: RateDimension, after: number, until: number): number {
  return uses.reduce((sum, use) => (use[1] > after && use[0] <= until ? sum + unitsOf(use, dimension) : sum), 0);
}

function searched(state: LimitState, call: Call, now: number): LimitState {
  // A ceiling that refusals seemed to show was this limit.
  const { ceiling, ...rest } = state;
  const told = ceiling && (ceiling.source === 'headers' || ceiling.source === 'words');
  return searchedOn({ ...rest, ...(told && { ceiling }) }, { startedAt: call.at, nextProbeAt: now }, call, now);
}

function searchedOn(state: LimitState, { startedAt, probe }: Search, call: Call, now: number): LimitState {
  const evidence = evidenceOf(state, now - presumedMs(state));
  const found = explanations(evidence);
  if (found.length > 0) return { ...state, search: searchFor(found) };
  // Nothing explains it all: another limit is in force since.
  const recent = { ...state, evidenceSince: call.at, refusals: state.refusals.slice(-1), peak: -1 };
  return { ...recent, search: searchFor(explanations({ ...evidence, refusals: recent.refusals, since: call.at })) };

  function searchFor(possible: ReturnType<typeof explanations>): Search {
    const nextProbeAt = probeAt(possible, state.uses, call, now - startedAt, now);
    return { startedAt, nextProbeAt, ...(probe && probe.id !== call.id && { probe }) };
  }
}

function evidenceOf({ uses, refusals, evidenceSince }: LimitState, settledUntil: number): Evidence {
  return { uses, refusals, since: evidenceSince, settledUntil };
}

/** The one call that was let through was not refused: what now explains all is held to. */
export function concluded(before: LimitState, at: number): LimitState {
  const { search, ...state } = before;
  if (search?.probe === undefined) return before;
  const found = explanations(evidenceOf(state, search.probe.at));
  const best = mostGenerous(found, state.uses);
  if (best === undefined) return { ...state, evidenceSince: search.probe.at, refusals: [] };
  const { dimension, windowMs, count } = best;
  const rate: KnownRate = {
    dimension,
    windowMs,
    source: 'refusals',
    climb: startClimb(count, paceOf({ source: 'refusals', windowMs }).periodMs, at),
    shownBy: search.probe.id,
    ...(found.some((one) => one.windowMs !== windowMs) && { rampFrom: at }),
  };
  return { ...state, rates: placed(state.rates, rate), decidedAt: at };
}

/** A learned rate raised, when it is time; never beyond what is configured for the same window. */
export function rateRaised(
  state: LimitState,
  rate: KnownRate,
  inForce: readonly RateInForce[],
  at: number,
): LimitState | undefined {
  if (rate.source === 'headers') return undefined;
  const climb = raised(rate.climb, paceOf(rate), at);
  if (climb === undefined) return undefined;
  const isNeedless = inForce.some((one) => isSameRate(one, rate) && one.known !== rate && one.count <= climb.count);
  const rates = state.rates.flatMap((one) => (one !== rate ? [one] : isNeedless ? [] : [{ ...one, climb }]));
  return { ...state, rates };
}
