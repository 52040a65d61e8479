import type { ServerResponse } from 'node:http';
import type { Io, JsonObject } from '@onetake/core';
import type { FastifyReply } from 'fastify';
import { type Followed, isOver, type Snapshot } from '../tasks/following.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { warningHeader } from './adapted.ts';
import type { OpenAnswers } from './open-answers.ts';
import type { ThumbnailUrl } from './previews.ts';
import { shownStatus, taskView } from './task-view.ts';

/** What answering with a task takes. */
export interface TaskAnswerDeps {
  readonly tasks: Tasks;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly openAnswers: OpenAnswers;
  readonly assetsUrl: () => string;
  readonly thumbnailUrl?: ThumbnailUrl | undefined;
}

/** The task object with its place in the queue. */
export async function taskObject(
  snapshot: Snapshot,
  { tasks, assetsUrl, thumbnailUrl }: TaskAnswerDeps,
): Promise<JsonObject> {
  const waits = shownStatus(snapshot) === 'pending';
  return taskView(snapshot, {
    assetsUrl: assetsUrl(),
    thumbnailUrl,
    position: waits ? await tasks.position(snapshot) : undefined,
  });
}

/** While it is unfinished the answer says when to ask again. */
export async function sendTask(
  reply: FastifyReply,
  status: number,
  snapshot: Snapshot,
  deps: TaskAnswerDeps,
): Promise<FastifyReply> {
  const task = await taskObject(snapshot, deps);
  if (!isOver(snapshot)) reply.header('retry-after', String(retryAfterSeconds(snapshot, task, deps.io.now())));
  return reply.code(status).headers(warningHeader(snapshot.plan)).header('cache-control', 'no-store').send(task);
}

const RETRY_AFTER_SECONDS = { least: 1, most: 60 };
/** What has gone on for so long is not over in the next second. */
const SOON_MS = 10_000;
const LATER_SECONDS = 5;

/** As long as it will wait, where that is known; else often at first and less often later. */
export function retryAfterSeconds(snapshot: Snapshot, task: JsonObject, now: number): number {
  const { least, most } = RETRY_AFTER_SECONDS;
  const etaMs = (task.queue as { readonly eta_ms: number | null } | undefined)?.eta_ms;
  if (typeof etaMs === 'number') return Math.min(most, Math.max(least, Math.ceil(etaMs / 1000)));
  return now - snapshot.createdAt < SOON_MS ? least : LATER_SECONDS;
}

/** Resolves when it is over, after `waitMs`, when the caller went away, and when the gateway stops. */
export function waitForEnd(
  followed: Followed,
  { waitMs, response }: { readonly waitMs: number; readonly response: ServerResponse },
  { io, openAnswers }: TaskAnswerDeps,
): Promise<void> {
  if (waitMs <= 0 || isOver(followed.snapshot()) || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    // With as many open as may be, nobody waits.
    const closed = openAnswers.open(() => end());
    if (closed === undefined) return resolve();
    const end = () => {
      closed();
      stopTimer();
      stopWatching();
      response.off('close', end);
      resolve();
    };
    const stopTimer = io.timer(io.now() + waitMs, end);
    const stopWatching = followed.onChange(() => isOver(followed.snapshot()) && end());
    response.once('close', end);
  });
}
