import type { FailureKind } from '@onetake/core';
import type { Evidence } from './evidence.ts';
import words from './kind-words.json' with { type: 'json' };
import { hasPhrase } from './present.ts';

/** In the order in which they are asked. */
const KIND_WORDS = Object.entries(words) as readonly (readonly [FailureKind, readonly string[]])[];

/** The class that the words of an unknown error speak of; undefined where they speak of none. */
export function kindOfWords({ words: told }: Evidence): FailureKind | undefined {
  return KIND_WORDS.find(([, phrases]) => phrases.some((phrase) => hasPhrase(told, phrase)))?.[0];
}
