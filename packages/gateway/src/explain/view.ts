import type { Explanation } from './explain.ts';

/** An explanation as JSON: each entry as the catalogue has it, with how surely and by what it was recognised. */
export function explanationView({ known, found, general }: Explanation) {
  return {
    object: 'explanation',
    known,
    data: found.map(({ entry: { match: _, ...entry }, confidence, matched }) => ({ ...entry, confidence, matched })),
    general: general ?? null,
  };
}
