import type { Failure } from './failure.ts';
import type { Outcome } from './journal.ts';

/** Shorter words are anybody's. */
const LEAST_CHARS = 4;
/** So much of them at its beginning is how they are known again, however a provider cut the rest off. */
const KNOWN_BY_CHARS = 16;
const CUT = '…';

/**
 * An outcome as others may be told of it: without the words of its request, which providers repeat in their errors. A
 * closed gate tells everybody whom it keeps out why it closed.
 */
export function outcomeForOthers(outcome: Outcome, words: readonly string[]): Outcome {
  if (outcome.ok) return outcome;
  const { failure } = outcome;
  const { message, code, param } = failure;
  const told: Failure = {
    ...failure,
    message: withoutWords(message, words),
    ...(code !== undefined && { code: withoutWords(code, words) }),
    ...(param !== undefined && { param: withoutWords(param, words) }),
  };
  return { ...outcome, failure: told };
}

/** A text with dots where these words, or the beginning of them, stand in it; unchanged where they do not. */
export function withoutWords(text: string, words: readonly string[]): string {
  return words.map(onOneLine).reduce(withoutOne, text);
}

function withoutOne(text: string, words: string): string {
  if (words.length < LEAST_CHARS) return text;
  const line = onOneLine(text);
  const known = words.slice(0, KNOWN_BY_CHARS);
  const kept: string[] = [];
  let from = 0;
  for (let at = line.indexOf(known); at >= 0; at = line.indexOf(known, from)) {
    let end = at + known.length;
    while (end < line.length && end - at < words.length && line[end] === words[end - at]) end += 1;
    kept.push(line.slice(from, at), CUT);
    from = end;
  }
  return from === 0 ? text : kept.join('') + line.slice(from);
}

/** Providers write what they repeat on one line. */
function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
