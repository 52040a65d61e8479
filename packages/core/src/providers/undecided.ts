import type { Progress } from './provider.ts';

/** A submit whose answer names no job (`what`): one may be running, and may be paid for. */
export function withoutId(who: string, what: string): Progress {
  const message = `${who} answered without the id of a ${what}; it may be working on one`;
  return { kind: 'failed', failure: { kind: 'server', certainty: 'ambiguous', message } };
}
