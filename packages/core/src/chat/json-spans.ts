/** A member of an object in JSON text: `start` is the quote of its key, `end` the byte after its value. */
export interface MemberSpan {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** Strings up to this long are read byte by byte: a native search costs more than they do. */
const SHORT_BYTES = 32;

/** Where the outermost object opens: the byte after its brace. */
export function objectStart(json: Buffer): number {
  const marked = json.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  return pastSpace(json, marked ? BYTE_ORDER_MARK.length : 0) + 1;
}

/**
 * The members of the outermost object, in order, without parsing what is in them. The text must be valid JSON, of an
 * object; of anything else the spans mean nothing, yet it ends.
 */
export function* memberSpans(json: Buffer): Generator<MemberSpan> {
  let at = pastSpace(json, objectStart(json));
  while (json[at] === QUOTE) {
    const keyEnd = pastString(json, at);
    const valueStart = pastSpace(json, expect(json, pastSpace(json, keyEnd), COLON));
    const end = pastValue(json, valueStart);
    yield { key: stringOf(json, at, keyEnd), start: at, valueStart, end };
    at = pastSpace(json, expect(json, pastSpace(json, end), COMMA));
  }
}

/** The string written in `json` from its opening quote at `from` to the byte after its closing one at `to`. */
export function stringOf(json: Buffer, from: number, to: number): string {
  const text = json.toString('utf8', from + 1, to - 1);
  return text.includes('\\') ? String(JSON.parse(`"${text}"`)) : text;
}

function expect(json: Buffer, at: number, byte: number): number {
  return json[at] === byte ? at + 1 : at;
}

function pastSpace(json: Buffer, from: number): number {
  let at = from;
  while (json[at] === 0x20 || json[at] === 0x0a || json[at] === 0x0d || json[at] === 0x09) at += 1;
  return at;
}

/** The byte after a string whose opening quote is at `from`. */
export function pastString(json: Buffer, from: number): number {
  const short = Math.min(from + SHORT_BYTES, json.length);
  let at = from + 1;
  while (at < short) {
    if (json[at] === QUOTE) return at + 1;
    at += json[at] === BACKSLASH ? 2 : 1;
  }
  return pastLongString(json, at);
}

/** `from` lies in a string and not behind a backslash that stands alone. */
function pastLongString(json: Buffer, from: number): number {
  let start = from;
  for (;;) {
    const quote = json.indexOf(QUOTE, start);
    if (quote < 0) return json.length;
    let slashes = 0;
    while (quote - slashes > start && json[quote - slashes - 1] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    start = quote + 1;
  }
}

function pastValue(json: Buffer, from: number): number {
  const first = json[from];
  if (first === QUOTE) return pastString(json, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return pastContainer(json, from);
  let at = from;
  while (at < json.length && !endsLiteral(json[at])) at += 1;
  return at;
}

function endsLiteral(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function pastContainer(json: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  const { length } = json;
  while (at < length) {
    const byte = json[at] ?? 0;
    if (byte > QUOTE && byte < OPEN_BRACKET) {
      at += 1;
      continue;
    }
    if (byte === QUOTE) {
      at = pastString(json, at);
      continue;
    }
    at += 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    if (depth === 0) return at;
  }
  return at;
}
