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

/**
 * Waits until there is something to tell the caller; undefined when the caller went away first. Clocks that fired
 * before this caller joined ended somebody else's wait.
 */
export function waitToTell(
  live: Live,
  response: ServerResponse,
  deadlineAt: number,
  io: Io,
  onPartial: ((event: Event & { type: 'partial-sent' }) => void) | undefined,
): Promise<Told | undefined> {
  return new Promise((resolve) => {
    const end = (told: Told | undefined) => {
      stopWatching();
      stopTimer();
      response.off('close', gone);
      live.brokenSignal.removeEventListener('abort', broken);
      resolve(told);
    };
    const gone = () => end(undefined);
    const broken = () => end({ generation: foldGeneration(live.journals), overdue: live.brokenSignal.reason });
    const stopTimer = io.timer(deadlineAt + AFTER_DEADLINE_MS, () =>
      end({ generation: foldGeneration(live.journals), overdue: stillRunning(live, io) }),
    );
    const stopWatching = live.watch((event) => {
      if (event.type === 'partial-sent') onPartial?.(event);
      if (event.type !== 'finished' && event.type !== 'clock-fired') return;
      const told = tellable(live);
      if (told) end(told);
    });
    const already = tellable(live);
    if (response.destroyed) gone();
    else if (already?.generation.outcome) end(already);
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
