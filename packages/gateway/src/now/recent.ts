import type { Signal } from '../signals/signals.ts';
import { quantileMs } from './durations.ts';
import { addAttempt, addEnded, emptyMinute, type Minute } from './minute.ts';

/** How generations or attempts ended in a stretch of time. */
export interface Tally {
  /** All of them: `completed + failed + refused + canceled`. */
  readonly ended: number;
  readonly completed: number;
  /** Neither pictures (or an answer), nor refused, nor canceled. */
  readonly failed: number;
  /** By the provider's or our own rules for what is asked for (failure kind `policy`): nothing is broken. */
  readonly refused: number;
  readonly canceled: number;
  /** Of `failed`: nobody knows whether it is billed. */
  readonly unknown: number;
  /** How long those that made pictures took, whole milliseconds, within 5 %; undefined where there were none. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
}

/** What ended in this process in the last minutes: generations, and the attempts at each target. */
export interface RecentWindow extends Tally {
  /** Pictures that were made. */
  readonly images: number;
  /** US dollars that are certainly spent, where the price is known. */
  readonly usd: number;
  /** Generations that cost something nobody knows the price of; never in `usd` as 0. */
  readonly unpriced: number;
  /** Attempts by `provider/model`; at most 200 targets in a minute, the others are left out. */
  readonly byTarget: ReadonlyMap<string, Tally>;
}

/** One minute of the series. */
export interface RecentMinute extends Omit<RecentWindow, 'byTarget'> {
  /** Its first instant, epoch ms. */
  readonly at: number;
}

/** What ended here lately, by the minute, for 60 minutes; in memory, so it begins anew with the process. */
export interface Recent {
  /** Epoch ms: counting began. */
  readonly since: number;
  /** The last `ms`, in whole minutes with the one that has just begun; at most 60 minutes. */
  window(ms: number, now: number): RecentWindow;
  /** 60 minutes, the oldest first, the last one has just begun. */
  series(now: number): readonly RecentMinute[];
  /** What to pass every signal to. */
  readonly listen: (signal: Signal) => void;
}

export const MINUTE_MS = 60_000;
export const KEPT_MINUTES = 60;

export function createRecent(since: number): Recent {
  /** By the minute's number since the epoch. */
  const minutes = new Map<number, Minute>();
  const minuteOf = (at: number): Minute => {
    const number = Math.floor(at / MINUTE_MS);
    const known = minutes.get(number);
    if (known) return known;
    const made = emptyMinute();
    minutes.set(number, made);
    // Those ahead too: a clock that was set back must not take the past for what is to come.
    for (const one of minutes.keys()) if (Math.abs(number - one) >= KEPT_MINUTES) minutes.delete(one);
    return made;
  };
  const lastMinutes = (count: number, now: number): readonly Minute[] => {
    const last = Math.floor(now / MINUTE_MS);
    return Array.from({ length: count }, (_, index) => minutes.get(last - index)).filter((one) => one !== undefined);
  };
  return {
    since,
    listen(signal) {
      if (signal.type === 'ended') addEnded(minuteOf(signal.summary.finishedAt), signal);
      else if (signal.type === 'event' && signal.event.type === 'attempt-ended') {
        addAttempt(minuteOf(signal.event.at), signal.live, signal.event);
      }
    },
    window: (ms, now) => windowOf(lastMinutes(Math.min(KEPT_MINUTES, Math.ceil(ms / MINUTE_MS)), now)),
    series(now) {
      const last = Math.floor(now / MINUTE_MS);
      return Array.from({ length: KEPT_MINUTES }, (_, index) => {
        const number = last - KEPT_MINUTES + 1 + index;
        const { byTarget: _byTarget, ...sums } = windowOf([minutes.get(number)].filter((one) => one !== undefined));
        return { at: number * MINUTE_MS, ...sums };
      });
    },
  };
}

function windowOf(minutes: readonly Minute[]): RecentWindow {
  const targets = new Set(minutes.flatMap(({ byTarget }) => [...byTarget.keys()]));
  const sum = (of: (minute: Minute) => number) => minutes.reduce((total, one) => total + of(one), 0);
  return {
    ...tallyOf(minutes.map(({ generations }) => generations)),
    images: sum(({ images }) => images),
    usd: sum(({ microUsd }) => microUsd) / 1e6,
    unpriced: sum(({ unpriced }) => unpriced),
    byTarget: new Map(
      [...targets].map((target) => [
        target,
        tallyOf(minutes.map(({ byTarget }) => byTarget.get(target)).filter((one) => one !== undefined)),
      ]),
    ),
  };
}

function tallyOf(counts: readonly Minute['generations'][]): Tally {
  const sum = (of: 'completed' | 'failed' | 'refused' | 'canceled' | 'unknown') =>
    counts.reduce((total, one) => total + one[of], 0);
  const [completed, failed, refused, canceled] = [sum('completed'), sum('failed'), sum('refused'), sum('canceled')];
  const took = counts.map((one) => one.took);
  return {
    ended: completed + failed + refused + canceled,
    ...{ completed, failed, refused, canceled, unknown: sum('unknown') },
    p50Ms: quantileMs(took, 0.5),
    p95Ms: quantileMs(took, 0.95),
  };
}
