import { type Event, foldGeneration, type Outcome } from '@onetake/core';
import type { AnyLive } from '../tasks/running.ts';

type Started = Extract<Event, { type: 'attempt-started' }>;

/** How the attempt began that this event of the generation is about. Runs number their attempts apart from each other. */
export function attemptOf(
  { journals }: Pick<AnyLive, 'journals'>,
  event: Event & { readonly attempt: number },
): Started | undefined {
  const journal = journals.length === 1 ? journals[0] : journals.find((events) => events.includes(event));
  return journal?.findLast((one): one is Started => one.type === 'attempt-started' && one.attempt === event.attempt);
}

/** How a generation ended; undefined while a run of it goes on. */
export function outcomeOf({ journals }: Pick<AnyLive, 'journals'>): Outcome | undefined {
  const [only = []] = journals;
  if (journals.length > 1) return foldGeneration(journals).outcome;
  const last = only.findLast(({ type }) => type === 'finished');
  return last?.type === 'finished' ? last.outcome : undefined;
}
