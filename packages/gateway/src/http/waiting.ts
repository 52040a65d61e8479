import type { ServerResponse } from 'node:http';
import { type Event, type Failure, foldGeneration, type Generation, type Io } from '@onetake/core';
import { type Live, tellable } from '../tasks/live.ts';

/** What a caller is told: the end, or how far it came when a clock ended the wait. */
export interface Told {
  readonly generation: Generation;
  readonly overdue: Failure | undefined;
}

/** The run's own clocks tell it first, and better; this is for callers with a deadline of their own. */
const AFTER_DEADLINE_MS = 500;

export interface Waiting {
  readonly live: Live;
  readonly response: ServerResponse;
  readonly deadlineAt: number;
  /** The run was another caller's first: its clocks are not this one's. */
  readonly joinedLater: boolean;
  readonly io: Io;
}

/** Waits until there is something to tell the caller; undefined when the caller went away first. */
export function waitToTell(
  { live, response, deadlineAt, joinedLater, io }: Waiting,
  onPartial: ((event: Event & { type: 'partial-sent' }) => void) | undefined,
): Promise<Told | undefined> {
  if (response.destroyed) return Promise.resolve(undefined);
  const already = tellable(live);
  if (already?.generation.outcome) return Promise.resolve(already);
  return new Promise((resolve) => {
    const cutShort = (overdue: Failure) => end({ generation: foldGeneration(live.journals), overdue });
    const end = (told: Told | undefined) => {
      stopWatching();
      stopTimer();
      response.off('close', gone);
      live.brokenSignal.removeEventListener('abort', broken);
      resolve(told);
    };
    const gone = () => end(undefined);
    const broken = () => cutShort(live.brokenSignal.reason);
    const stopTimer = io.timer(deadlineAt + AFTER_DEADLINE_MS, () => cutShort(stillRunning(live, io)));
    const stopWatching = live.watch((event) => {
      if (event.type === 'partial-sent') onPartial?.(event);
      const ends = event.type === 'finished' || (event.type === 'clock-fired' && !joinedLater);
      const told = ends ? tellable(live) : undefined;
      if (told && (told.generation.outcome || !joinedLater)) end(told);
    });
    response.once('close', gone);
    live.brokenSignal.addEventListener('abort', broken, { once: true });
    if (live.brokenSignal.aborted) broken();
  });
}

function stillRunning(live: Live, io: Io): Failure {
  const afterMs = io.now() - live.plan.createdAt;
  return {
    kind: 'timeout',
    certainty: 'ambiguous',
    message: `the total clock ran out after ${afterMs} ms (x-onetake-timeout-ms); the picture is still being made`,
    clock: { name: 'total', afterMs, setting: 'x-onetake-timeout-ms' },
    classifiedBy: 'clock total',
  };
}
