import { billed, type Event, type FailureKind, type Outcome } from '@onetake/core';
import { attemptOf, outcomeOf } from '../signals/attempts.ts';
import type { Signal } from '../signals/signals.ts';
import { makesPictures } from '../store/plan-kind.ts';
import type { AnyLive } from '../tasks/running.ts';
import { binOf } from './durations.ts';

/** How things ended, in one minute. */
export interface Counts {
  completed: number;
  failed: number;
  refused: number;
  canceled: number;
  unknown: number;
  readonly took: { count: number; readonly bins: Map<number, number> };
}

/** What ended in one minute. */
export interface Minute {
  readonly generations: Counts;
  readonly byTarget: Map<string, Counts>;
  images: number;
  microUsd: number;
  unpriced: number;
}

const MAX_TARGETS = 200;

export function emptyMinute(): Minute {
  return { generations: emptyCounts(), byTarget: new Map(), images: 0, microUsd: 0, unpriced: 0 };
}

function emptyCounts(): Counts {
  return { ...{ completed: 0, failed: 0, refused: 0, canceled: 0, unknown: 0 }, took: { count: 0, bins: new Map() } };
}

/** A generation ended. */
export function addEnded(minute: Minute, { live, summary }: Extract<Signal, { type: 'ended' }>): void {
  const { finishedAt, lines = [] } = summary;
  const outcome = outcomeOf(live);
  const made = summary.status === 'completed' && makesPictures(live);
  count(minute.generations, outcome, made ? finishedAt - live.plan.createdAt : undefined);
  if (summary.billed === 'maybe' && !outcome?.ok) minute.generations.unknown += 1;
  minute.images += outcome?.ok ? outcome.images.length : 0;
  minute.microUsd += lines.reduce((sum, { spentMicroUsd }) => sum + (spentMicroUsd ?? 0), 0);
  if (lines.some(({ spentMicroUsd }) => spentMicroUsd === null)) minute.unpriced += 1;
}

/** An attempt ended at its target. */
export function addAttempt(minute: Minute, live: AnyLive, event: Extract<Event, { type: 'attempt-ended' }>): void {
  const begun = attemptOf(live, event);
  if (begun === undefined) return;
  const known = minute.byTarget.get(begun.target);
  if (known === undefined && minute.byTarget.size >= MAX_TARGETS) return;
  const counts = known ?? emptyCounts();
  minute.byTarget.set(begun.target, counts);
  const { outcome } = event;
  const made = outcome.ok && makesPictures(live);
  count(counts, outcome, made ? event.at - begun.at : undefined);
  if (!outcome.ok && billed(outcome.failure) === 'maybe') counts.unknown += 1;
}

function count(counts: Counts, outcome: Outcome | undefined, tookMs: number | undefined): void {
  counts[outcome?.ok ? 'completed' : endOf(outcome?.failure.kind)] += 1;
  if (tookMs === undefined) return;
  const bin = binOf(tookMs);
  counts.took.count += 1;
  counts.took.bins.set(bin, (counts.took.bins.get(bin) ?? 0) + 1);
}

function endOf(kind: FailureKind | undefined): 'failed' | 'refused' | 'canceled' {
  if (kind === 'policy') return 'refused';
  return kind === 'canceled' ? 'canceled' : 'failed';
}
