import type { Event } from '@onetake/core';
import { attemptOf, outcomeOf } from '../signals/attempts.ts';
import { plainCode } from '../signals/plain-code.ts';
import type { Signal } from '../signals/signals.ts';
import { makesPictures } from '../store/plan-kind.ts';
import type { AnyLive } from '../tasks/running.ts';
import type { CountedMetrics } from './counted.ts';
import type { LabelBound } from './label-bound.ts';

export interface Bounds {
  readonly target: LabelBound;
  readonly code: LabelBound;
}

/** What a request for nobody's pictures is counted under. */
const NOBODY = 'none';

const STAGES = [
  ['connect', 'connectMs'],
  ['first_byte', 'firstByteMs'],
  ['body', 'bodyMs'],
  ['verify', 'verifyMs'],
] as const;

export const makesOf = (live: AnyLive): 'pictures' | 'chat' => (makesPictures(live) ? 'pictures' : 'chat');

/** Counts what signals tell. */
export function countSignals(counted: CountedMetrics, bounds: Bounds): (signal: Signal) => void {
  return (signal) => {
    if (signal.type === 'started') counted.started.inc({ makes: makesOf(signal.live) });
    else if (signal.type === 'ended') countEnd(signal, counted, bounds);
    else countEvent(signal.live, signal.event, counted, bounds);
  };
}

function countEvent(live: AnyLive, event: Event, counted: CountedMetrics, { target: bounded }: Bounds): void {
  if (event.type === 'attempt-started') {
    const begun = live.journals.reduce((sum, events) => sum + events.filter(isStart).length, 0);
    const waitedMs = Math.max(0, event.at - live.plan.createdAt);
    if (begun === 1) counted.queueSeconds.observe({ makes: makesOf(live) }, waitedMs / 1_000);
  }
  if (event.type === 'target-skipped') counted.skipped.inc({ target: bounded(event.target) });
  if (event.type !== 'attempt-ended') return;
  const { outcome, timing = {} } = event;
  const begun = attemptOf(live, event);
  const target = begun ? bounded(begun.target) : NOBODY;
  counted.attempts.inc({ target, outcome: outcome.ok ? 'completed' : outcome.failure.kind });
  if (begun) counted.attemptSeconds.observe({ target }, Math.max(0, event.at - begun.at) / 1_000);
  for (const [stage, field] of STAGES) {
    const ms = timing[field];
    if (ms !== undefined) counted.stageSeconds.observe({ stage }, ms / 1_000);
  }
  if (!outcome.ok) counted.failures.inc({ kind: outcome.failure.kind, certainty: outcome.failure.certainty });
  else if (outcome.images.length > 0) counted.images.inc({ target }, outcome.images.length);
}

function isStart({ type }: Event): boolean {
  return type === 'attempt-started';
}

function countEnd(
  { live, summary }: Extract<Signal, { type: 'ended' }>,
  counted: CountedMetrics,
  bounds: Bounds,
): void {
  const { status, code, finishedAt, lines = [] } = summary;
  const makes = makesOf(live);
  counted.requests.inc({ makes, status, code: code === undefined ? '' : bounds.code(plainCode(code)) });
  counted.requestSeconds.observe({ makes, status }, Math.max(0, finishedAt - live.plan.createdAt) / 1_000);
  const outcome = outcomeOf(live);
  if (outcome?.ok) counted.pictureBytes.inc(outcome.images.reduce((sum, { asset }) => sum + asset.bytes, 0));
  for (const { target: asked, role, spentMicroUsd, possibleMicroUsd } of lines) {
    const target = asked === undefined ? NOBODY : bounds.target(asked);
    if (role === 'retry' || role === 'fallback') counted.repeated.inc({ role });
    if (spentMicroUsd) counted.spent.inc({ target }, spentMicroUsd / 1e6);
    if (possibleMicroUsd) counted.possible.inc({ target }, possibleMicroUsd / 1e6);
    if (spentMicroUsd === null || possibleMicroUsd === null) counted.unpriced.inc({ target });
  }
}
