import {
  type AssetStore,
  type Event,
  type Failure,
  type GeneratedImage,
  httpAnswer,
  type Outcome,
  type Plan,
} from '@onetake/core';
import type { FastifyReply } from 'fastify';
import { completedEvents, type Delivery, imagesBody, type Telling, tellingHeaders } from './answer.ts';
import { failureBody, failureHeaders } from './problem.ts';
import { type Segment, segmentsLength, writeSegments } from './segments.ts';
import type { Told } from './waiting.ts';

/** Where and how one answer is written. */
export interface Answering {
  readonly reply: FastifyReply;
  readonly assets: AssetStore;
  readonly now: () => number;
  readonly delivery: Delivery;
  /** Headers that only this caller's answer carries. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Result = Telling & Told & { readonly requestId: string };

interface Pictures {
  readonly images: readonly GeneratedImage[];
  readonly missing: readonly Failure[];
}

/** The pictures to hand over; with some of them made and a clock gone, those there are and what is missing. */
function picturesOf({ generation, overdue }: Told): Pictures | Failure {
  const { outcome } = generation;
  if (outcome?.ok) return { images: outcome.images, missing: outcome.missing ?? [] };
  if (outcome) return outcome.failure;
  const finished = generation.runs
    .map((run) => run.finished)
    .filter((one): one is Outcome & { ok: true } => one?.ok === true);
  const failure = overdue ?? UNFINISHED;
  if (finished.length === 0) return failure;
  return { images: finished.flatMap((one) => one.images), missing: [failure] };
}

const UNFINISHED: Failure = { kind: 'interrupted', certainty: 'ambiguous', message: 'the generation has not finished' };

export async function answerJson(result: Result, answering: Answering): Promise<void> {
  const pictures = picturesOf(result);
  const headers = {
    ...tellingHeaders(result),
    ...answering.headers,
    'content-type': 'application/json; charset=utf-8',
  };
  if ('kind' in pictures) {
    const body = JSON.stringify(failureBody(pictures, { requestId: result.requestId, telling: result }));
    return write(answering, httpAnswer(pictures).status, { ...headers, ...failureHeaders(pictures, answering.now()) }, [
      body,
    ]);
  }
  return write(answering, 200, headers, imagesBody(result, pictures.images, pictures.missing, answering.delivery));
}

async function write(
  { reply, assets }: Answering,
  status: number,
  headers: Record<string, string>,
  segments: readonly Segment[],
): Promise<void> {
  // Past Fastify's own sending: pictures go out piece by piece, and the length is known before the first is read.
  reply.hijack();
  const response = reply.raw;
  const carried = reply.getHeaders() as Record<string, string>;
  response.writeHead(status, { ...carried, ...headers, 'content-length': String(segmentsLength(segments)) });
  await finish(reply, segments, assets);
}

async function finish(
  { raw: response }: FastifyReply,
  segments: readonly Segment[],
  assets: AssetStore,
): Promise<void> {
  try {
    if (await writeSegments(response, segments, assets)) response.end();
  } catch {
    // The head is out; only a broken connection can say that the rest will not come.
    response.destroy();
  }
}

/** A streamed answer: its head goes out with the first event, so that an earlier failure still has its own status. */
export interface ImageStream {
  sendPartial(event: Event & { type: 'partial-sent' }): void;
  opened(): boolean;
  /** Writes after everything before it. */
  send(segments: readonly Segment[]): Promise<void>;
}

export function openImageStream(answering: Answering, plan: Plan): ImageStream {
  const { reply, assets } = answering;
  const response = reply.raw;
  let sending: Promise<unknown> = Promise.resolve();
  let opened = false;
  const open = () => {
    if (opened) return;
    opened = true;
    reply.hijack();
    const carried = reply.getHeaders() as Record<string, string>;
    response.writeHead(200, {
      ...carried,
      ...answering.headers,
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
  };
  const send = async (segments: readonly Segment[]) => {
    open();
    sending = sending.then(() => writeSegments(response, segments, assets)).catch(() => response.destroy());
    await sending;
  };
  const type = plan.request.operation === 'edit' ? 'image_edit.partial_image' : 'image_generation.partial_image';
  return {
    opened: () => opened,
    send,
    sendPartial({ asset, index, event }) {
      const rest = JSON.stringify({ ...event, type: undefined, partial_image_index: index });
      void send([`event: ${type}\ndata: {"type":"${type}","b64_json":"`, asset, `",${rest.slice(1)}\n\n`]);
    },
  };
}

export async function answerStream(result: Result, answering: Answering, stream: ImageStream): Promise<void> {
  const pictures = picturesOf(result);
  if ('kind' in pictures && !stream.opened()) return answerJson(result, answering);
  if ('kind' in pictures) {
    const body = failureBody(pictures, { requestId: result.requestId, telling: result });
    await stream.send([`event: error\ndata: ${JSON.stringify({ type: 'error', ...body })}\n\n`]);
  } else {
    const headed = { ...answering.headers, ...tellingHeaders(result) };
    if (!stream.opened()) for (const [name, value] of Object.entries(headed)) answering.reply.header(name, value);
    await stream.send(completedEvents(result, pictures.images, pictures.missing));
  }
  answering.reply.raw.end();
}
