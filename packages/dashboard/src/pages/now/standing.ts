import type { LimitUse, Minute } from '../../api/now.ts';
import type { Target } from '../../api/targets.ts';
import { count, duration, percent } from '../../ui/format.ts';
import type { Tone } from '../../ui/layout.tsx';

/** The fullest of the limits that are in use. */
export function fullestLimit(limits: readonly LimitUse[]): LimitUse | undefined {
  const [fullest] = limits
    .filter(({ used }) => used > 0)
    .toSorted((one, other) => other.share - one.share || other.waiting - one.waiting);
  return fullest;
}

/** Whether it holds anything up: what waits at an empty limit waits for something else, such as the provider’s hint. */
export function isBinding({ share, waiting }: LimitUse): boolean {
  return share >= 1 || (waiting > 0 && share >= NEARLY);
}

const NEARLY = 0.8;

/** `5 images in 1 min`, `4 at once`. */
export function limitText({ dimension, count: most, window_ms: windowMs }: LimitUse): string {
  if (dimension === 'concurrency') return `${count(most)} at once`;
  const what = most === 1 ? dimension.replace(/s$/, '') : dimension;
  return `${count(most)} ${what} in ${duration(windowMs)}`;
}

/** `4 of 5 images in 1 min, 80 %`. */
export function limitUseText(limit: LimitUse): string {
  return `${count(limit.used)} of ${limitText(limit)}, ${percent(limit.share)}`;
}

export interface TargetState {
  readonly word: string;
  readonly tone: Tone;
  /** One sentence: why, where nobody else says it. */
  readonly why: string | undefined;
  /** There is something that a reset would open. */
  readonly isClosedOff: boolean;
  /** What is closed off is its key, at every target. */
  readonly isByKey?: true;
}

/** How a target stands, by the graver of its own breaker and that of its key. */
export function targetState(target: Target): TargetState {
  const { breaker = 'closed', credential_breaker: key = 'closed', reason, drained } = target;
  const isClosedOff = breaker !== 'closed' || key !== 'closed';
  const why = reason ?? undefined;
  if (drained) {
    return {
      word: 'drained',
      tone: 'warn',
      why: 'Drained by hand: nothing new goes there until it is resumed.',
      isClosedOff,
    };
  }
  if (key === 'open')
    return {
      word: 'open',
      tone: 'bad',
      why: why ?? 'Its key was refused, or its account is used up.',
      isClosedOff,
      isByKey: true,
    };
  if (breaker === 'open') return { word: 'open', tone: 'bad', why: why ?? 'It failed too often.', isClosedOff };
  if (isClosedOff)
    return { word: 'half-open', tone: 'warn', why: why ?? 'One request tries whether it is well.', isClosedOff };
  const isPaused = target.available_at !== null && target.available_at !== undefined;
  return isPaused
    ? { word: 'waits', tone: 'warn', why: why ?? 'It asked to be left alone for a while.', isClosedOff }
    : { word: 'closed', tone: 'good', why: undefined, isClosedOff };
}

/** What is not well comes first, then by name. */
export function byUrgency(targets: readonly Target[]): readonly Target[] {
  const rank: Readonly<Partial<Record<Tone, number>>> = { bad: 0, warn: 1 };
  const rankOf = (target: Target) => rank[targetState(target).tone] ?? 2;
  return targets.toSorted((one, other) => rankOf(one) - rankOf(other) || one.id.localeCompare(other.id));
}

/** What an hour comes to, for those who do not see its chart. */
export function hourText(series: readonly Minute[]): {
  readonly requests: string;
  readonly latency: string;
  readonly images: string;
} {
  const sum = (of: (minute: Minute) => number) => series.reduce((total, one) => total + of(one), 0);
  const slowest = series.reduce((most, { p95_ms: p95 }) => Math.max(most, p95 ?? 0), 0);
  const busiest = series.reduce((most, { images }) => Math.max(most, images), 0);
  return {
    requests: `Requests by the minute of the last hour: ${count(sum(({ ended }) => ended))} ended, ${count(sum(({ failed }) => failed))} failed`,
    latency: `How long pictures took, by the minute of the last hour: ${slowest > 0 ? `p95 at most ${duration(slowest)}` : 'none was made'}`,
    images: `Images by the minute of the last hour: ${count(sum(({ images }) => images))} in all, at most ${count(busiest)} in a minute`,
  };
}
