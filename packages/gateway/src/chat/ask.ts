import {
  type Catalogue,
  type ChatSink,
  type Cost,
  costOf,
  type Failure,
  foldGeneration,
  type Io,
  type JsonObject,
  type JsonValue,
  parseJson,
  planChat,
  readChat,
  type TraceContext,
} from '@onetake/core';
import type { Live } from '../tasks/live.ts';
import type { Chats } from './chats.ts';

/** What the gateway itself asks a chat model, for a caller who pays for it. */
export interface Question {
  readonly caller: string;
  /** Of what it is asked for. */
  readonly requestId: string;
  /** A route or a model, as a caller would name it. */
  readonly model: string;
  /** Of chat/completions, not streamed. */
  readonly body: JsonObject;
  /** Noted with the generation: `rewrite of gen_…`. */
  readonly purpose: string;
  /** Where it stands in a trace; without it, in one of its own. */
  readonly trace?: TraceContext;
  /** From the question to the whole answer, waits and retries included. */
  readonly timeoutMs: number;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
}

/** `generation` holds what it cost; absent where nothing was begun. */
export type Told = { readonly generation?: string; readonly cost?: Cost } & (
  | { readonly ok: true; readonly answer: JsonValue }
  | { readonly ok: false; readonly why: string }
);

/** Asks once through the engine of every caller; never rejects. */
export type Ask = (question: Question) => Promise<Told>;

export interface AskOptions {
  readonly chats: Chats;
  readonly catalogue: Catalogue;
  readonly io: Pick<Io, 'now' | 'timer'>;
}

const ENDPOINT = '/v1/chat/completions';
/** Words and numbers were asked for. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const TOO_LONG = `its answer is longer than ${MAX_ANSWER_BYTES} bytes`;
const MAX_PAID_ATTEMPTS = 2;

/** Questions are generations like any other: with a journal, under the limits, and booked to the caller. */
export function createAsk({ chats, catalogue, io }: AskOptions): Ask {
  return async ({ caller, requestId, model, body, purpose, trace, timeoutMs, signal }) => {
    if (signal?.aborted) return { ok: false, why: 'it was canceled' };
    const read = readChat('chat/completions', Buffer.from(JSON.stringify({ ...body, model })));
    if (!read.ok) return failed(read.failure);
    const settings = { totalTimeoutMs: timeoutMs, maxPaidAttempts: MAX_PAID_ATTEMPTS };
    const planned = planChat({ ...read.request, purpose }, model, catalogue, settings, io.now());
    if (!planned.ok) return failed(planned.failure);
    const kept = keepAnswer();
    const plan = { ...planned.plan, ...(trace && { trace }) };
    const begun = chats.begin({ caller, endpoint: ENDPOINT, requestId, plan, body: read.body, sink: kept.sinkOf });
    if (begun === undefined) return { ok: false, why: 'as many requests run as may' };
    const { live, outcome } = begun;
    let isLate = false;
    const stopTimer = io.timer(io.now() + timeoutMs, () => {
      isLate = true;
      live.cancel();
    });
    signal?.addEventListener('abort', live.cancel);
    try {
      const ended = await outcome;
      const spent = { generation: live.id, cost: costOf(plan, foldGeneration(live.journals)) };
      if (kept.isTooLong()) return { ...spent, ok: false, why: TOO_LONG };
      if (!ended.ok && (isLate || ended.failure.clock?.name === 'total')) return { ...spent, ...late(timeoutMs) };
      if (!ended.ok) return { ...spent, ...failed(ended.failure) };
      const answer = kept.answer();
      return answer === undefined
        ? { ...spent, ok: false, why: 'its answer is no JSON' }
        : { ...spent, ok: true, answer };
    } finally {
      stopTimer();
      signal?.removeEventListener('abort', live.cancel);
      live.leave();
    }
  };
}

function failed({ message }: Failure): { readonly ok: false; readonly why: string } {
  return { ok: false, why: message };
}

function late(timeoutMs: number): { readonly ok: false; readonly why: string } {
  return { ok: false, why: `it did not answer within ${timeoutMs} ms` };
}

function keepAnswer() {
  const pieces: Buffer[] = [];
  let held = 0;
  return {
    /** An answer that grows too long is cut off. */
    sinkOf: ({ cancel }: Pick<Live, 'cancel'>): ChatSink => ({
      begin() {},
      write(bytes) {
        held += bytes.byteLength;
        if (held > MAX_ANSWER_BYTES) cancel();
        else pieces.push(Buffer.from(bytes));
      },
    }),
    isTooLong: () => held > MAX_ANSWER_BYTES,
    answer: (): JsonValue | undefined => parseJson(Buffer.concat(pieces).toString('utf8')),
  };
}
