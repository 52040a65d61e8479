import { plainWords } from './evidence.ts';
import type { KnownError } from './known-error.ts';

const MAX_QUERY_WORDS = 64;
const MAX_WORD_CHARACTERS = 24;

/** How much of a phrase has to be there for its entry to be near. */
const MIN_COVERED = 0.55;

export interface Near {
  readonly entry: KnownError;
  /** 0 to 1: how much of the entry's nearest phrase the text has, weighed by how rare its words are. */
  readonly covered: number;
}

/** The entries whose phrases share most with a text, in any order and with typing errors; nearest first, at most `count`. */
export function nearestEntries(text: string, entries: readonly KnownError[], count: number): readonly Near[] {
  const phrases = entries.flatMap((entry) => phrasesOf(entry).map((words) => ({ entry, words })));
  const rarity = raritiesOf(phrases.map(({ words }) => words));
  const query = [...new Set(plainWords(text).split(' '))].filter((word) => word !== '').slice(0, MAX_QUERY_WORDS);
  const present = new Map([...rarity.keys()].map((word) => [word, presenceOf(word, query)] as const));
  const best = new Map<KnownError, Near & { readonly weight: number }>();
  for (const { entry, words } of phrases) {
    const whole = sum(words, (word) => rarity.get(word) ?? 0);
    const weight = sum(words, (word) => (rarity.get(word) ?? 0) * (present.get(word) ?? 0));
    const hits = words.filter((word) => (present.get(word) ?? 0) > 0).length;
    const covered = whole === 0 ? 0 : weight / whole;
    if (covered < MIN_COVERED || hits < 2) continue;
    if (weight * covered > (best.get(entry)?.weight ?? 0))
      best.set(entry, { entry, covered, weight: weight * covered });
  }
  return [...best.values()]
    .toSorted((a, b) => b.weight - a.weight)
    .slice(0, count)
    .map(({ entry, covered }) => ({ entry, covered }));
}

function phrasesOf({ match, title }: KnownError): readonly (readonly string[])[] {
  const spelled = match.codes.map((code) => code.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' '));
  return [title, ...match.phrases, ...spelled].map((one) => [...new Set(plainWords(one).split(' '))]);
}

/** A word that stands in many phrases tells little. */
function raritiesOf(phrases: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const words of phrases) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return new Map([...counts].map(([word, count]) => [word, Math.log(1 + phrases.length / count)]));
}

/** 1 where a word is there, less where one is that differs in a letter or two, 0 where none is. */
function presenceOf(word: string, query: readonly string[]): number {
  if (query.includes(word)) return 1;
  const allowed = word.length >= 8 ? 2 : word.length >= 5 ? 1 : 0;
  if (allowed === 0 || word.length > MAX_WORD_CHARACTERS) return 0;
  return query.some((one) => isWithin(one, word, allowed)) ? 0.8 : 0;
}

/** Whether `a` becomes `b` by so many letters put in, left out, changed, or two neighbours swapped. */
function isWithin(a: string, b: string, allowed: number): boolean {
  if (Math.abs(a.length - b.length) > allowed) return false;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? 0) + 1 : changed;
      next.push(Math.min(changed, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > allowed) return false;
    [before, row] = [row, next];
  }
  return (row[b.length] ?? 0) <= allowed;
}

function sum(words: readonly string[], weigh: (word: string) => number): number {
  return words.reduce((total, word) => total + weigh(word), 0);
}
