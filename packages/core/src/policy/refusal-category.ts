/** What a refusal, or a rule of ours, is about. `likeness` is rights: persons, characters, marks, works of others. */
export const REFUSAL_CATEGORIES = [
  'minors',
  'sexual',
  'violence',
  'hate',
  'self_harm',
  'likeness',
  'personal_data',
  'other',
] as const;

export type RefusalCategory = (typeof REFUSAL_CATEGORIES)[number];

/**
 * Refusals that nothing here works around: no laxer setting, no other words, no other target. They are clear, and what
 * they are about is not a matter of phrasing.
 */
export const FINAL_CATEGORIES: readonly RefusalCategory[] = ['minors', 'hate', 'self_harm'];
