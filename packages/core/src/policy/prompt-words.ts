/** A word of a text: letters with their marks and digits, of any script; compared in lower case and compatibility form. */
export interface Word {
  readonly text: string;
  /** UTF-16 offsets; `end` is behind the last. */
  readonly start: number;
  readonly end: number;
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

export function wordsOf(text: string): readonly Word[] {
  return [...text.matchAll(WORD)].map(({ 0: word, index }) => ({
    text: normalWord(word),
    start: index,
    end: index + word.length,
  }));
}

function normalWord(word: string): string {
  return /^[a-z0-9]+$/.test(word) ? word : word.normalize('NFKC').toLowerCase();
}

/** Between the words of a term: blanks, hyphens, apostrophes. A comma or a full stop ends it. */
const JOINT = /^[\s\-_'’‐‑–]{1,3}$/;

/** Scripts that put no blanks between words, so that a term is found anywhere. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

export const MAX_TERM_WORDS = 8;

/** Terms by their words, so that a prompt is read once however many there are. */
export interface TermIndex<Of> {
  /** Words joined by a blank, and what they stand for. */
  readonly phrases: ReadonlyMap<string, readonly Of[]>;
  /** Of each first word, how many words the terms have that begin with it. */
  readonly lengths: ReadonlyMap<string, ReadonlySet<number>>;
  /** In lower case. */
  readonly unspaced: readonly { readonly text: string; readonly of: Of }[];
}

/** A term of more than eight words is never found: who reads rules refuses it. */
export function indexTerms<Of>(terms: readonly { readonly term: string; readonly of: Of }[]): TermIndex<Of> {
  const phrases = new Map<string, Of[]>();
  const lengths = new Map<string, Set<number>>();
  const unspaced: { text: string; of: Of }[] = [];
  for (const { term, of } of terms) {
    const words = wordsOf(term).map(({ text }) => text);
    const [first] = words;
    if (first === undefined || words.length > MAX_TERM_WORDS) continue;
    if (UNSPACED.test(term)) unspaced.push({ text: term.normalize('NFKC').toLowerCase(), of });
    else {
      const phrase = words.join(' ');
      phrases.set(phrase, [...(phrases.get(phrase) ?? []), of]);
      lengths.set(first, (lengths.get(first) ?? new Set()).add(words.length));
    }
  }
  return { phrases, lengths, unspaced };
}

export interface TermMatch<Of> {
  /** UTF-16 offsets; `end` is behind the last. */
  readonly start: number;
  readonly end: number;
  readonly of: Of;
}

/** Of what stands in a text over and over, these many are enough. */
const MAX_MATCHES_EACH = 10;

/**
 * Where the terms stand as whole words, in the order of the text; of those that begin at one place the longest first.
 * Time is the length of the text, not of the list.
 */
export function findTerms<Of>(text: string, index: TermIndex<Of>): readonly TermMatch<Of>[] {
  const words = wordsOf(text);
  const counts = new Map<Of, number>();
  const matches: TermMatch<Of>[] = [];
  for (const [at, { text: first, start }] of words.entries()) {
    for (const length of index.lengths.get(first) ?? []) {
      const { phrase, end } = phraseAt(text, words, at, length);
      for (const of of index.phrases.get(phrase) ?? []) {
        const count = counts.get(of) ?? 0;
        counts.set(of, count + 1);
        if (count < MAX_MATCHES_EACH) matches.push({ start, end, of });
      }
    }
  }
  return [...matches, ...findUnspaced(text, index)].toSorted((a, b) => a.start - b.start || b.end - a.end);
}

/** The words from here on; `phrase` is empty where something other than a joint stands between them. */
function phraseAt(text: string, words: readonly Word[], at: number, length: number) {
  const found = words.slice(at, at + length);
  const isJoined = found.every((word, index) => {
    const before = found[index - 1];
    return before === undefined || JOINT.test(text.slice(before.end, word.start));
  });
  const isWhole = isJoined && found.length === length;
  return { phrase: isWhole ? found.map((word) => word.text).join(' ') : '', end: found.at(-1)?.end ?? 0 };
}

function findUnspaced<Of>(text: string, { unspaced }: TermIndex<Of>): readonly TermMatch<Of>[] {
  const lower = text.toLowerCase();
  // Where lower case changes the length, offsets would be wrong.
  const searched = lower.length === text.length ? lower : text;
  return unspaced.flatMap(({ text: term, of }) => {
    const start = searched.indexOf(term);
    return start < 0 ? [] : [{ start, end: start + term.length, of }];
  });
}
