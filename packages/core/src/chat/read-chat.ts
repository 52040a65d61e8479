import { isUtf8 } from 'node:buffer';
import type { Failure } from '../failure.ts';
import { isObject, type JsonObject, type JsonValue, withoutByteOrderMark } from '../json.ts';
import type { ChatBody, ChatRequest } from './chat.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { estimateInput } from './estimate.ts';
import { excerptOf } from './excerpt.ts';
import { type Fault, faultFailure, wrongType } from './fault.ts';
import { shapeFlaw } from './json-shape.ts';
import { embeddingsFault } from './validate-embeddings.ts';
import { messagesFault } from './validate-messages.ts';
import { inputFault } from './validate-responses.ts';
import { toolsFault } from './validate-tools.ts';

export type ReadChat =
  | {
      readonly ok: true;
      readonly request: ChatRequest;
      readonly body: ChatBody;
      /** As it was written; undefined where none was. */
      readonly model: string | undefined;
      /** The body's `onetake`, not judged; it is not sent on. */
      readonly controls: JsonObject | undefined;
    }
  | { readonly ok: false; readonly failure: Failure };

/**
 * Reads and judges a request of chat as it came, before anything is sent. Never throws: what is wrong is a failure
 * `invalid`, `not_sent`, with the path of the fault as its `param` and OpenAI's code. What OpenAI accepts is never
 * refused, nor what another server is known to take. `bytes` are bounded by who received them.
 */
export function readChat(endpoint: ChatEndpoint, bytes: Uint8Array): ReadChat {
  const value = parsed(bytes);
  if (typeof value === 'string') return unread(value);
  const fault = faultOf(endpoint, value);
  if (fault) return { ok: false, failure: faultFailure(fault) };
  const { model, onetake } = value;
  const name = typeof model === 'string' ? model : undefined;
  return {
    ok: true,
    request: chatRequestOf(endpoint, value),
    body: { bytes, value },
    model: name,
    controls: isObject(onetake) ? onetake : undefined,
  };
}

/** The object that the bytes hold, or what is wrong with them. */
function parsed(bytes: Uint8Array): JsonObject | string {
  if (!isUtf8(bytes)) return 'the body is not valid UTF-8; send JSON encoded as UTF-8';
  const json = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flaw = shapeFlaw(json);
  if (flaw) return `the body ${flaw}`;
  const text = withoutByteOrderMark(json.toString('utf8'));
  if (text.trim() === '') return 'the body is empty; send a JSON object';
  try {
    const value: JsonValue = JSON.parse(text);
    return isObject(value) ? value : 'the body is not a JSON object; send one, such as {"model": …}';
  } catch (error) {
    return notJson(error);
  }
}

/** The parser's own words quote the body; its position is enough. */
function notJson(error: unknown): string {
  const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  const where = position === undefined ? '' : ` at character ${position}`;
  return `the body is not JSON${where}; send a JSON object`;
}

function unread(message: string): ReadChat {
  return { ok: false, failure: { kind: 'invalid', certainty: 'not_sent', message, code: 'invalid_json' } };
}

function faultOf(endpoint: ChatEndpoint, value: JsonObject): Fault | undefined {
  return (
    settingsFault(value) ??
    (endpoint === 'embeddings' ? embeddingsFault(value) : undefined) ??
    (endpoint === 'chat/completions' ? messagesFault(value.messages) : undefined) ??
    (endpoint === 'responses' ? inputFault(value) : undefined) ??
    (endpoint === 'embeddings' ? undefined : toolsFault(value.tools))
  );
}

/** What we read ourselves must be of its type, or we would read another request than the provider. */
function settingsFault({ model, stream, onetake }: JsonObject): Fault | undefined {
  if (typeof model !== 'string' && !isAbsent(model)) return wrongType('model', model, 'the name of a model');
  if (typeof stream !== 'boolean' && !isAbsent(stream)) return wrongType('stream', stream, 'true or false');
  if (!isObject(onetake) && !isAbsent(onetake)) return wrongType('onetake', onetake, 'an object of controls');
  return undefined;
}

function chatRequestOf(endpoint: ChatEndpoint, value: JsonObject): ChatRequest {
  const generates = endpoint !== 'embeddings';
  const reasoning = generates ? reasons(value) : undefined;
  const answers = endpoint === 'chat/completions' && isCount(value.n) ? value.n : 1;
  const maxOutputTokens = maxOutput(endpoint, value, answers);
  return {
    endpoint,
    stream: generates && value.stream === true,
    excerpt: excerptOf(endpoint, value),
    inputTokens: estimateInput(value),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(answers > 1 && { answers }),
    ...(reasoning !== undefined && { reasoning }),
  };
}

/** A field of another endpoint bounds nothing: its provider does not look at it. */
const BOUNDS: Readonly<Record<ChatEndpoint, readonly string[]>> = {
  'chat/completions': ['max_completion_tokens', 'max_tokens'],
  responses: ['max_output_tokens'],
  embeddings: [],
};

/** The bound that the request sets, for all the answers it asks for together; of two, nobody knows which is heeded. */
function maxOutput(endpoint: ChatEndpoint, value: JsonObject, answers: number): number | undefined {
  const bounds = BOUNDS[endpoint].map((name) => value[name]).filter(isCount);
  return bounds.length === 0 ? undefined : Math.min(Math.max(...bounds) * answers, Number.MAX_SAFE_INTEGER);
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

const BARELY = new Set(['none', 'minimal']);

/**
 * Whether it is asked to think first: by the effort (OpenAI), or by `reasoning` or `thinking` being switched on or off
 * (OpenRouter, DeepSeek); undefined where neither is said.
 */
function reasons({ reasoning_effort, reasoning, thinking }: JsonObject): boolean | undefined {
  const asked = isObject(reasoning) ? reasoning : {};
  const effort = reasoning_effort ?? asked.effort;
  if (typeof effort === 'string') return !BARELY.has(effort);
  if (asked.enabled === false || (isObject(thinking) && thinking.type === 'disabled')) return false;
  if (Object.keys(asked).length > 0 || (isObject(thinking) && thinking.type === 'enabled')) return true;
  return undefined;
}

function isAbsent(value: JsonValue | undefined): value is null | undefined {
  return value === undefined || value === null;
}
