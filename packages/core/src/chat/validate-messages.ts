import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { emptyArray, type Fault, firstFault, notFilled, notString, wrongType, wrongValue } from './fault.ts';
import { partsFault } from './validate-parts.ts';

/** Roles that say something, so that OpenAI, vLLM with its templates and Ollama all refuse them without content. */
const SPEAKING = new Set(['developer', 'system', 'user', 'tool']);
/** Of a message of the assistant, what says nothing by itself. */
const LABELS = new Set(['role', 'name', 'content']);
const CONTENT = 'a string or an array of content parts';

/**
 * The first fault in `messages` of chat/completions, as OpenAI's reference has them (openai 7.55,
 * resources/chat/completions). Only what OpenAI refuses is one, and of that only what other servers do not take:
 * - roles and kinds of parts that are not known pass;
 * - a tool call without an answer passes: vLLM, Ollama and llama.cpp take a conversation that goes on without it;
 * - an empty `tool_calls` passes, which vLLM sends and takes back.
 */
export function messagesFault(messages: JsonValue | undefined): Fault | undefined {
  if (!Array.isArray(messages)) return wrongType('messages', messages, 'an array of messages');
  if (messages.length === 0) return emptyArray('messages', 'at least one message');
  const called = new Set<string>();
  return firstFault('messages', messages, (message, param) => {
    if (!isObject(message)) return wrongType(param, message, 'an object with a role');
    return (
      notFilled(`${param}.role`, message.role, 'who speaks, such as "user"') ??
      contentFault(message, `${param}.content`) ??
      callsFault(message.tool_calls, `${param}.tool_calls`, called) ??
      legacyCallFault(message.function_call, `${param}.function_call`) ??
      (message.role === 'tool' ? answerFault(message, `${param}.tool_call_id`, called) : undefined)
    );
  });
}

function contentFault(message: JsonObject, param: string): Fault | undefined {
  const { content } = message;
  if (typeof content === 'string') return undefined;
  if (Array.isArray(content)) return partsFault(content, param);
  const absent = content === undefined || content === null;
  return absent && mayBeSilent(message) ? undefined : wrongType(param, content, CONTENT);
}

/**
 * Whether a message may come without content: of the assistant where it holds anything else (`tool_calls`, `refusal`,
 * `audio`, or what another server gave it, such as `reasoning_content`), a `function`'s, and of a role not known here.
 */
function mayBeSilent(message: JsonObject): boolean {
  const { role } = message;
  if (role !== 'assistant') return typeof role !== 'string' || !SPEAKING.has(role);
  return Object.entries(message).some(([key, value]) => !LABELS.has(key) && value !== undefined && value !== null);
}

/** Notes in `called` the ids that a message of a tool may answer, whoever's message the calls stand in. */
function callsFault(calls: JsonValue | undefined, param: string, called: Set<string>): Fault | undefined {
  if (calls === undefined || calls === null) return undefined;
  if (!Array.isArray(calls)) return wrongType(param, calls, 'an array of tool calls');
  return firstFault(param, calls, (call, at) => {
    if (!isObject(call)) return wrongType(at, call, 'an object with an id');
    if (typeof call.id === 'string') called.add(call.id);
    return notFilled(`${at}.id`, call.id, 'the id of the call') ?? callFault(call, at);
  });
}

/** `custom` calls have an `input`; a call without a type is a function's, and one of another type passes. */
function callFault(call: JsonObject, param: string): Fault | undefined {
  const { type } = call;
  if (type !== undefined && type !== null && typeof type !== 'string')
    return wrongType(`${param}.type`, type, 'the kind of call, such as "function"');
  if (type === 'custom') return namedFault(call.custom, `${param}.custom`, 'input');
  if (type === 'function' || type === undefined || type === null)
    return namedFault(call.function, `${param}.function`, 'arguments');
  return undefined;
}

function namedFault(value: JsonValue | undefined, param: string, payload: string): Fault | undefined {
  if (!isObject(value)) return wrongType(param, value, `an object with a name and ${payload}`);
  return (
    notFilled(`${param}.name`, value.name, 'the name of the tool') ??
    notString(`${param}.${payload}`, value[payload], 'a string, of JSON where it holds arguments')
  );
}

function legacyCallFault(call: JsonValue | undefined, param: string): Fault | undefined {
  return call === undefined || call === null ? undefined : namedFault(call, param, 'arguments');
}

/** OpenAI: "messages with role 'tool' must be a response to a preceding message with 'tool_calls'". */
function answerFault(message: JsonObject, param: string, called: ReadonlySet<string>): Fault | undefined {
  const { tool_call_id: id } = message;
  const fault = notFilled(param, id, 'the id of the tool call that this answers');
  if (fault || typeof id !== 'string' || called.has(id)) return fault;
  return wrongValue(param, id, 'give the id of one of the tool_calls of an earlier message');
}
