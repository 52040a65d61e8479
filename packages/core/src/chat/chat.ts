import type { JsonObject } from '../json.ts';
import type { RunPlan } from '../plan.ts';
import type { ChatEndpoint } from './endpoints.ts';

/** What is known of a request when it arrives, beside the bytes that are passed on. */
export interface ChatRequest {
  readonly endpoint: ChatEndpoint;
  readonly stream: boolean;
  /** The beginning of the last thing that was said, for lists; at most `MAX_EXCERPT_CHARS`. */
  readonly excerpt: string;
  /** Estimated: what goes in, and the most that may come out where the request bounds it. */
  readonly inputTokens: number;
  readonly maxOutputTokens?: number;
  /** How many it asks for, where it is more than one. */
  readonly answers?: number;
  /** Whether it asks to think before it speaks, so that its first token takes long; absent where it does not say. */
  readonly reasoning?: boolean;
  /** Asked by the gateway itself, and why: `rewrite of gen_…`, `judge of set_…`. */
  readonly purpose?: string;
}

export const MAX_EXCERPT_CHARS = 500;

/** Everything fixed when a request of chat arrived. What was said is not in it: chat is not resumed after a crash. */
export interface ChatPlan extends RunPlan {
  readonly chat: ChatRequest;
}

export function isChatPlan(plan: RunPlan): plan is ChatPlan {
  return 'chat' in plan;
}

/** What is sent: the caller's own bytes, in which only the name of the model is put in the target's terms. */
export interface ChatBody {
  /** JSON, as it came. */
  readonly bytes: Uint8Array;
  readonly value: JsonObject;
}

/** The head of an answer that was found good. */
export interface ChatHead {
  readonly status: number;
  /** The provider's, such as `text/event-stream; charset=utf-8`. */
  readonly contentType: string;
  /** Who answers, `provider/model`. */
  readonly target: string;
}

/** Where an answer goes as it comes, byte for byte. */
export interface ChatSink {
  /** Called once at most, before the first byte: from here on there is no other answer than this one. */
  begin(head: ChatHead): void;
  /** Of a stream whole events, of a body pieces; a returned promise holds the flow until it settles. */
  write(bytes: Uint8Array): void | Promise<void>;
}

/**
 * What was used, in the shape of `usage` in the Responses API whatever the endpoint:
 * `{input_tokens, input_tokens_details: {cached_tokens}, output_tokens, output_tokens_details: {reasoning_tokens},
 * total_tokens}`; `estimated: true` where no answer told it.
 */
export type ChatUsage = JsonObject;
