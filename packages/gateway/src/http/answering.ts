import {
  type Event,
  type Failure,
  type GeneratedImage,
  httpAnswer,
  type Io,
  missingOf,
  type Plan,
} from '@onetake/core';
import type { FastifyReply } from 'fastify';
import type { Substitute } from '../degrade/degrading.ts';
import { warningHeader } from './adapted.ts';
import { completedEvents, type Delivery, imagesBody, type Telling, tellingHeaders } from './answer.ts';
import { degradedFields, degradedHeaders } from './degraded.ts';
import { EVENT_STREAM_HEADERS, KEEP_ALIVE_COMMENT, listenForSilence } from './event-stream.ts';
import { failureBody, failureHeaders } from './problem.ts';
import { type PictureReader, type Segment, segmentsLength, writeSegments } from './segments.ts';
import type { Told } from './waiting.ts';

/** Where and how one answer is written. */
export interface Answering {
  readonly reply: FastifyReply;
  readonly assets: PictureReader;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly delivery: Delivery;
  /** Headers that only this caller's answer carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** What to show instead of a failure, where that was asked for. */
  readonly degrade?: (failure: Failure) => Promise<Substitute | undefined>;
  /** Called when everything is ready and the first byte of the result is about to be written. */
  readonly onResult: () => void;
}

export type Result = Telling & Told & { readonly requestId: string };

interface Pictures {
  readonly images: readonly GeneratedImage[];
  readonly missing: readonly Failure[];
}

/** The pictures to hand over; with some of them made and a clock gone, those there are and what is missing. */
function picturesOf({ generation, overdue = UNFINISHED }: Told): Pictures | Failure {
  const { outcome, runs } = generation;
  if (outcome && !outcome.ok) return outcome.failure;
  if (outcome) return { images: outcome.images, missing: outcome.missing ?? [] };
  const images = runs.flatMap(({ finished }) => (finished?.ok ? finished.images : []));
  const missing = runs.flatMap(({ finished }) => (finished === undefined ? [overdue] : missingOf(finished)));
  return images.length === 0 ? overdue : { images, missing };
}

const UNFINISHED: Failure = { kind: 'interrupted', certainty: 'ambiguous', message: 'the generation has not finished' };

export async function answerJson(result: Result, answering: Answering): Promise<void> {
  const pictures = picturesOf(result);
  if ('kind' in pictures) {
    const instead = await answering.degrade?.(pictures);
    return instead ? answerDegraded(result, pictures, instead, answering) : refuseJson(result, pictures, answering);
  }
  const body = imagesBody(result, pictures.images, pictures.missing, answering.delivery);
  return writeAnswer(answering, 200, jsonHeaders(result, answering), body);
}

function jsonHeaders(result: Result, answering: Answering): Record<string, string> {
  return {
    ...tellingHeaders(result),
    ...answering.headers,
    'content-type': 'application/json; charset=utf-8',
  };
}

function refuseJson(result: Result, failure: Failure, answering: Answering): Promise<void> {
  const body = JSON.stringify(failureBody(failure, { requestId: result.requestId, telling: result }));
  const headers = { ...jsonHeaders(result, answering), ...failureHeaders(failure, answering.io.now()) };
  return writeAnswer(answering, httpAnswer(failure).status, headers, [body]);
}

function answerDegraded(result: Result, failure: Failure, instead: Substitute, answering: Answering): Promise<void> {
  const headers = { ...jsonHeaders(result, answering), ...degradedHeaders(instead, failure) };
  const degraded = degradedFields(instead, failure);
  return writeAnswer(answering, 200, headers, imagesBody(result, instead.images, [], answering.delivery, degraded));
}

