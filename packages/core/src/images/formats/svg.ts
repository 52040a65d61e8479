import { damaged, Flaw, type Picture, type Reading, take, truncated } from './reading.ts';
import { svgSize } from './svg-size.ts';

export const MAX_SVG_BYTES = 16 * 1024 * 1024;
/** An element may hold a picture in an attribute, so only the front of a tag is kept. */
const MAX_ROOT_CHARS = 65_536;
const MAX_NAME_CHARS = 256;
const MAX_DEPTH = 1_000;

const [GREATER, SLASH, QUOTE, APOSTROPHE, OPEN_BRACKET, CLOSE_BRACKET] = [0x3e, 0x2f, 0x22, 0x27, 0x5b, 0x5d];
const LESS = 0x3c;

/**
 * XML with the root element `svg`: tags balanced, attributes quoted, nothing but space, comments and instructions
 * around the root. Every delimiter is ASCII, so the bytes are read without decoding them. The canvas is transparent.
 */
export function* readSvg(): Reading<Picture> {
  const open: string[] = [];
  let size: { width: number; height: number } | undefined;
  let tags = 0;
  while (yield* passText(open.length > 0, size !== undefined)) {
    tags += 1;
    const lead = (yield* take(1, 'an SVG tag')).toString('latin1');
    if (lead === '?') yield* passThrough('?>');
    else if (lead === '!') yield* passDeclaration(open.length > 0, size !== undefined);
    else if (lead === '/') yield* closeElement(open);
    else {
      if (size !== undefined && open.length === 0) throw damaged('SVG has a second root element');
      const tag = yield* readTag(lead, size === undefined ? MAX_ROOT_CHARS : MAX_NAME_CHARS);
      size ??= rootSize(tag);
      if (!tag.empty) open.push(tag.name);
      if (open.length > MAX_DEPTH) throw damaged(`SVG is nested deeper than ${MAX_DEPTH} elements`);
    }
  }
  if (tags === 0) throw new Flaw('not_an_image', 'only white space');
  if (size === undefined || open.length > 0)
    throw truncated(size === undefined ? 'XML before any element' : 'an SVG element');
  return { type: 'svg', ...size, animated: false, alpha: true };
}

/** Passes over text up to the next tag; false when the bytes end instead. Outside the root only space is text. */
function* passText(inside: boolean, rootSeen: boolean): Reading<boolean> {
  let found = false;
  yield (piece) => {
    if (found) return 0;
    const at = piece.indexOf(LESS);
    found = at >= 0;
    const text = found ? piece.subarray(0, at) : piece;
    if (!inside && !text.every(isSpaceOrMark)) {
      throw rootSeen
        ? damaged('text follows the SVG root element')
        : new Flaw('not_an_image', 'text before any element');
    }
    return found ? at + 1 : piece.length;
  };
  return found;
}

/** XML's white space, and the three bytes of UTF-8's byte order mark. */
function isSpaceOrMark(byte: number): boolean {
  return (
    byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0xef || byte === 0xbb || byte === 0xbf
  );
}

function* passDeclaration(inside: boolean, rootSeen: boolean): Reading {
  const kind = (yield* take(2, 'an SVG declaration')).toString('latin1');
  if (kind === '--') yield* passThrough('-->');
  else if (kind === '[C' && inside) yield* passThrough(']]>');
  else if (kind.toUpperCase() === 'DO' && !rootSeen) yield* passDoctype();
  else throw damaged('SVG declaration is out of place');
}

/** Passes over everything up to and including `end`, whose last character is `>`. */
function* passThrough(end: string): Reading {
  let found = false;
  let before = '';
  yield (piece) => {
    if (found) return 0;
    for (let at = piece.indexOf(GREATER); at >= 0; at = piece.indexOf(GREATER, at + 1)) {
      found = (before + piece.toString('latin1', Math.max(0, at - end.length), at + 1)).endsWith(end);
      if (found) return at + 1;
    }
    before = (before + piece.toString('latin1', Math.max(0, piece.length - end.length))).slice(-end.length);
    return piece.length;
  };
  if (!found) throw truncated('an SVG comment or instruction');
}

/** Passes over a document type and its internal subset, whose quoted strings may hold any delimiter. */
function* passDoctype(): Reading {
  let depth = 0;
  let quote = 0;
  let ended = false;
  yield (piece) => {
    let at = 0;
    for (; !ended && at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (quote !== 0) quote = byte === quote ? 0 : quote;
      else if (byte === QUOTE || byte === APOSTROPHE) quote = byte;
      else if (byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACKET) depth -= 1;
      else if (byte === GREATER) ended = depth === 0;
    }
    return at;
  };
  if (!ended) throw truncated('the SVG document type');
}

interface Tag {
  readonly name: string;
  readonly attributes: string;
  /** It ends in `/>` and has no closing tag. */
  readonly empty: boolean;
}

/** Reads a tag to its `>`, keeping its first `maxChars` characters. */
function* readTag(lead: string, maxChars: number): Reading<Tag> {
  let kept = lead;
  let quote = 0;
  let last = 0;
  let ended = false;
  yield (piece) => {
    let at = 0;
    while (!ended && at < piece.length) {
      if (quote !== 0) {
        const closing = piece.indexOf(quote, at);
        if (closing >= 0) quote = 0;
        at = closing < 0 ? piece.length : closing + 1;
        continue;
      }
      const byte = piece[at] ?? 0;
      at += 1;
      if (byte === LESS) throw damaged('SVG tag begins inside another');
      if (byte === GREATER) ended = true;
      else last = byte;
      if (byte === QUOTE || byte === APOSTROPHE) quote = byte;
    }
    if (kept.length < maxChars) kept += piece.toString('latin1', 0, Math.min(at, maxChars - kept.length));
    return at;
  };
  if (!ended) throw truncated('an SVG tag');
  const name = /^[A-Za-z_:\x80-\xff][^\s/>"'=]*/.exec(kept)?.[0];
  if (name === undefined || name.length >= MAX_NAME_CHARS) throw damaged('SVG element has no name or too long a name');
  return { name, attributes: kept.slice(name.length), empty: last === SLASH };
}

function* closeElement(open: string[]): Reading {
  const tag = yield* readTag((yield* take(1, 'an SVG tag')).toString('latin1'), MAX_NAME_CHARS);
  const expected = open.pop();
  if (tag.name === expected) return;
  throw damaged(
    expected === undefined ? 'SVG closes an element that is not open' : 'SVG closes another element than the open one',
  );
}

function rootSize(root: Tag): { width: number; height: number } {
  const local = root.name.slice(root.name.indexOf(':') + 1);
  if (local !== 'svg') throw new Flaw('not_an_image', 'markup whose root element is not svg');
  return svgSize(root.attributes);
}
