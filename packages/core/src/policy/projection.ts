import type { Delay, LimitReport, Limits } from '../pacing.ts';
import { concurrencyInForce, ratesInForce } from './admission.ts';
import type { RateInForce } from './learned-limits.ts';
import type { LimitState } from './limit-state.ts';
import { type Units, unitsOf, usedWithin } from './sliding-window.ts';
import { guardMs } from './window-search.ts';

/**
 * When the last of `units` would be admitted if they came now and nothing else did: exact where every window is kept
 * full, and with calls in flight lasting `meanMs`. Undefined for at once.
 */
export function projected(
  state: LimitState,
  configured: Limits | undefined,
  units: Units,
  meanMs: number | undefined,
  now: number,
): Delay | undefined {
  const { closed, search } = state;
  const delays: (Delay | undefined)[] = [
    closed && { until: closed.until, reason: closed.reason },
    search && { until: search.nextProbeAt, reason: 'the provider has a limit that it does not tell' },
    concurrencyDelay(state, concurrencyInForce(state, configured), units.requests, meanMs, now),
    ...ratesInForce(state, configured).map((rate) => rateDelay(state, rate, units[rate.dimension], now)),
  ];
  return delays.reduce<Delay | undefined>(
    (latest, delay) => (delay && delay.until > (latest?.until ?? now) ? delay : latest),
    undefined,
  );
}

/** Every place of a window comes free one window after it was used, again and again. */
function rateDelay(state: LimitState, rate: RateInForce, units: number, now: number): Delay | undefined {
  const { dimension, count } = rate;
  if (units <= 0) return undefined;
  const windowMs = rate.windowMs + guardMs(rate.windowMs, state.lateMs);
  const used = Math.min(usedWithin(state.uses, dimension, windowMs, now), count);
  const [cycles, place] = [Math.floor((units - 1) / count), Math.floor((units - 1) % count)];
  const at = place < count - used ? now : freedAt(state, rate, place - (count - used), windowMs, now);
  return { until: at + cycles * windowMs, reason: `${count} ${dimension} in ${rate.windowMs / 1000} s are used` };
}

function freedAt({ uses }: LimitState, { dimension }: RateInForce, place: number, windowMs: number, now: number) {
  let freed = 0;
  for (const use of uses) {
    if (use[1] <= now - windowMs) continue;
    freed += unitsOf(use, dimension);
    if (freed > place) return use[1] + windowMs;
  }
  return now;
}

function concurrencyDelay(
  { permits }: LimitState,
  allowed: number | undefined,
  requests: number,
  meanMs: number | undefined,
  now: number,
): Delay | undefined {
  if (allowed === undefined) return undefined;
  const open = permits.filter((one) => one.until > now);
  const free = Math.max(0, allowed - open.length);
  if (requests <= free || open.length === 0) return undefined;
  const ends = open.map((one) => Math.max(now, one.at + (meanMs ?? 0))).toSorted((one, other) => one - other);
  const [cycles, place] = [Math.floor((requests - 1) / allowed), (requests - 1) % allowed];
  const at = place < free ? now : (ends[Math.min(place - free, ends.length - 1)] ?? now);
  return { until: at + cycles * (meanMs ?? 0), reason: `${open.length} of ${allowed} requests are in flight` };
}

/** What holds now, and how much of it is used: of each dimension where it allows least. */
export function reported(
  state: LimitState,
  configured: Limits | undefined,
  now: number,
): Pick<LimitReport, 'limits' | 'source' | 'used' | 'rates' | 'inFlight'> {
  const inForce = ratesInForce(state, configured);
  const of = (dimension: RateInForce['dimension']) => inForce.filter((rate) => rate.dimension === dimension);
  const rates = (dimension: RateInForce['dimension']) => {
    const found = of(dimension).map(({ count, windowMs }) => ({ count, windowMs }));
    return found.length === 0 ? {} : { [dimension]: found };
  };
  const used = (dimension: RateInForce['dimension']) => {
    const [fullest] = of(dimension).toSorted((one, other) => share(state, other, now) - share(state, one, now));
    return fullest ? usedWithin(state.uses, dimension, fullest.windowMs, now) : 0;
  };
  const concurrency = concurrencyInForce(state, configured);
  return {
    limits: {
      ...rates('requests'),
      ...rates('images'),
      ...rates('tokens'),
      ...(concurrency !== undefined && { concurrency }),
    },
    source: sourceOf(state, configured),
    used: { requests: used('requests'), images: used('images'), tokens: used('tokens') },
    rates: inForce.map(({ dimension, count, windowMs }) => ({
      ...{ dimension, count, windowMs },
      used: usedWithin(state.uses, dimension, windowMs, now),
    })),
    inFlight: state.permits.filter((one) => one.until > now).length,
  };
}

function share(state: LimitState, rate: RateInForce, now: number): number {
  return usedWithin(state.uses, rate.dimension, rate.windowMs, now) / rate.count;
}

/** The part of the tightest limit that is free, 1 where none is known. */
export function headroom(state: LimitState, configured: Limits | undefined, now: number): number {
  if (state.closed && state.closed.until > now) return -1;
  const rates = ratesInForce(state, configured).map((rate) => 1 - share(state, rate, now));
  const allowed = concurrencyInForce(state, configured);
  return Math.min(1, ...rates, ...(allowed === undefined ? [] : [1 - state.permits.length / allowed]));
}

function sourceOf({ rates, ceiling, search }: LimitState, configured: Limits | undefined): LimitReport['source'] {
  const sources = [...rates.map((rate) => rate.source), ...(ceiling ? [ceiling.source] : [])];
  if (search || sources.some((one) => one !== 'headers')) return 'refusals';
  return sources.length > 0 && configured === undefined ? 'headers' : 'configured';
}
