import { createHash } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '@onetake/core';

/** Fields that hold what a caller wrote, or what others made of it. */
const PROMPTS: ReadonlySet<string> = new Set([
  ...['prompt', 'negative_prompt', 'revised_prompt', 'excerpt', 'instructions', 'text', 'suggestion', 'rewritten'],
]);
/** All texts in these are a caller's, whatever their fields are called. */
const CALLERS: ReadonlySet<string> = new Set([
  'extra',
  'changes',
  'findings',
  'warnings',
  'suggestions',
  'rewrite',
  'source',
]);
/** Sentences of providers and of ours, which may quote what was asked for. */
const SENTENCES: ReadonlySet<string> = new Set([
  'message',
  'reason',
  'told',
  'failed',
  'detail',
  'matched',
  'classified_by',
]);

/** The same without any prompt: each is told by its length and its SHA-256, and its words are gone from all sentences. */
export function withoutPrompts(value: JsonObject): JsonObject {
  const prompts = [...new Set(promptsIn(value, false))];
  const masks = masksOf(prompts);
  const cleaned = cleanedValue(value, '', masks);
  return isObject(cleaned) ? cleaned : {};
}

function promptsIn(value: JsonValue | undefined, isCallers: boolean): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one: JsonValue) => promptsIn(one, isCallers));
  if (isObject(value))
    return Object.entries(value).flatMap(([key, one]) =>
      promptsIn(one, isCallers || PROMPTS.has(key) || CALLERS.has(key)),
    );
  return isCallers && typeof value === 'string' && value !== '' ? [value] : [];
}

interface Masks {
  /** The longest first, so that none is cut by a shorter one. */
  readonly whole: readonly string[];
  /** In lower case. */
  readonly words: ReadonlySet<string>;
  /** Neighbours in scripts that set no spaces. */
  readonly pairs: ReadonlySet<string>;
}

/** Shorter ones stand in every sentence. */
const MIN_WHOLE_CHARACTERS = 4;
const MIN_WORD_CHARACTERS = 3;
/** They give nothing away, and sentences are hard to read without them. */
const COMMON = new Set(
  `the and for with not this that you your was were are has have had its from but all any can may our one two out
  into onto over under than then when what which who will would too also only been being does did`.split(/\s+/),
);
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]+/gu;

function masksOf(prompts: readonly string[]): Masks {
  const text = prompts.join('\n');
  const words = (text.toLowerCase().match(WORD) ?? []).filter(
    (word) => word.length >= MIN_WORD_CHARACTERS && !COMMON.has(word),
  );
  const pairs = (text.match(UNSPACED) ?? []).flatMap(pairsOf);
  return {
    whole: prompts.filter(({ length }) => length >= MIN_WHOLE_CHARACTERS).toSorted((a, b) => b.length - a.length),
    words: new Set(words),
    pairs: new Set(pairs),
  };
}

function pairsOf(run: string): readonly string[] {
  const characters = [...run];
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function cleanedValue(value: JsonValue | undefined, key: string, masks: Masks): JsonValue {
  if (Array.isArray(value)) return value.map((one: JsonValue) => cleanedValue(one, key, masks));
  if (isObject(value)) {
    const isCallers = CALLERS.has(key);
    const entries = Object.entries(value).map(([name, one]) => [
      name,
      cleanedValue(one, isCallers ? key : name, masks),
    ]);
    return Object.fromEntries(entries);
  }
  if (typeof value !== 'string') return value ?? null;
  if (PROMPTS.has(key) || CALLERS.has(key)) return value === '' ? value : digestOf(value);
  const left = masks.whole.reduce((text, prompt) => text.replaceAll(prompt, `[${prompt.length} characters]`), value);
  return SENTENCES.has(key) ? withoutWords(left, masks) : left;
}

function digestOf(prompt: string): JsonObject {
  return { characters: prompt.length, sha256: createHash('sha256').update(prompt).digest('hex') };
}

function withoutWords(text: string, { words, pairs }: Masks): string {
  const spaced = text.replace(WORD, (word) => (words.has(word.toLowerCase()) ? '[…]' : word));
  return spaced.replace(UNSPACED, (run) => (pairsOf(run).some((pair) => pairs.has(pair)) ? '[…]' : run));
}
