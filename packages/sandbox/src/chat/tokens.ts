import { createHash } from 'node:crypto';

const CHARACTERS_PER_TOKEN = 4;
const PICTURE_TOKENS = 85;
const PIECE = /\s*[^\s]{1,8}|\s+$/gu;
const WORDS = (
  'the a clear quiet bright small river market garden window paper number story morning answer reason ' +
  'keeps moves opens carries follows returns holds shows turns grows over under near beyond with without slowly ' +
  'early often always plain warm blue open simple other second every long'
).split(' ');
const WORDS_PER_SENTENCE = 9;
const MOST_ECHOED_PIECES = 14;

/** What goes in: a token for four characters, and a constant for each picture. */
export function countTokens(text: string, pictures = 0): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN) + pictures * PICTURE_TOKENS;
}

/** A text as pieces of one token each; together they are the text. */
export function piecesOf(text: string): readonly string[] {
  return text.match(PIECE) ?? [];
}

/** An endless text, the same for the same seed: what was said is repeated, then a continuation follows. */
export function endlessText(model: string, said: string, choice: number): (index: number) => string {
  const echo = piecesOf(said.trim().replaceAll(/\s+/gu, ' ')).slice(0, MOST_ECHOED_PIECES);
  const opening = ['You', ' said', ': "', ...echo, '".'];
  const seed = createHash('sha256').update(`${model}\n${said}\n${choice}`).digest().readUInt32LE();
  return (index) => opening[index] ?? wordAt(seed, index - opening.length);
}

function wordAt(seed: number, index: number): string {
  const place = index % WORDS_PER_SENTENCE;
  const word = WORDS[mixed(seed + index) % WORDS.length] ?? 'the';
  const start = place === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word;
  return ` ${start}${place === WORDS_PER_SENTENCE - 1 ? '.' : ''}`;
}

/** A whole number that looks random and is the same for the same one. */
function mixed(number: number): number {
  let hash = Math.imul(number ^ (number >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const CACHED_FROM_TOKENS = 1024;
const STEP_TOKENS = 128;
const MAX_STEPS = 2000;
const MAX_PREFIXES = 20_000;

/** What beginnings of inputs were seen before, as OpenAI caches them: from 1024 tokens on, in steps of 128. */
export interface PromptCache {
  /** How many tokens of the input were remembered under this name before; `remember` keeps all of it from now on. */
  look(name: string, input: string): { readonly tokens: number; remember(): void };
}

export function createPromptCache(): PromptCache {
  const seen = new Set<string>();
  return {
    look(name, input) {
      const beginnings = beginningsOf(name, input);
      const remember = () => {
        for (const { hash } of beginnings) {
          seen.delete(hash);
          seen.add(hash);
        }
        for (const oldest of seen) {
          if (seen.size <= MAX_PREFIXES) break;
          seen.delete(oldest);
        }
      };
      return { tokens: beginnings.findLast(({ hash }) => seen.has(hash))?.tokens ?? 0, remember };
    },
  };
}

/** The beginnings of an input that are long enough to be cached, shortest first; each hash goes on from the one before. */
function beginningsOf(name: string, input: string): readonly { readonly tokens: number; readonly hash: string }[] {
  const steps = Math.min(MAX_STEPS, Math.floor(countTokens(input) / STEP_TOKENS));
  if (steps * STEP_TOKENS < CACHED_FROM_TOKENS) return [];
  const width = STEP_TOKENS * CHARACTERS_PER_TOKEN;
  let hash = name;
  const all = Array.from({ length: steps }, (_, step) => {
    const part = input.slice(step * width, (step + 1) * width);
    hash = createHash('sha1').update(hash).update(part).digest('base64');
    return { tokens: (step + 1) * STEP_TOKENS, hash };
  });
  return all.filter(({ tokens }) => tokens >= CACHED_FROM_TOKENS);
}
