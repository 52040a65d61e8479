import type { FastifyRequest } from 'fastify';
import { explainedProviders } from '../explain/catalogue.ts';
import { MAX_TEXT_CHARACTERS } from '../explain/evidence.ts';
import { explain } from '../explain/explain.ts';
import { explanationView } from '../explain/view.ts';
import { invalidValue } from './problem.ts';

/** `GET /v1/explain?text=&provider=`: what an error means, who has to act, and what helps. Nothing of the text is kept. */
export function explainError({ query }: FastifyRequest) {
  const { text, provider } = query as Readonly<Record<string, unknown>>;
  if (typeof text !== 'string' || text.trim() === '') {
    throw invalidValue('text', 'is missing; send an error message, a code, a status or a pasted answer');
  }
  if (text.length > MAX_TEXT_CHARACTERS) {
    throw invalidValue('text', `has more than ${MAX_TEXT_CHARACTERS} characters; send the part that tells the error`);
  }
  if (provider !== undefined && (typeof provider !== 'string' || !explainedProviders().includes(provider))) {
    throw invalidValue('provider', `nobody of that name is known; it is one of ${explainedProviders().join(', ')}`);
  }
  return explanationView(explain(text, { provider }));
}
