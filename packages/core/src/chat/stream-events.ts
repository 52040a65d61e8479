import { type JsonValue, parseJson } from '../json.ts';

/** One event of a slice that was looked into. */
export interface StreamEvent {
  readonly name: string | undefined;
  /** The data where it is a JSON object or list of a size that is read. */
  readonly value: JsonValue | undefined;
  /** The data as it came, only its beginning where it is too large; undefined for an event without any, such as a comment or a heartbeat. */
  readonly text: string | undefined;
  /** Where it ends in the slice. */
  readonly end: number;
}

/** Larger data is not looked into where an answer only passes. */
const MAX_READ_BYTES = 4 * 1024 * 1024;

/** Of larger data this much is told. */
const BEGINNING_BYTES = 200;

const BREAKS = /\r\n|\n|\r/g;
/** U+FEFF in UTF-8, each byte a character. */
const BYTE_ORDER_MARK = '\u00EF\u00BB\u00BF';

/**
 * Reads a slice of whole events (WHATWG HTML, 9.2.6), for the few slices in which something needs to be known. What is
 * left at the end of a stream without its blank line counts as an event. Data above `maxBytes` is not read.
 */
export function* eventsIn(slice: Buffer, maxBytes = MAX_READ_BYTES): Generator<StreamEvent> {
  // One character for each byte, so that places in the text are places in the slice.
  const text = slice.toString('latin1');
  let name: string | undefined;
  let data: string[] = [];
  let at = 0;
  const read = (line: string) => {
    const [field, value] = fieldOf(line);
    if (field === 'data') data.push(value);
    if (field === 'event') name = utf8(value);
    // llama.cpp's own way to tell an error.
    if (field === 'error') {
      name = 'error';
      data.push(value);
    }
  };
  for (const found of text.matchAll(BREAKS)) {
    const line = text.slice(at, found.index);
    at = found.index + found[0].length;
    if (line !== '') {
      read(line);
      continue;
    }
    yield eventOf(name, data, at, maxBytes);
    [name, data] = [undefined, []];
  }
  read(text.slice(at));
  if (data.length > 0) yield eventOf(name, data, text.length, maxBytes);
}

function fieldOf(line: string): readonly [field: string, value: string] {
  const whole = line.startsWith(BYTE_ORDER_MARK) ? line.slice(BYTE_ORDER_MARK.length) : line;
  const colon = whole.indexOf(':');
  if (colon < 0) return [whole, ''];
  return [whole.slice(0, colon), whole.slice(whole[colon + 1] === ' ' ? colon + 2 : colon + 1)];
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

function eventOf(name: string | undefined, data: readonly string[], end: number, maxBytes: number): StreamEvent {
  if (data.length === 0) return { name, value: undefined, text: undefined, end };
  const bytes = data.join('\n');
  if (bytes.length > maxBytes) return { name, value: undefined, text: utf8(bytes.slice(0, BEGINNING_BYTES)), end };
  const text = utf8(bytes);
  if (text.trim() === '') return { name, value: undefined, text: undefined, end };
  return { name, value: objectOrList(text), text, end };
}

function objectOrList(text: string): JsonValue | undefined {
  return /^\s*[{[]/.test(text) ? parseJson(text) : undefined;
}
