import { type JsonObject, type JsonValue, parseJson } from '../json.ts';

/** Looks through a large JSON object as it comes: whether it is whole, and what stands at its top. */
export interface BodyScan {
  write(bytes: Buffer): void;
  /**
   * The top-level members, those above 64 KiB as an empty value of their type; undefined for what is not one whole
   * object. `slice` reads the bytes that were written.
   */
  members(slice: (from: number, to: number) => Buffer): JsonObject | undefined;
  /** It began an object and did not end it. */
  isCut(): boolean;
}

const MAX_MEMBERS = 256;
const MAX_VALUE_BYTES = 64 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;
/** The bytes of U+FEFF in UTF-8, which some servers begin a body with. */
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

/** Offsets in all that was written. */
interface Member {
  readonly keyFrom: number;
  keyTo: number;
  from: number;
  to: number;
  first: number;
}

/** `before` the object, at a `key` of it, at a `value`, in one, `after` the object; `broken` when it cannot be one. */
type Place = 'before' | 'key' | 'value' | 'in' | 'after' | 'broken';

/** How far it was looked through. */
interface Scan {
  readonly members: Member[];
  member: Member | undefined;
  place: Place;
  depth: number;
  inString: boolean;
  isEscaped: boolean;
}

/** Brackets and strings are followed, numbers and words between them are not: what is cut off is found, not what is misspelt. */
export function createBodyScan(): BodyScan {
  const scan: Scan = { members: [], member: undefined, place: 'before', depth: 0, inString: false, isEscaped: false };
  let base = 0;
  return {
    write(bytes) {
      const escapes = { next: bytes.indexOf(BACKSLASH) };
      for (let at = 0; at < bytes.length; ) {
        if (scan.inString) {
          at = throughString(scan, bytes, at, base, escapes);
          continue;
        }
        const byte = bytes[at] ?? SPACE;
        // Inside arrays of numbers nothing but quotes and brackets says anything.
        if (scan.depth < 2 || byte === QUOTE || byte >= OPEN_BRACKET) step(scan, byte, base + at);
        at += 1;
      }
      base += bytes.length;
    },
    members(slice) {
      const { place, depth, inString, members } = scan;
      if (place !== 'after' || depth !== 0 || inString) return undefined;
      const entries = members.map((one) => [keyOf(slice(one.keyFrom, one.keyTo)), contentOf(one, slice)] as const);
      const isWhole = entries.every(([key, value]) => key !== undefined && value !== undefined);
      return isWhole ? Object.fromEntries(entries) : undefined;
    },
    isCut: () => scan.place === 'key' || scan.place === 'value' || scan.place === 'in',
  };
}

/** Goes on inside a string; returns where it ended, or the chunk did. `escapes`: where the next backslash is. */
function throughString(scan: Scan, bytes: Buffer, from: number, base: number, escapes: { next: number }): number {
  if (scan.isEscaped) {
    scan.isEscaped = false;
    return from + 1;
  }
  // Looked for once for each backslash, not for each string.
  if (escapes.next >= 0 && escapes.next < from) escapes.next = bytes.indexOf(BACKSLASH, from);
  const quote = bytes.indexOf(QUOTE, from);
  const end = quote < 0 ? bytes.length : quote;
  if (escapes.next >= 0 && escapes.next < end) {
    scan.isEscaped = true;
    return escapes.next + 1;
  }
  if (quote < 0) return end;
  scan.inString = false;
  if (scan.depth === 1 && scan.place === 'key' && scan.member) scan.member.keyTo = base + end + 1;
  return end + 1;
}

function step(scan: Scan, byte: number, at: number): void {
  if (scan.depth <= 1) atTop(scan, byte, at);
  if (byte === QUOTE) scan.inString = true;
  else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) scan.depth += 1;
  else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
    if (scan.depth === 1) endMember(scan, at, 'after');
    scan.depth -= 1;
  } else if (byte === COMMA && scan.depth === 1) {
    endMember(scan, at, 'key');
  }
}

function atTop(scan: Scan, byte: number, at: number): void {
  const { place, member } = scan;
  if (byte <= SPACE || place === 'broken') return;
  if (place === 'before') {
    if (byte === OPEN_BRACE) scan.place = 'key';
    else if (!BYTE_ORDER_MARK.includes(byte)) scan.place = 'broken';
  } else if (place === 'after') scan.place = 'broken';
  else if (place === 'key') {
    if (byte === QUOTE && member === undefined) scan.member = { keyFrom: at, keyTo: 0, from: 0, to: 0, first: 0 };
    else if (byte === COLON && member) scan.place = 'value';
    else if (byte !== CLOSE_BRACE) scan.place = 'broken';
  } else if (place === 'value' && member) {
    member.from = at;
    member.first = byte;
    scan.place = 'in';
  }
}

function endMember(scan: Scan, at: number, next: Place): void {
  const { member, place, members } = scan;
  const isEmpty = place === 'key' && member === undefined && next === 'after';
  if (member && place === 'in' && members.length < MAX_MEMBERS) members.push({ ...member, to: at });
  scan.place = place === 'in' || isEmpty ? next : 'broken';
  scan.member = undefined;
}

function keyOf(bytes: Buffer): string | undefined {
  const key = parseJson(bytes.toString());
  return typeof key === 'string' ? key : undefined;
}

function contentOf({ from, to, first }: Member, slice: (from: number, to: number) => Buffer): JsonValue | undefined {
  if (to - from <= MAX_VALUE_BYTES) return parseJson(slice(from, to).toString());
  if (first === OPEN_BRACKET) return [];
  return first === OPEN_BRACE ? {} : '';
}
