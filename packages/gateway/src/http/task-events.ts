import type { Io } from '@onetake/core';
import type { FastifyReply } from 'fastify';
import { type Followed, isOver, type Snapshot } from '../tasks/following.ts';
import { warningHeader } from './adapted.ts';
import { EVENT_STREAM_HEADERS, KEEP_ALIVE_COMMENT, listenForSilence } from './event-stream.ts';
import type { OpenAnswers } from './open-answers.ts';
import type { ThumbnailUrl } from './previews.ts';
import { RequestProblem } from './problem.ts';
import { shownStatus, taskView } from './task-view.ts';

/** How soon a browser comes back after a cut. */
const RECONNECT_MS = 1_000;
const COME_BACK_SECONDS = 5;

export interface TaskEvent {
  /** Of all events of a task, in order; what any process makes of the same journal. */
  readonly id: number;
  readonly type: string;
}

/**
 * What to tell somebody who has seen the event `seen` (0: none), of a task as it stands. The id counts what is durable
 * in its journals, and the end counts once more.
 */
export function nextTaskEvent(snapshot: Snapshot, seen: number): TaskEvent | undefined {
  const durable = snapshot.journals.reduce((sum, events) => sum + events.length, 0);
  if (isOver(snapshot)) return durable + 1 === seen ? undefined : { id: durable + 1, type: `task.${snapshot.status}` };
  if (shownStatus(snapshot) === 'pending' || durable <= seen) return undefined;
  return { id: durable, type: seen === 0 ? 'task.processing' : 'task.progress' };
}

export interface TaskStream {
  readonly reply: FastifyReply;
  /** Closed when the stream ends. */
  readonly followed: Followed;
  /** What the caller has seen of it before. */
  readonly seen: number;
  readonly assetsUrl: string;
  readonly thumbnailUrl?: ThumbnailUrl | undefined;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly openAnswers: OpenAnswers;
}

/**
 * Sends a task as server-sent events until it is over or its caller has gone; each event holds the task as it is then,
 * and of several changes a slow caller is sent the last. What was seen to its end is a 204, which ends a browser's
 * coming back.
 */
export function streamTask(stream: TaskStream): FastifyReply {
  const { reply, followed, seen, openAnswers } = stream;
  const response = reply.raw;
  const close = () => {
    followed.close();
    closed?.();
  };
  const closed = openAnswers.open(() => response.end());
  const snapshot = followed.snapshot();
  const isSeenToEnd = isOver(snapshot) && nextTaskEvent(snapshot, seen) === undefined;
  if (closed === undefined || isSeenToEnd || response.destroyed) {
    close();
    if (closed === undefined) throw tooManyStreams();
    return reply.code(204).send();
  }
  reply.hijack();
  response.once('close', close);
  const headers = { ...(reply.getHeaders() as Record<string, string>), ...warningHeader(snapshot.plan) };
  response.writeHead(200, { ...headers, ...EVENT_STREAM_HEADERS });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  sendEvents(stream);
  return reply;
}

function sendEvents({ reply, followed, seen: before, assetsUrl, thumbnailUrl, io }: TaskStream): void {
  const response = reply.raw;
  let seen = before;
  let told = '';

  const tell = () => {
    if (response.destroyed || response.writableEnded || response.writableNeedDrain) return;
    const snapshot = followed.snapshot();
    const event = nextTaskEvent(snapshot, seen);
    if (event === undefined) return;
    const data = JSON.stringify(taskView(snapshot, { assetsUrl, thumbnailUrl }));
    // Not every event of the journal shows in the task.
    if (data === told && !isOver(snapshot)) return;
    [seen, told] = [event.id, data];
    silence.broken();
    response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${data}\n\n`);
    if (isOver(snapshot)) response.end();
  };
  const silence = listenForSilence(io, () => {
    // Who took nothing for so long has stopped reading, and may resume.
    if (response.writableNeedDrain) response.destroy();
    else if (!response.destroyed && !response.writableEnded) response.write(KEEP_ALIVE_COMMENT);
  });
  const stopWatching = followed.onChange(tell);
  response.on('drain', tell).once('close', () => {
    silence.stop();
    stopWatching();
  });
  tell();
}

/** Reads `Last-Event-ID`, or `last_event_id` where a caller cannot set it; 0 for none. */
export function readLastEventId(header: string | readonly string[] | undefined, query: unknown): number {
  const [param, text] = header === undefined ? ['last_event_id', query] : ['Last-Event-ID', String(header)];
  if (text === undefined || text === '') return 0;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  const message = `${param}: "${String(text).slice(0, 50)}" is not the id of an event of this stream; leave it out to begin anew`;
  throw new RequestProblem(400, 'invalid_value', message, { param });
}

function tooManyStreams(): RequestProblem {
  const message = `this gateway holds as many streams open as it may; repeat after ${COME_BACK_SECONDS} s, or poll with ?wait=30`;
  const headers = { 'retry-after': String(COME_BACK_SECONDS), 'x-should-retry': 'true' };
  return new RequestProblem(429, 'rate_limit_exceeded', message, { headers });
}
