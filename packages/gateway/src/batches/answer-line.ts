import {
  type Catalogue,
  type ChatBody,
  type ChatPlan,
  type ChatRequest,
  type ChatSink,
  type Failure,
  foldGeneration,
  type Io,
  type JsonObject,
  memberSpans,
  type Outcome,
  type PolicySettings,
  planChat,
  readChat,
} from '@onetake/core';
import type { Chats, RunningChat } from '../chat/chats.ts';
import { CHAT_ANSWERS } from '../failure-answers.ts';
import { chatModelAsked, checkStillAllowed } from '../http/allowed-models.ts';
import { readChatControls } from '../http/chat-controls.ts';
import { FailureProblem, failureBody, problemBody, RequestProblem } from '../http/problem.ts';
import type { Keys } from '../keys/key.ts';
import type { LineAnswer } from './answer-log.ts';
import type { Batch } from './batch.ts';
import { lineRequestId, notStreamed, pause } from './begin-line.ts';
import { chatEndpointOf } from './chat-batch.ts';
import { lineOpening } from './output-line.ts';
import type { TextLine } from './read-lines.ts';
import { readRequestLine } from './request-line.ts';

export interface AnswerLineDeps {
  readonly chats: Chats;
  readonly catalogue: Catalogue;
  readonly keys: Pick<Keys, 'named'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
}

export interface LineSignals {
  /** Nothing more is begun. */
  readonly stopped: AbortSignal;
  /** What is in flight is ended. */
  readonly ended: AbortSignal;
  /** Its failures are ours, and nothing is said of the line. */
  readonly disowned: AbortSignal;
}

/** Of one answer; its line is held in memory until it is on the disk. */
export const MAX_LINE_ANSWER_BYTES = 16 * 1024 * 1024;
const FULL_PAUSE_MS = 1_000;

/** A line as it is asked, and how its answer is told. */
interface Asked {
  readonly batch: Batch;
  readonly index: number;
  readonly customId: string;
  readonly requestId: string;
  readonly plan: ChatPlan;
  readonly body: ChatBody;
}

/**
 * Asks for the answer to one line, and comes back with what is to be written of it: the answer, or why there is none.
 * Undefined where it was not begun, or is to be asked again by who takes over.
 */
export async function answerLine(
  batch: Batch,
  line: TextLine,
  signals: LineSignals,
  deps: AnswerLineDeps,
): Promise<LineAnswer | undefined> {
  const { index } = line;
  const read = readRequestLine(line, batch.endpoint);
  // It was read once, and nobody writes to it since.
  if (!read.ok) throw new Error(`the input of ${batch.id} changed: ${read.fault.message}`);
  const own = { batch, index, customId: read.request.customId, requestId: lineRequestId(batch, index) };
  try {
    const wanted = readLine(batch, line, deps);
    while (!signals.stopped.aborted) {
      // Anew each time: a timeout of the line's own is not spent on waiting for room.
      const asked = { ...own, body: wanted.body, plan: plan(batch, wanted, deps) };
      const answer = await askOnce(asked, signals, deps);
      if (answer !== 'full') return answer;
      await pause(FULL_PAUSE_MS, signals.stopped, deps.io);
    }
    return undefined;
  } catch (error) {
    const { requestId } = own;
    if (error instanceof RequestProblem) return refused(own, error.status, problemBody(error, requestId));
    if (!(error instanceof FailureProblem)) throw error;
    const { failure, answers } = error;
    const body = failureBody(failure, { requestId, now: deps.io.now(), answers });
    return refused(own, answers.answer(failure).status, body);
  }
}

/** What a line wants, before it is known when. */
interface Wanted {
  readonly request: ChatRequest;
  readonly model: string | undefined;
  readonly settings: PolicySettings;
  readonly body: ChatBody;
}

/** Throws for what the endpoint itself would refuse, too. */
function readLine(batch: Batch, line: TextLine, { keys, catalogue }: AnswerLineDeps): Wanted {
  const endpoint = chatEndpointOf(batch);
  if (endpoint === undefined) throw new Error(`${batch.id} is no batch of chat, but of ${batch.endpoint}`);
  const read = readChat(endpoint, bodyIn(line));
  if (!read.ok) throw new FailureProblem(read.failure, CHAT_ANSWERS);
  const { request, body, model, controls } = read;
  if (body.value.stream === true) throw notStreamed();
  checkStillAllowed(keys.named(batch.caller), chatModelAsked(endpoint, model, catalogue));
  const { settings } = readChatControls({}, controls, { fromBrowser: batch.fromBrowser });
  return { request, model, settings, body };
}

