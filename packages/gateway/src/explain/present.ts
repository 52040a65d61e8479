import { type Evidence, plainWords } from './evidence.ts';

const MAX_GAP_CHARACTERS = 80;
const HAN = /\p{Script=Han}/u;

/**
 * Whether words (as `Evidence.words`) hold a phrase: its parts in their order, each whole, with a gap of up to 80
 * characters where it has a `…`.
 */
export function hasPhrase(words: string, phrase: string): boolean {
  const parts = partsOf(phrase);
  const [first = ''] = parts;
  if (first === '') return false;
  for (let at = words.indexOf(first); at >= 0; at = words.indexOf(first, at + 1)) {
    if (areFollowing(words, parts, at + first.length)) return true;
  }
  return false;
}

function areFollowing(words: string, parts: readonly string[], from: number): boolean {
  let end = from;
  for (const part of parts.slice(1)) {
    // The space after one part is the space before the next.
    const gap = words.slice(end - 1, end + MAX_GAP_CHARACTERS + part.length).indexOf(part);
    if (gap < 0) return false;
    end += gap - 1 + part.length;
  }
  return true;
}

const known = new Map<string, readonly string[]>();

/** The parts with a space around each, but in Chinese, which has none between words. */
function partsOf(phrase: string): readonly string[] {
  const made = known.get(phrase);
  if (made !== undefined) return made;
  const parts = phrase
    .split('…')
    .map(plainWords)
    .map((part) => (HAN.test(part) ? part : ` ${part} `));
  known.set(phrase, parts);
  return parts;
}

/** How many words a phrase has; Chinese counts two characters as one. */
export function phraseWords(phrase: string): number {
  const plain = plainWords(phrase);
  return HAN.test(plain) ? Math.ceil(plain.length / 2) + 1 : plain.split(' ').length;
}

/** Fields whose values are codes. */
const CODE_FIELDS: readonly string[] =
  'code type name status reason error_type error title finishreason finish_reason blockreason failure_code __type exception_type'.split(
    ' ',
  );

const [OTHER_CASE, ALONE] = [0.5, 0.4];

/**
 * How surely a code is there, 0 to 1. One that is no word of a language counts anywhere; one that may be (`timeout`,
 * `Forbidden`) only in a field for codes, or, less, where the text is nothing else.
 */
export function codePresence(code: string, { names, lowerNames, fields, words }: Evidence): number {
  const lower = code.toLowerCase();
  if (code.includes(':')) return fields.has(lower) ? 1 : 0;
  if (isTelling(code)) return names.has(code) ? 1 : !isCased(code) && lowerNames.has(lower) ? OTHER_CASE : 0;
  if (CODE_FIELDS.some((field) => fields.has(`${field}:${lower}`))) return 1;
  return words === ` ${plainWords(code)} ` ? ALONE : 0;
}

function isTelling(code: string): boolean {
  return /[_\d-]/.test(code) || /[a-z][A-Z]/.test(code) || /^E[A-Z]{4,}$/.test(code);
}

/** Capitals alone: in lower case it may be a word. */
function isCased(code: string): boolean {
  return /^[A-Z]+$/.test(code);
}
