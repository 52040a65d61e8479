import type { RuleName, Severity } from './rules.ts';

/** What a rule found of one subject at one instant. */
export interface Reading {
  readonly rule: RuleName;
  /** The target, key or place it is about; empty where it is about all. */
  readonly subject: string;
  readonly value: number;
  /** The gravest level it has come to, or the first where it has come to none. */
  readonly threshold: number;
  readonly isOver: boolean;
  readonly severity: Severity;
  /** One sentence, with nothing of a prompt or a key in it. */
  readonly message: string;
}

/** One that is over, as it is kept. */
export type OverReading = Omit<Reading, 'isOver'>;
