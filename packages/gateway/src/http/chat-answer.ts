import {
  type ChatHead,
  type ChatPlan,
  type ChatSink,
  chatErrorEvent,
  type Failure,
  foldGeneration,
  type Io,
  type JsonObject,
  nextSequenceNumber,
  type Outcome,
} from '@onetake/core';
import type { FastifyReply } from 'fastify';
import { CHAT_ANSWERS } from '../failure-answers.ts';
import type { Live } from '../tasks/live.ts';
import { runHeaders } from './answer.ts';
import { createOutlet } from './chat-outlet.ts';
import { EVENT_STREAM_HEADERS, KEEP_ALIVE_COMMENT, KEEP_ALIVE_MS, listenForSilence } from './event-stream.ts';
import { failureBody, failureHeaders } from './problem.ts';

/** The answer to one request of chat, as it is written: the provider's bytes, or one error. */
export interface ChatAnswer extends ChatSink {
  /** Says what is left to say, and ends the answer. */
  end(outcome: Outcome): void;
}

export interface ChatAnswering {
  readonly reply: FastifyReply;
  readonly live: Live<ChatPlan>;
  readonly io: Pick<Io, 'now' | 'timer'>;
}

/**
 * A stream's head goes out with the first content, so that an earlier failure still has its own status; or with a
 * comment when there was none for `FIRST_SILENCE_MS`. An answer that comes whole is written when it is.
 */
export function openChatAnswer(answering: ChatAnswering): ChatAnswer {
  return answering.live.plan.chat.stream ? openStream(answering) : openWhole(answering);
}

function openStream({ reply, live, io }: ChatAnswering): ChatAnswer {
  const response = reply.raw;
  const outlet = createOutlet(response, io);
  const firstAt = io.now() + FIRST_SILENCE_MS;
  let isBegun = false;
  let isOpen = false;
  let isOver = false;
  /** The caller heard something since the last look. */
  let isHeard = true;
  let isEventStream = true;
  /** Said as a stream what is none: told of at the end, in its place. */
  let misplaced: Failure | undefined;
  let last: Uint8Array | undefined;

  const open = (status: number, headers: Readonly<Record<string, string>>) => {
    const all = {
      ...carriedHeaders(reply),
      ...(isBegun ? headersOf(live) : earlyHeadersOf(live)),
      ...EVENT_STREAM_HEADERS,
      ...headers,
    };
    reply.hijack();
    response.writeHead(status, all);
    isOpen = true;
  };
  // Looked for twice in the time that a silence may take, which costs nothing for each chunk.
  const look = () => {
    const isEarly = !isOpen && io.now() < firstAt;
    if (isHeard || isEarly || !isEventStream || outlet.isHeld()) {
      isHeard = false;
      return;
    }
    if (!isOpen) open(200, {});
    void outlet.write(COMMENT);
    isHeard = true;
  };
  const stopLooking = lookOut(io, look, firstAt, () => !isOpen && look());
  response.once('close', stopLooking);

  return {
    begin({ status, contentType }) {
      if (isOver || isGone(reply)) return;
      isBegun = true;
      isEventStream = contentType.startsWith('text/event-stream');
      if (!isOpen) open(status, { 'content-type': contentType });
      else if (!isEventStream) misplaced = notAStream(contentType);
    },
    write(bytes) {
      if (isOver) return undefined;
      isHeard = true;
      if (misplaced && last === undefined && isEvent(bytes)) misplaced = undefined;
      last = bytes;
      return misplaced ? undefined : outlet.write(bytes);
    },
    end(outcome) {
      if (isOver) return;
      isOver = true;
      stopLooking();
      if (isGone(reply)) return;
      if (!isOpen) {
        refuse(outcome.ok ? NOTHING_CAME : outcome.failure, { reply, live, io });
        return;
      }
      const failure = outcome.ok || outcome.told ? misplaced : outcome.failure;
      if (failure) response.write(errorEvent(failure, last, reply, live));
      response.end();
    },
  };
}

