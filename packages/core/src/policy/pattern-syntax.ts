/** A pattern as a tree; `program` in `pattern.ts` makes steps of it. */
export type PatternNode =
  | { readonly kind: 'take'; readonly test: CharTest }
  | { readonly kind: 'assert'; readonly test: PlaceTest }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly body: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    };

/** One code point, in lower and in upper case: patterns do not see the difference. */
export type CharTest = (lower: number, upper: number) => boolean;
/** A place between two code points, either of which is undefined at an end of the text. */
export type PlaceTest = (before: number | undefined, after: number | undefined) => boolean;

/** What is wrong with a pattern, in words that follow its place. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

export const MAX_PATTERN_CHARS = 200;
const MAX_REPEATS = 200;

interface Reader {
  readonly chars: readonly string[];
  at: number;
}

/** Reads the syntax that the documentation names, and refuses every other; throws a `PatternError`. */
export function parsePattern(source: string): PatternNode {
  const chars = [...source];
  if (chars.length > MAX_PATTERN_CHARS)
    throw new PatternError(`it has ${chars.length} characters, and ${MAX_PATTERN_CHARS} are allowed`);
  const reader: Reader = { chars, at: 0 };
  const tree = choice(reader);
  if (reader.at < chars.length) throw new PatternError(`")" at ${reader.at + 1} closes nothing`);
  if (minChars(tree) === 0) throw new PatternError('it matches no text at all, and so every prompt');
  return tree;
}

function minChars(node: PatternNode): number {
  switch (node.kind) {
    case 'take':
      return 1;
    case 'assert':
      return 0;
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + minChars(part), 0);
    case 'choice':
      return Math.min(...node.options.map(minChars));
    case 'repeat':
      return node.min * minChars(node.body);
  }
}

function choice(reader: Reader): PatternNode {
  const options = [sequence(reader)];
  while (reader.chars[reader.at] === '|') {
    reader.at += 1;
    options.push(sequence(reader));
  }
  const [only] = options;
  return options.length === 1 && only ? only : { kind: 'choice', options };
}

function sequence(reader: Reader): PatternNode {
  const parts: PatternNode[] = [];
  for (let next = reader.chars[reader.at]; next !== undefined && next !== '|' && next !== ')'; ) {
    parts.push(repeated(reader, atom(reader, next)));
    next = reader.chars[reader.at];
  }
  return { kind: 'sequence', parts };
}

function atom(reader: Reader, first: string): PatternNode {
  const at = reader.at + 1;
  reader.at += 1;
  switch (first) {
    case '(':
      return group(reader, at);
    case '[':
      return { kind: 'take', test: charClass(reader, at) };
    case '.':
      return { kind: 'take', test: (lower) => lower !== NEWLINE };
    case '^':
      return { kind: 'assert', test: (before) => before === undefined };
    case '$':
      return { kind: 'assert', test: (_before, after) => after === undefined };
    case '\\':
      return escapeAtom(reader, at);
    case '*':
    case '+':
    case '?':
    case '{':
      throw new PatternError(`"${first}" at ${at} repeats nothing; write \\${first} for the character itself`);
    default:
      return { kind: 'take', test: literal(first) };
  }
}

function group(reader: Reader, at: number): PatternNode {
  if (reader.chars[reader.at] === '?') {
    if (reader.chars[reader.at + 1] !== ':')
      throw new PatternError(`the group at ${at}: only (…) and (?:…) are known, nothing that looks ahead or behind`);
    reader.at += 2;
  }
  const body = choice(reader);
  if (reader.chars[reader.at] !== ')') throw new PatternError(`the group at ${at} is not closed`);
  if (body.kind === 'sequence' && body.parts.length === 0) throw new PatternError(`the group at ${at} is empty`);
  reader.at += 1;
  return body;
}

function repeated(reader: Reader, body: PatternNode): PatternNode {
  const bounds = quantifier(reader);
  if (bounds === undefined) return body;
  const lazy = reader.chars[reader.at] === '?';
  if (lazy) reader.at += 1;
  if (body.kind === 'assert') throw new PatternError('a boundary cannot be repeated');
  if (quantifier(reader)) throw new PatternError(`two repetitions in a row at ${reader.at}; put the first in a group`);
  return { kind: 'repeat', body, ...bounds, lazy };
}

function quantifier(reader: Reader): { readonly min: number; readonly max: number } | undefined {
  const simple = SIMPLE[reader.chars[reader.at] ?? ''];
  if (simple) {
    reader.at += 1;
    return simple;
  }
  if (reader.chars[reader.at] !== '{') return undefined;
  const rest = reader.chars.slice(reader.at, reader.at + MAX_BOUNDS_CHARS).join('');
  const [whole, least, comma, most = ''] = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(rest) ?? [];
  if (whole === undefined)
    throw new PatternError(`"{" at ${reader.at + 1} is not {3}, {3,} or {3,5}; write \\{ for the character itself`);
  reader.at += whole.length;
  const min = Number(least);
  const max = comma === undefined ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most);
  if (min > max || max === 0) throw new PatternError(`${whole} repeats from more to less, or never`);
  if (min > MAX_REPEATS || (Number.isFinite(max) && max > MAX_REPEATS))
    throw new PatternError(`${whole} counts beyond ${MAX_REPEATS}`);
  return { min, max };
}

