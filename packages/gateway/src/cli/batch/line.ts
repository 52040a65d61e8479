import type { JsonObject } from '@onetake/core';

/** What is wrong with a line before anything is sent. */
export interface LineProblem {
  /** As the gateway's error codes. */
  readonly code: string;
  /** Names the field, the value, the rule and the way out. */
  readonly message: string;
}

/** One line of a batch: the fields of a request, as far as the line itself says them. */
export interface InputLine {
  /** Where it begins in the file, from 1. */
  readonly line: number;
  /** What could not be read stands under `unread`. */
  readonly input: JsonObject;
  readonly problem?: LineProblem;
}