function openWhole({ reply, live, io }: ChatAnswering): ChatAnswer {
  const response = reply.raw;
  const pieces: Uint8Array[] = [];
  let head: ChatHead | undefined;
  let isOver = false;
  return {
    begin(given) {
      head = given;
    },
    write(bytes) {
      if (!isOver) pieces.push(bytes);
    },
    end(outcome) {
      if (isOver) return;
      isOver = true;
      if (isGone(reply)) return;
      if (head === undefined || !outcome.ok) {
        refuse(outcome.ok ? NOTHING_CAME : outcome.failure, { reply, live, io });
        return;
      }
      const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
      const own = { 'content-type': head.contentType, 'content-length': String(length) };
      reply.hijack();
      response.writeHead(head.status, { ...carriedHeaders(reply), ...headersOf(live), ...own });
      const outlet = createOutlet(response, io);
      for (const piece of pieces) void outlet.write(piece);
      response.end();
    },
  };
}

/** Until a head goes out early: time for a throttled request to be repeated as often as it may, and to be told as one. */
export const FIRST_SILENCE_MS = 25_000;

function lookOut(io: ChatAnswering['io'], look: () => void, firstAt: number, lookFirst: () => void): () => void {
  const silence = listenForSilence(io, look, KEEP_ALIVE_MS / 2);
  const stopFirst = io.timer(firstAt, lookFirst);
  return () => {
    stopFirst();
    silence.stop();
  };
}

const COMMENT = Buffer.from(KEEP_ALIVE_COMMENT);
const NOTHING_CAME: Failure = { kind: 'empty', certainty: 'completed', message: 'the provider answered with nothing' };

/** The caller was promised events by the comments that came before it. */
function notAStream(contentType: string): Failure {
  const message = `the provider was asked for a stream and answered, late, with ${contentType || 'no content type'}; ask this model without "stream"`;
  return { kind: 'suspect', certainty: 'completed', message };
}

/** A stream may come under another name. */
function isEvent(bytes: Uint8Array): boolean {
  return !/^\s*[{[<]/.test(Buffer.from(bytes.subarray(0, 64)).toString());
}

function isGone({ raw }: FastifyReply): boolean {
  return raw.destroyed || raw.socket?.destroyed === true;
}

/** What the hooks have set: request id, CORS. */
function carriedHeaders(reply: FastifyReply): Record<string, string> {
  return reply.getHeaders() as Record<string, string>;
}

function headersOf({ id, plan, journals }: Live<ChatPlan>): Record<string, string> {
  return runHeaders({ id, plan, generation: foldGeneration(journals) });
}

/** What will have come of it is not known yet. */
function earlyHeadersOf(live: Live<ChatPlan>): Record<string, string> {
  const known = headersOf(live);
  return Object.fromEntries(Object.entries(known).filter(([name]) => !NOT_KNOWN_YET.has(name)));
}

const NOT_KNOWN_YET: ReadonlySet<string> = new Set(
  ['attempts', 'paid-attempts', 'provider', 'model', 'fallback'].map((name) => `x-onetake-${name}`),
);

/** A failure before the first byte has its own status. */
function refuse(failure: Failure, { reply, live, io }: ChatAnswering): void {
  const body = Buffer.from(JSON.stringify(bodyOf(failure, reply, live)));
  const own = { 'content-type': 'application/json; charset=utf-8', 'content-length': String(body.byteLength) };
  const headers = { ...headersOf(live), ...failureHeaders(failure, io.now(), CHAT_ANSWERS), ...own };
  reply.hijack();
  reply.raw.writeHead(CHAT_ANSWERS.answer(failure).status, { ...carriedHeaders(reply), ...headers });
  reply.raw.end(body);
}

function errorEvent(failure: Failure, last: Uint8Array | undefined, reply: FastifyReply, live: Live<ChatPlan>): string {
  const { onetake } = bodyOf(failure, reply, live);
  return chatErrorEvent(live.plan.chat.endpoint, failure, {
    sequenceNumber: nextSequenceNumber(last),
    onetake: onetake as JsonObject,
  });
}

function bodyOf(failure: Failure, reply: FastifyReply, { id, plan, journals }: Live<ChatPlan>): JsonObject {
  const telling = { id, plan, generation: foldGeneration(journals) };
  return failureBody(failure, { requestId: reply.request.id, telling });
}