function plan(batch: Batch, { request, model, settings }: Wanted, { catalogue, io }: AnswerLineDeps): ChatPlan {
  const leftMs = Math.max(1, batch.expiresAt - io.now());
  const totalTimeoutMs = Math.min(settings.totalTimeoutMs ?? leftMs, leftMs);
  const chat = planChat(request, model, catalogue, { ...settings, totalTimeoutMs }, io.now());
  if (!chat.ok) throw new FailureProblem(chat.failure, CHAT_ANSWERS);
  return { ...chat.plan, priority: 'batch', unattended: true };
}

/** The bytes of the request as they stand in the line; of two a parser takes the last. */
function bodyIn({ text = '' }: TextLine): Uint8Array {
  const json = Buffer.from(text);
  const span = [...memberSpans(json)].findLast(({ key }) => key === 'body');
  return json.subarray(span?.valueStart ?? 0, span?.end ?? 0);
}

async function askOnce(
  asked: Asked,
  signals: LineSignals,
  deps: AnswerLineDeps,
): Promise<LineAnswer | 'full' | undefined> {
  const { batch, requestId, plan, body } = asked;
  const kept = keepAnswer();
  const work = { caller: batch.caller, endpoint: batch.endpoint, requestId, plan, body, sink: () => kept.sink };
  const chat = deps.chats.begin(work);
  if (chat === undefined) return 'full';
  const outcome = await endOf(chat, signals.ended);
  const usage = outcome.usage === undefined ? {} : { usage: outcome.usage };
  const answer = outcome.ok ? kept.answer() : outcome.failure;
  if ('text' in answer) return { ...usage, ...toldOf(asked, 'output', answer.status, answer.text) };
  // An answer that is of no use is paid for: asked again, it would be paid for twice.
  if (!outcome.ok) {
    if (signals.disowned.aborted) return undefined;
    if (answer.kind === 'queue_full') return 'full';
  }
  const { id, journals } = chat.live;
  const told = failureBody(answer, { requestId, telling: { id, plan, generation: foldGeneration(journals) } });
  return { ...usage, ...refused(asked, CHAT_ANSWERS.answer(answer).status, told) };
}

async function endOf({ live, outcome }: RunningChat, ended: AbortSignal): Promise<Outcome> {
  if (ended.aborted) live.cancel();
  ended.addEventListener('abort', live.cancel);
  try {
    return await outcome;
  } finally {
    ended.removeEventListener('abort', live.cancel);
    live.leave();
  }
}

/** Keeps an answer until it is over, and no more of it than may be written. */
function keepAnswer() {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let status = 200;
  const sink: ChatSink = {
    begin(head) {
      status = head.status;
    },
    write(piece) {
      bytes += piece.byteLength;
      if (bytes <= MAX_LINE_ANSWER_BYTES) pieces.push(piece);
      else pieces.length = 0;
    },
  };
  const answer = (): { readonly status: number; readonly text: string } | Failure => {
    if (bytes > MAX_LINE_ANSWER_BYTES) return TOO_LARGE;
    const text = Buffer.concat(pieces)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
    // Between values alone: in a string of JSON they are written as escapes.
    return isJson(text) ? { status, text: text.replace(/[\r\n]+/g, ' ') } : NO_JSON;
  };
  return { sink, answer };
}

const TOO_LARGE: Failure = {
  kind: 'server',
  certainty: 'completed',
  code: 'answer_too_large',
  message: `the answer is larger than the ${MAX_LINE_ANSWER_BYTES} bytes that a line of a batch may have; ask for less in one line`,
};
const NO_JSON: Failure = { kind: 'corrupt', certainty: 'completed', message: 'the answer is no JSON' };

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

type Told = Pick<Asked, 'batch' | 'index' | 'customId'>;

function refused(told: Told, status: number, body: JsonObject): LineAnswer {
  return toldOf(told, 'error', status, JSON.stringify(body));
}

function toldOf({ batch, index, customId }: Told, file: LineAnswer['file'], status: number, body: string): LineAnswer {
  return { index, file, line: `${lineOpening(batch, { index, customId }, status)}${body}},"error":null}` };
}