const MAX_BOUNDS_CHARS = 9;
const SIMPLE: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  '*': { min: 0, max: Number.POSITIVE_INFINITY },
  '+': { min: 1, max: Number.POSITIVE_INFINITY },
  '?': { min: 0, max: 1 },
};

const NEWLINE = 10;
const codeOf = (char: string): number => char.codePointAt(0) ?? 0;

/** Both cases of a character; what changes its length with its case is only itself. */
export function casesOf(char: string): readonly [lower: number, upper: number] {
  const code = codeOf(char);
  if (code < 128) return [code >= 65 && code <= 90 ? code + 32 : code, code >= 97 && code <= 122 ? code - 32 : code];
  const [lower, upper] = [char.toLowerCase(), char.toUpperCase()];
  const isSingle = (text: string) => text.length === (codeOf(text) > 0xffff ? 2 : 1);
  return [isSingle(lower) ? codeOf(lower) : code, isSingle(upper) ? codeOf(upper) : code];
}

function literal(char: string): CharTest {
  const [wanted] = casesOf(char);
  return (lower) => lower === wanted;
}

const isDigit: CharTest = (lower) => lower >= 48 && lower <= 57;
const isSpace: CharTest = (lower) =>
  lower === 32 ||
  (lower >= 9 && lower <= 13) ||
  lower === 0xa0 ||
  (lower > 0xff && /\s/u.test(String.fromCodePoint(lower)));

/** Of any script: a letter with its marks, a digit, or `_`. */
export function isWordChar(lower: number): boolean {
  if (lower < 128)
    return (lower >= 97 && lower <= 122) || (lower >= 65 && lower <= 90) || isDigit(lower, lower) || lower === 95;
  return /[\p{L}\p{M}\p{N}]/u.test(String.fromCodePoint(lower));
}

const CLASSES: Readonly<Record<string, CharTest>> = { d: isDigit, w: isWordChar, s: isSpace };

function classEscape(char: string): CharTest | undefined {
  const test = CLASSES[char.toLowerCase()];
  if (test === undefined || char === char.toLowerCase()) return test;
  return (lower, upper) => !test(lower, upper);
}

const isBoundary: PlaceTest = (before, after) =>
  (before !== undefined && isWordChar(before)) !== (after !== undefined && isWordChar(after));
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function escapeAtom(reader: Reader, at: number): PatternNode {
  const char = reader.chars[reader.at];
  if (char === undefined) throw new PatternError('it ends in a single \\');
  reader.at += 1;
  if (char === 'b') return { kind: 'assert', test: isBoundary };
  if (char === 'B') return { kind: 'assert', test: (before, after) => !isBoundary(before, after) };
  return { kind: 'take', test: classEscape(char) ?? literal(escaped(char, at)) };
}

function escaped(char: string, at: number): string {
  const control = CONTROLS[char];
  if (control !== undefined) return control;
  if (!/^[A-Za-z0-9]$/.test(char)) return char;
  const known = '\\b \\B \\d \\D \\w \\W \\s \\S \\n \\t \\r';
  throw new PatternError(`\\${char} at ${at} is not known; known are ${known} and a \\ before a sign`);
}

function charClass(reader: Reader, at: number): CharTest {
  const isNegated = reader.chars[reader.at] === '^';
  if (isNegated) reader.at += 1;
  const tests: CharTest[] = [];
  for (let char = reader.chars[reader.at]; char !== ']'; char = reader.chars[reader.at]) {
    if (char === undefined) throw new PatternError(`the class at ${at} is not closed`);
    tests.push(classMember(reader, at));
  }
  reader.at += 1;
  if (tests.length === 0) throw new PatternError(`the class at ${at} is empty`);
  const isIn: CharTest = (lower, upper) => tests.some((test) => test(lower, upper));
  return isNegated ? (lower, upper) => !isIn(lower, upper) : isIn;
}

function classMember(reader: Reader, at: number): CharTest {
  const first = classChar(reader, at);
  if (typeof first === 'function') return first;
  const [dash, end] = [reader.chars[reader.at], reader.chars[reader.at + 1]];
  if (dash !== '-' || end === ']' || end === undefined) return literal(first);
  reader.at += 1;
  const last = classChar(reader, at);
  if (typeof last === 'function' || codeOf(last) < codeOf(first))
    throw new PatternError(`the class at ${at} has a range that does not go upwards`);
  const [from, to] = [codeOf(first), codeOf(last)];
  return (lower, upper) => (lower >= from && lower <= to) || (upper >= from && upper <= to);
}

function classChar(reader: Reader, at: number): string | CharTest {
  const char = reader.chars[reader.at] ?? '';
  reader.at += 1;
  if (char !== '\\') return char;
  const next = reader.chars[reader.at];
  if (next === undefined) throw new PatternError(`the class at ${at} is not closed`);
  reader.at += 1;
  return classEscape(next) ?? escaped(next, at);
}