/** Writes an answer whose length is known before its pictures are read. */
export async function writeAnswer(
  { reply, assets, onResult }: Answering,
  status: number,
  headers: Record<string, string>,
  segments: readonly Segment[],
): Promise<void> {
  const response = reply.raw;
  const length = String(segmentsLength(segments));
  onResult();
  // Past Fastify's own sending: pictures go out piece by piece, and the length is known before the first is read.
  reply.hijack();
  try {
    response.writeHead(status, carriedHeaders(reply, { ...headers, 'content-length': length }));
    if (await writeSegments(response, segments, assets)) response.end();
  } catch {
    // The head may be out; only a broken connection can say that the rest will not come.
    response.destroy();
  }
}

/** With what the hooks have set: request id, CORS. The reply has them too, for the hooks that count and log it. */
function carriedHeaders(reply: FastifyReply, headers: Readonly<Record<string, string>>): Record<string, string> {
  return reply.headers(headers).getHeaders() as Record<string, string>;
}

/**
 * A streamed answer. Its head goes out with the first event, so that an earlier failure still has its own status; or
 * with a comment when there was none for `KEEP_ALIVE_MS`, and so does a comment after each further such silence.
 */
export interface ImageStream {
  sendPartial(event: Event & { type: 'partial-sent' }): void;
  opened(): boolean;
  /** Writes after everything before it, and ends the answer. `headers` are added where none are out yet. */
  end(segments: readonly Segment[], headers: Readonly<Record<string, string>>): Promise<void>;
  /** No comments any more: the answer is written by somebody else. */
  close(): void;
}

export function openImageStream(answering: Answering, plan: Plan): ImageStream {
  const { reply, assets, io } = answering;
  const response = reply.raw;
  let sending: Promise<unknown> = Promise.resolve();
  let opened = false;
  let unsent = 0;
  const open = (headers: Readonly<Record<string, string>>) => {
    if (opened) return;
    opened = true;
    reply.hijack();
    const own = { ...answering.headers, ...warningHeader(plan), ...headers, ...EVENT_STREAM_HEADERS };
    response.writeHead(200, carriedHeaders(reply, own));
  };
  const send = (segments: readonly Segment[]) => {
    unsent += 1;
    sending = sending
      .then(() => writeSegments(response, segments, assets))
      .catch(() => response.destroy())
      .then(() => {
        unsent -= 1;
        silence.broken();
      });
    return sending;
  };
  const silence = listenForSilence(io, () => {
    // A large picture on its way is no silence, and a comment must not come into the middle of it.
    if (unsent > 0) return;
    open({});
    void send([KEEP_ALIVE_COMMENT]);
  });
  response.once('close', silence.stop);
  const type = plan.request.operation === 'edit' ? 'image_edit.partial_image' : 'image_generation.partial_image';
  return {
    opened: () => opened,
    sendPartial({ asset, index, event }) {
      open({});
      const rest = JSON.stringify({ ...event, type: undefined, partial_image_index: index });
      void send([`event: ${type}\ndata: {"type":"${type}","b64_json":"`, asset, `",${rest.slice(1)}\n\n`]);
    },
    async end(segments, headers) {
      open(headers);
      await send(segments);
      silence.stop();
      response.end();
    },
    close: silence.stop,
  };
}

export async function answerStream(result: Result, answering: Answering, stream: ImageStream): Promise<void> {
  const pictures = picturesOf(result);
  const headers = tellingHeaders(result);
  if (!('kind' in pictures)) {
    answering.onResult();
    return stream.end(completedEvents(result, pictures.images, pictures.missing), headers);
  }
  const instead = await answering.degrade?.(pictures);
  if (instead === undefined && !stream.opened()) {
    stream.close();
    return refuseJson(result, pictures, answering);
  }
  answering.onResult();
  if (instead === undefined) return stream.end([errorEvent(pictures, result)], headers);
  const segments = completedEvents(result, instead.images, [], degradedFields(instead, pictures));
  return stream.end(segments, { ...headers, ...degradedHeaders(instead, pictures) });
}

function errorEvent(failure: Failure, result: Result): string {
  const body = failureBody(failure, { requestId: result.requestId, telling: result });
  return `event: error\ndata: ${JSON.stringify({ type: 'error', ...body })}\n\n`;
}
