import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ChatUsage } from './chat.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { eventsIn, type StreamEvent } from './stream-events.ts';
import { errorIn } from './told-failure.ts';
import { usageIn } from './usage.ts';

/** Keeps watch over a stream that passes: whether it came to its end, what it used, and whether an error came. */
export interface Marks {
  /** Looks at a slice of whole events; an error that it holds ends the stream after the event that tells it. */
  look(slice: Buffer): ToldError | undefined;
  /** It said that it was complete: nothing that belongs to the answer is missing. */
  isComplete(): boolean;
  /** As the stream told it last; undefined where it did not. */
  usage(): ChatUsage | undefined;
  /** What passed, for an estimate. */
  passed(): { readonly bytes: number; readonly events: number };
}

export interface ToldError {
  readonly error: JsonObject;
  /** Where its event ends in the slice. */
  readonly end: number;
}

const FINISH = Buffer.from('"finish_reason"');
const USAGE = Buffer.from('"usage"');
const RESPONSE = Buffer.from('"response"');
const ERROR = Buffer.from('error');
const DELTA = Buffer.from('"delta"');
const LF = 0x0a;
const CR = 0x0d;
const CLOSE_BRACKET = 0x5d;
const QUOTE = 0x22;
const COLON = 0x3a;
const SPACE = 0x20;
const SMALL_N = 0x6e;

/** A server that tells usage with each event does so from the first ones on. */
const FIRST_SLICES = 4;

/** The last event of Responses repeats the whole answer, pictures that were made included. */
const MAX_END_BYTES = 32 * 1024 * 1024;

/** The terminal events of Responses besides `response.failed`, which is an error. */
const TERMINAL = new Set(['response.completed', 'response.incomplete', 'response.cancelled']);

/**
 * Only slices in which a native search finds a mark are read: `[DONE]` at the end, a `finish_reason` that is not null,
 * the whole response that a terminal event holds, or an error. A quote inside what was generated is escaped, so a mark
 * with its quotes is always a key or a value. Usage is looked for where it comes: in the first events of a server that
 * tells it with each, and at the end. `choices`: how many answers were asked for in one.
 */
export function createMarks(endpoint: ChatEndpoint, choices: number): Marks {
  const finished = new Set<number>();
  const isResponses = endpoint === 'responses';
  let isDone = false;
  let usageSlice: Buffer | undefined;
  let bytes = 0;
  let events = 0;
  let slices = 0;
  let tellsUsage = false;

  const read = (slice: Buffer): ToldError | undefined => {
    for (const event of eventsIn(slice)) {
      const error = errorIn(event);
      if (error) return { error, end: event.end };
      if (event.text?.trim() === '[DONE]') isDone = true;
      ended(event);
    }
    return undefined;
  };
  const ended = (event: StreamEvent) => {
    if (isResponses) isDone ||= TERMINAL.has(typeOf(event));
    const value = isObject(event.value) ? event.value : {};
    const listed: readonly JsonValue[] = Array.isArray(value.choices) ? value.choices : [];
    for (const choice of listed) {
      if (isObject(choice) && choice.finish_reason) finished.add(numberAt(choice, 'index') ?? 0);
    }
  };

  const isComplete = () => isDone || finished.size >= choices;
  /** The most events hold one `finish_reason`, that is null, and one token. */
  const endOfChoice = (slice: Buffer): boolean => {
    let ends = false;
    let count = 0;
    for (let at = slice.indexOf(FINISH); at >= 0; at = slice.indexOf(FINISH, at + FINISH.length)) {
      ends ||= beginsValue(valueAfter(slice, at + FINISH.length));
      count += 1;
    }
    events += Math.max(1, count);
    return ends;
  };
  const endOfResponse = (slice: Buffer): boolean => {
    for (let at = slice.indexOf(DELTA); at >= 0; at = slice.indexOf(DELTA, at + DELTA.length)) events += 1;
    return holdsKey(slice, RESPONSE);
  };

  return {
    look(slice) {
      bytes += slice.length;
      slices += 1;
      const ends = isResponses ? endOfResponse(slice) : endOfChoice(slice);
      const isMarked = ends || isAfterAll(slice) || holdsError(slice);
      if (isMarked || tellsUsage || slices <= FIRST_SLICES || isComplete()) {
        tellsUsage = holdsKey(slice, USAGE);
        if (tellsUsage) usageSlice = slice;
      }
      return isMarked ? read(slice) : undefined;
    },
    isComplete,
    usage() {
      let told: ChatUsage | undefined;
      for (const { value } of usageSlice ? eventsIn(usageSlice, MAX_END_BYTES) : []) told = usageIn(value) ?? told;
      return told;
    },
    passed: () => ({ bytes, events }),
  };
}

/** What an event of Responses is; of one too large to read by its name, or how its data begins. */
function typeOf({ value, name, text }: StreamEvent): string {
  if (isObject(value)) return stringAt(value, 'type') ?? name ?? '';
  return name ?? /^\s*\{\s*"type"\s*:\s*"([\w.]*)"/.exec(text ?? '')?.[1] ?? '';
}

/** The key stands in it with a value that is not null. */
function holdsKey(slice: Buffer, key: Buffer): boolean {
  for (let at = slice.indexOf(key); at >= 0; at = slice.indexOf(key, at + key.length)) {
    if (beginsValue(valueAfter(slice, at + key.length))) return true;
  }
  return false;
}

/** Whether a value that is not null begins with this byte. */
function beginsValue(first: number | undefined): boolean {
  return first !== undefined && first !== SMALL_N;
}

/** It ends with `[DONE]`, or with a list where an event should be. */
function isAfterAll(slice: Buffer): boolean {
  let at = slice.length - 1;
  while (slice[at] === LF || slice[at] === CR || slice[at] === SPACE) at -= 1;
  return slice[at] === CLOSE_BRACKET;
}

/** The first byte of what a key that ends here has for a value; undefined where no colon follows. */
function valueAfter(slice: Buffer, end: number): number | undefined {
  let at = skipSpaces(slice, end);
  if (slice[at] !== COLON) return undefined;
  at = skipSpaces(slice, at + 1);
  return slice[at];
}

function skipSpaces(slice: Buffer, from: number): number {
  let at = from;
  while (slice[at] === SPACE) at += 1;
  return at;
}

/** `"error"` as a key with something in it, or as a value; or the name of an event, or of a field. */
function holdsError(slice: Buffer): boolean {
  for (let at = slice.indexOf(ERROR); at >= 0; at = slice.indexOf(ERROR, at + ERROR.length)) {
    const end = at + ERROR.length;
    const isQuoted = slice[at - 1] === QUOTE && slice[end] === QUOTE;
    if (isQuoted && valueAfter(slice, end + 1) !== SMALL_N) return true;
    if (slice[end] === COLON && (at === 0 || slice[at - 1] === LF || slice[at - 1] === CR)) return true;
    const before = slice[at - 1] === SPACE ? at - 2 : at - 1;
    if (slice[before] === COLON && slice.toString('latin1', Math.max(0, before - 5), before) === 'event') return true;
  }
  return false;
}
