import {
  type ChatPlan,
  type Event,
  estimatedUsage,
  type Failure,
  foldRun,
  type Io,
  type Outcome,
  openAttempt,
} from '@onetake/core';
import type { Store, StoredGeneration } from '../store/store.ts';
import { summaryOf } from '../tasks/journal.ts';
import { createLive } from '../tasks/live.ts';
import type { AnyLive } from '../tasks/running.ts';

export interface InterruptedOptions {
  readonly store: Pick<Store, 'append'>;
  readonly io: Pick<Io, 'now'>;
  /** One could not be closed; it is tried again when the lease has ended. */
  readonly onInterruptedError: (error: unknown) => void;
  /** One is about to be told as ended, durably: for whoever watches what happens here. */
  readonly onInterrupted?: (live: AnyLive) => void;
}

/**
 * Ends answers of chat whose process is gone: their callers' connections went with it, so nothing is sent again.
 * `worker` holds their leases.
 */
export function endAllInterrupted(
  chats: readonly StoredGeneration<ChatPlan>[],
  worker: string,
  { store, io, onInterruptedError, onInterrupted }: InterruptedOptions,
): void {
  for (const stored of chats) {
    const [events = []] = stored.journals;
    const added = endOf(events, stored.plan, io.now());
    const fence = { generation: stored.id, run: 0, length: events.length, worker };
    const told = () => {
      const live = createLive({ ...stored, joined: false, unsentGraceMs: 0, now: io.now });
      onInterrupted?.(live);
      live.record(0, added);
    };
    store
      .append(fence, added, summaryOf(stored, [[...events, ...added]]))
      .then(told)
      .catch(onInterruptedError);
  }
}

/** What is appended to the journal of an answer that nobody goes on with: `because` of that, or of the process that is gone. */
export function endOf(events: readonly Event[], { chat }: ChatPlan, at: number, because?: Failure): readonly Event[] {
  const run = foldRun(events);
  if (run.finished) return [];
  const open = openAttempt(run);
  const last = run.attempts.at(-1)?.outcome;
  if (open === undefined) return [{ type: 'finished', at, outcome: last ?? { ok: false, failure: because ?? UNSENT } }];
  const message = `the gateway stopped while ${open.target} was ${run.answerBegun ? 'answering' : 'asked'}; the caller's connection went with it, and nothing is sent again`;
  const failure: Failure = {
    ...(because ?? { kind: 'interrupted', message }),
    certainty: open.free ? 'rejected' : 'ambiguous',
  };
  const outcome: Outcome = { ok: false, failure, usage: estimatedUsage(chat, { bytes: 0, events: 0 }) };
  return [
    { type: 'attempt-ended', at, attempt: open.attempt, outcome },
    { type: 'finished', at, outcome },
  ];
}

const UNSENT: Failure = {
  kind: 'interrupted',
  certainty: 'not_sent',
  message: 'the gateway stopped before anything of it was sent',
};
