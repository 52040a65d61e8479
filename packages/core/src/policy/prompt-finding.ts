import type { RefusalCategory } from './refusal-category.ts';

/** What is wrong with a prompt, or worth a word about it, before anything is sent. Plain data. */
export interface PromptFinding {
  /** The rule's id; those of Onetake itself begin with `prompt-`. */
  readonly rule: string;
  readonly field: 'prompt';
  /** The piece at fault, shortened and without keys. */
  readonly value: string;
  /** Field, value, rule and the way out in one line. */
  readonly message: string;
  readonly wayOut: string;
  readonly suggestion?: string;
  readonly category?: RefusalCategory;
  readonly action: 'refuse' | 'warn';
}
