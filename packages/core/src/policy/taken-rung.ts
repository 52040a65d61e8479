import type { LaxerSetting, Rung } from './refusal-ladder.ts';
import type { PromptChange } from './rewrite.ts';

/** A rung of a route's ladder as a journal has it. */
export interface TakenRung {
  /** The refused attempt that it answers; the next one is made by it. */
  readonly attempt: number;
  readonly rung: Rung;
  /** Its place in the ladder, from 0. */
  readonly index: number;
  /** Who is asked next. */
  readonly target: string;
  readonly told: string;
  readonly setting?: LaxerSetting;
  readonly changes?: readonly PromptChange[];
  /** The chat model whose words are taken, where the local rules have none. */
  readonly by?: string;
  /** Its words, in place of the caller's. */
  readonly prompt?: string;
  /** The generation of chat that was paid for it. */
  readonly generation?: string;
  /** Why it came to nothing: no attempt is made by it, and the ladder goes on. */
  readonly failed?: string;
}
