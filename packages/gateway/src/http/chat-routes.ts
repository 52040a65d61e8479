import {
  type Catalogue,
  CHAT_ENDPOINTS,
  type ChatEndpoint,
  type ChatPlan,
  type Failure,
  type Io,
  planChat,
  readChat,
} from '@onetake/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Chats, RunningChat } from '../chat/chats.ts';
import { CHAT_ANSWERS } from '../failure-answers.ts';
import { readTraceContext } from '../tracing/trace-context.ts';
import { chatModelAsked, checkModelAllowed } from './allowed-models.ts';
import { type ChatAnswer, openChatAnswer } from './chat-answer.ts';
import { readChatControls } from './chat-controls.ts';
import type { Controls } from './controls.ts';
import { FailureProblem, invalidValue, RequestProblem } from './problem.ts';

export interface ChatRouteDeps {
  readonly catalogue: Catalogue;
  readonly chats: Chats;
  readonly io: Pick<Io, 'now' | 'timer'>;
}

/** `POST /v1/chat/completions`, `/v1/responses` and `/v1/embeddings`, whose bodies are passed on as the bytes they are. */
export async function addChatRoutes(app: FastifyInstance, deps: ChatRouteDeps): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error) => {
    throw isTooLarge(error) ? tooLarge(app.initialConfig.bodyLimit) : error;
  });
  for (const endpoint of CHAT_ENDPOINTS) {
    app.post(`/v1/${endpoint}`, (request, reply) => answerChat(endpoint, request, reply, deps));
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 413;
}

function tooLarge(limitBytes = 0): RequestProblem {
  const message = `body: larger than the ${limitBytes} bytes this gateway accepts (body_limit_bytes); send less of the conversation`;
  return new RequestProblem(413, 'request_too_large', message);
}

const NO_BODY = new Uint8Array();

async function answerChat(
  endpoint: ChatEndpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ChatRouteDeps,
): Promise<FastifyReply> {
  const { catalogue, chats, io } = deps;
  const read = readChat(endpoint, request.body instanceof Uint8Array ? request.body : NO_BODY);
  if (!read.ok) throw refused(read.failure);
  checkName(read.model);
  checkModelAllowed(request.key, chatModelAsked(endpoint, read.model, catalogue));
  const controls = readChatControls(request.headers, read.controls, { fromBrowser: request.fromBrowser });
  const planned = planChat(read.request, read.model, catalogue, controls.settings, io.now());
  if (!planned.ok) throw refused(planned.failure);
  let answer: ChatAnswer | undefined;
  const chat = chats.begin({
    caller: request.caller,
    endpoint: `/v1/${endpoint}`,
    requestId: request.id,
    plan: { ...inClass(planned.plan, controls), ...traceOf(request) },
    body: read.body,
    sink: (live) => {
      answer = openChatAnswer({ reply, live, io });
      return answer;
    },
  });
  if (chat === undefined || answer === undefined) throw refused(full(io.now()));
  await deliver(chat, answer, reply, controls);
  return reply;
}

const MAX_MODEL_CHARS = 500;

/** It is told in a header of the answer. */
function checkName(model = ''): void {
  const isLong = model.length > MAX_MODEL_CHARS;
  if (!isLong && model.isWellFormed()) return;
  const why = isLong ? `it has more than ${MAX_MODEL_CHARS} characters` : 'it holds half of a surrogate pair';
  throw invalidValue('model', `${why}; send one of GET /v1/models`);
}

function inClass(plan: ChatPlan, { priority }: Controls): ChatPlan {
  return priority === 'batch' ? { ...plan, priority } : plan;
}

function traceOf({ headers }: FastifyRequest): Pick<ChatPlan, 'trace'> {
  const trace = readTraceContext(headers);
  return trace ? { trace } : {};
}

/** From here on the caller's leaving counts. */
async function deliver(
  { live, outcome }: RunningChat,
  answer: ChatAnswer,
  { raw }: FastifyReply,
  { onDisconnect }: Controls,
): Promise<void> {
  const gone = () => {
    if (!raw.writableFinished) live.leave({ cancel: onDisconnect === 'cancel' });
  };
  if (raw.destroyed) gone();
  else raw.once('close', gone);
  answer.end(await outcome);
}

function refused(failure: Failure): FailureProblem {
  return new FailureProblem(failure, CHAT_ANSWERS);
}

const FULL_RETRY_MS = 5_000;

function full(now: number): Failure {
  const message = 'this gateway works on as many generations as it may; repeat after Retry-After';
  return { kind: 'queue_full', certainty: 'not_sent', message, notBefore: now + FULL_RETRY_MS };
}
