import type { Adaptation, Capabilities } from '../capabilities.ts';
import list from '../data/negative-prompt.json' with { type: 'json' };
import type { ImageRequest } from '../request.ts';
import { findTerms, indexTerms } from './prompt-words.ts';

/** What ships; a route switches it on with `negative_prompt: default`. */
export const DEFAULT_NEGATIVE: readonly string[] = list.terms;

/** What a joined negative prompt may measure; the caller's own words are never cut. */
const MAX_JOINED_CHARS = 1_000;

export interface WithNegative {
  /** The same object where nothing is added. */
  readonly request: ImageRequest;
  readonly adaptations: readonly Adaptation[];
}

/**
 * The request with the default list as its negative prompt, for a model that has one. The caller's words stay in front
 * and the list is joined to them, without what they say already; `""` from the caller means none, not even the list.
 * A word that the prompt itself asks for, such as `blurry` in "a blurry background", is left out.
 */
export function withDefaultNegative(
  request: ImageRequest,
  capabilities: Capabilities | undefined,
  terms: readonly string[] = DEFAULT_NEGATIVE,
): WithNegative {
  const { operation, prompt, negativePrompt } = request;
  const isDrawn = operation === 'generate' || operation === 'edit';
  if (!capabilities?.negativePrompt || !isDrawn || negativePrompt?.trim() === '') return { request, adaptations: [] };
  const own = negativePrompt ?? '';
  const index = indexTerms(terms.map((term) => ({ term, of: term })));
  const asked = findTerms(prompt, index).filter(
    ({ start }) => !UNWANTED.test(prompt.slice(Math.max(0, start - 30), start)),
  );
  const said = new Set([...asked, ...findTerms(own, index)].map(({ of }) => of));
  const added = fitting(
    own,
    terms.filter((term) => !said.has(term)),
  );
  if (added.length === 0) return { request, adaptations: [] };
  const joined = [...(own === '' ? [] : [own]), ...added].join(', ');
  const adaptation: Adaptation = {
    field: 'negative_prompt',
    action: 'mapped',
    ...(own !== '' && { from: own.slice(0, MAX_SHOWN_CHARS) }),
    to: joined.slice(0, MAX_SHOWN_CHARS),
    reason: 'the default list of this route is added',
  };
  return { request: { ...request, negativePrompt: joined }, adaptations: [adaptation] };
}

const MAX_SHOWN_CHARS = 200;

/** Before a word: it is what the prompt does not want either. */
const UNWANTED = /\b(?:no|not|never|without|avoid|free of)\s+(?:any\s+|an?\s+)?$/i;

function fitting(own: string, terms: readonly string[]): readonly string[] {
  let chars = own.length;
  return terms.filter((term) => {
    chars += term.length + 2;
    return chars <= MAX_JOINED_CHARS;
  });
}
