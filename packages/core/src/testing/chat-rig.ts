import assert from 'node:assert/strict';
import type { ChatAsked } from '../chat/attempt.ts';
import type { ChatHead, ChatPlan, ChatRequest, ChatSink } from '../chat/chat.ts';
import { runChat } from '../chat/run-chat.ts';
import { CHAT_TIMEOUTS } from '../chat/timeouts.ts';
import type { Connection, RunEnvironment } from '../environment.ts';
import { RUN_LIMITS } from '../environment.ts';
import { createHealthBook } from '../health.ts';
import { createMemoryAssets } from '../images/memory-assets.ts';
import type { Io } from '../io.ts';
import type { Event, Outcome } from '../journal.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { PARKED } from '../loop.ts';
import type { Policy } from '../plan.ts';
import { openaiCompatible } from '../providers/openai.ts';
import { openaiChat } from '../providers/openai-chat.ts';
import { FREE_TURNS } from '../turns.ts';
import { SAMPLE_RETRY, sampleTarget } from './samples.ts';
import { type Behaviour, createScriptedIo, type ScriptedIo } from './scripted-io.ts';

export const CHAT_SECRET = 'sk-simulated-secret';

export function sampleChatRequest(changes: Partial<ChatRequest> = {}): ChatRequest {
  return { endpoint: 'chat/completions', stream: true, excerpt: 'Say hello.', inputTokens: 10, ...changes };
}

/** What `planChat` fixes by default, written out; one target per name. */
export function sampleChatPlan(
  names: readonly string[] = ['a'],
  request: Partial<ChatRequest> = {},
  policy: Partial<Policy> = {},
): ChatPlan {
  const chat = sampleChatRequest(request);
  const whole: Policy = {
    payment: 'available',
    maxPaidAttempts: 5,
    fallback: true,
    retry: {
      ...SAMPLE_RETRY,
      ...{ maxPaidAttemptsBeforeFallback: 1, maxLostMs: 150_000, maxWaitMs: 60_000, maxQueueMs: 600_000 },
    },
    timeout: { connectMs: 10_000, idleMs: 60_000, totalMs: CHAT_TIMEOUTS.totalMs, harvestMs: 0 },
    ...policy,
  };
  const firstByteMs = chat.stream ? CHAT_TIMEOUTS.firstTokenMs : CHAT_TIMEOUTS.firstByteMs;
  return {
    route: 'route',
    targets: names.map((name) => sampleTarget(name, { firstByteMs })),
    policy: whole,
    createdAt: 0,
    deadlineAt: whole.timeout.totalMs,
    chat,
  };
}

export interface ScriptedChat {
  /** What each target does with its attempts, by name, in order; the last of each repeats. */
  readonly scripts: Readonly<Record<string, readonly Behaviour[]>>;
  readonly plan?: ChatPlan;
  readonly body?: JsonObject;
  readonly environment?: Partial<RunEnvironment>;
  readonly cancelMs?: number;
  readonly journalMs?: number;
  /** How long the caller takes for each write, by its number. */
  readonly takesMs?: (write: number) => number;
}

/** A run of chat against scripted targets in virtual time, to its end. */
export async function runScriptedChat(script: ScriptedChat) {
  const { scripts, plan = sampleChatPlan(Object.keys(scripts)), journalMs = 1 } = script;
  const played = new Map<string, number>();
  const io = createScriptedIo(({ url }) => {
    const name = new URL(url).hostname;
    const index = played.get(name) ?? 0;
    played.set(name, index + 1);
    const plays = scripts[name] ?? [];
    const play = plays[Math.min(index, plays.length - 1)];
    assert.ok(play, `no script for ${name}`);
    return play;
  });
  const durable: Event[] = [];
  const journal = {
    events: [],
    async append(events: readonly Event[]) {
      await new Promise<void>((resolve) => io.timer(io.now() + journalMs, resolve));
      durable.push(...events);
    },
  };
  const caught = createCaughtSink(io, script.takesMs);
  const environment = { ...environmentOf(io, script.cancelMs), ...script.environment };
  const asked: ChatAsked = { body: chatBody(script.body ?? SAMPLE_BODY), sink: caught.sink };
  const outcome = await io.drive(runChat('run', plan, journal, environment, asked));
  assert.ok(outcome !== PARKED);
  const starts = durable.filter((event) => event.type === 'attempt-started');
  const types = durable.map(({ type }) => type);
  const { heads, begins } = caught;
  return { outcome, heads, begins, text: caught.text(), at: io.now(), io, durable, types, starts };
}

