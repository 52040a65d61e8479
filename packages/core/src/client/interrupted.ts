import type { Outcome } from '../journal.ts';
import { PARKED } from '../loop.ts';
import { messageOf } from '../message-of.ts';

/** Whatever is thrown in the middle of a run, the caller is told that nobody knows how it ended. */
export function brokenOff(error: unknown): Outcome & { ok: false } {
  return interrupted(`the run broke off here: ${messageOf(error)}`);
}

/** What is told of a run that did not come to its end. */
export const UNFINISHED: Outcome & { ok: false } = interrupted(`the run was ${String(PARKED.description)}`);

function interrupted(message: string): Outcome & { ok: false } {
  return { ok: false, failure: { kind: 'interrupted', certainty: 'ambiguous', message } };
}
