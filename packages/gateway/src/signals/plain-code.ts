const PLAIN = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;

/** What stands for a code that is none. */
export const UNTOLD = 'other';

/** An error's code for metrics, traces and logs: a provider names its own, and what is a sentence may quote anything. */
export function plainCode(code: string): string {
  return PLAIN.test(code) ? code : UNTOLD;
}