const SAMPLE_BODY: JsonObject = { model: 'route', messages: [{ role: 'user', content: 'Say hello.' }], stream: true };

export function chatBody(value: JsonObject): ChatAsked['body'] {
  return { bytes: Buffer.from(JSON.stringify(value)), value };
}

/** Fails what comes in the wrong order: bytes before the head, a second head, a write while one is held. */
function createCaughtSink(io: ScriptedIo, takesMs: ((write: number) => number) | undefined) {
  const heads: ChatHead[] = [];
  const begins: number[] = [];
  const pieces: Uint8Array[] = [];
  let held = false;
  const sink: ChatSink = {
    begin(head) {
      assert.equal(heads.length, 0, 'a second answer begins');
      heads.push(head);
      begins.push(io.now());
    },
    write(bytes) {
      assert.equal(heads.length, 1, 'bytes before the head');
      assert.ok(!held, 'a write while another is held');
      pieces.push(bytes.slice());
      const ms = takesMs?.(pieces.length - 1) ?? 0;
      if (ms === 0) return undefined;
      held = true;
      return new Promise((resolve) => {
        io.timer(io.now() + ms, () => {
          held = false;
          resolve();
        });
      });
    },
  };
  return { sink, heads, begins, text: () => Buffer.concat(pieces).toString() };
}

function environmentOf(io: ScriptedIo, cancelMs: number | undefined): RunEnvironment {
  const cancel = new AbortController();
  if (cancelMs !== undefined) io.timer(cancelMs, () => cancel.abort());
  return chatEnvironment(io, cancel.signal);
}

/** Everybody speaks chat, at `baseUrl` or else at a host of its name. */
export function chatEnvironment(io: Io, cancel: AbortSignal, baseUrl?: string): RunEnvironment {
  const provider = { ...openaiCompatible, chat: openaiChat() };
  return {
    io,
    assets: createMemoryAssets(),
    health: createHealthBook(),
    turns: FREE_TURNS,
    connection: (id): Connection => ({ id, provider, baseUrl: baseUrl ?? `http://${id}/v1`, secret: CHAT_SECRET }),
    presence: () => ({ unsentGraceMs: 10_000 }),
    onPresence: () => () => {},
    cancel,
    park: new AbortController().signal,
    limits: RUN_LIMITS,
  };
}

export const chatFailed = (outcome: Outcome) => {
  assert.ok(!outcome.ok, 'it did not fail');
  return outcome.failure;
};

const event = (value: JsonValue) => `data: ${JSON.stringify(value)}\n\n`;

/** One event of chat/completions. */
export function chunkEvent(delta: JsonObject, finish: string | null = null, more: JsonObject = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return event({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'model', choices, ...more });
}

export const ROLE_EVENT = chunkEvent({ role: 'assistant', content: '' });
export const DONE_EVENT = 'data: [DONE]\n\n';
export const FINISH_EVENT = chunkEvent({}, 'stop');
export const errorEvent = (error: JsonObject): string => event({ error });

/** The events of an answer that says these words. */
export function wordEvents(...words: readonly string[]): string[] {
  return [ROLE_EVENT, ...words.map((content) => chunkEvent({ content })), FINISH_EVENT, DONE_EVENT];
}

/** A stream of these pieces, some milliseconds apart. */
export function streamed(pieces: readonly string[], by?: 'end' | 'reset' | 'silence', gapMs = 10): Behaviour {
  return {
    ...{ kind: 'stream', afterMs: 20, pieces: pieces.map((body) => ({ afterMs: gapMs, body })) },
    ...(by && { by }),
  };
}

/** A whole answer. */
export function answered(body: JsonValue | string, status = 200, headers: Record<string, string> = {}): Behaviour {
  return {
    ...{ kind: 'answer', afterMs: 20, status, headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

export const refusedWith = (status: number, error: JsonObject, headers: Record<string, string> = {}): Behaviour =>
  answered({ error }, status, headers);

/** An answer of chat/completions that comes whole. */
export function completion(content = 'hello', usage?: JsonObject): JsonObject {
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  return { id: 'chatcmpl-1', object: 'chat.completion', model: 'model', choices, ...(usage && { usage }) };
}
