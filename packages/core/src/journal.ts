import type { Clock, Failure, FailureKind } from './failure.ts';
import type { Asset } from './images/asset.ts';
import type { JsonObject } from './json.ts';
import type { TakenRung } from './policy/taken-rung.ts';
import type { Handle, Resolved, Stage } from './providers/provider.ts';
import type { Suspicion } from './suspects.ts';

/** One picture of a finished run. */
export interface GeneratedImage {
  readonly asset: Asset;
  /** What its provider made, where that was of another format than asked for and converted. */
  readonly original?: Asset;
  /** How many pictures it shows side by side, where it is a grid. */
  readonly pictures?: number;
  /** Its (first) place among its job's pictures, from 1, where one before it is missing. */
  readonly place?: number;
  readonly seed?: number;
  readonly revisedPrompt?: string;
  /** What its provider marked it as, such as `nsfw`. */
  readonly flagged?: string;
  /** Reasons to doubt that it is the picture that was asked for; absent where none was found. */
  readonly suspect?: readonly Suspicion[];
  readonly resolved?: Resolved;
}

export type Outcome =
  | {
      readonly ok: true;
      readonly images: readonly GeneratedImage[];
      readonly missing?: readonly Failure[];
      readonly usage?: JsonObject;
      /** What the provider itself said that it cost, US dollars. */
      readonly costUsd?: number;
    }
  | {
      readonly ok: false;
      readonly failure: Failure;
      /** Why each picture is missing, where the provider made several that cannot be used. */
      readonly missing?: readonly Failure[];
      /** How many pictures are missing for this reason, where the run was for more than one. */
      readonly pictures?: number;
      /** What was used up all the same, as far as it is known or estimated: an answer of chat that broke off. */
      readonly usage?: JsonObject;
      /** The provider's own error was the last event of the stream that went out: its caller is not told again. */
      readonly told?: true;
    };

/** Why each picture that was asked for and not made is missing. */
export function missingOf(outcome: Outcome): readonly Failure[] {
  if (outcome.missing || outcome.ok) return outcome.missing ?? [];
  return Array.from({ length: outcome.pictures ?? 1 }, () => outcome.failure);
}

/** Of several failures the one about money speaks for all: a possible charge must not be taken for none. */
export function gravest(failures: readonly Failure[], first: Failure): Failure {
  const order = ['ambiguous', 'completed', 'failed'] as const;
  for (const certainty of order) {
    const found = failures.find((failure) => failure.certainty === certainty);
    if (found) return found;
  }
  return first;
}

/** Milliseconds spent in each stage of an attempt; absent where it was not reached. */
export interface Timing {
  readonly connectMs?: number;
  readonly firstByteMs?: number;
  readonly bodyMs?: number;
  /** Pictures checked to their end, looked at and stored; not the time in which they were fetched by their links. */
  readonly verifyMs?: number;
}

/**
 * What happened to a run, in order. `at` is epoch ms. `attempt-started` is appended, and durable, before the first
 * byte is sent; a journal that ends in it means *maybe submitted*.
 */
export type Event =
  | {
      readonly type: 'attempt-started';
      readonly at: number;
      readonly attempt: number;
      readonly target: string;
      /** Which key or host of a pool it went with; absent where the target has one. */
      readonly credential?: string;
      /** Its target bills nothing. */
      readonly free?: true;
    }
  | {
      readonly type: 'handle-received';
      readonly at: number;
      readonly attempt: number;
      readonly handle: Handle;
      readonly pollAt: number;
      readonly progress?: number;
      readonly stage?: Stage;
    }
  | {
      readonly type: 'polled';
      readonly at: number;
      readonly attempt: number;
      readonly pollAt: number;
      /** Where the next look needs another than before. */
      readonly handle?: Handle;
      readonly progress?: number;
      readonly stage?: Stage;
      readonly failure?: Failure;
    }
  | {
      readonly type: 'partial-sent';
      readonly at: number;
      readonly attempt: number;
      readonly index: number;
      readonly asset: Asset;
      readonly event: JsonObject;
    }
  /** Of chat: the first content went to the caller, so nothing is tried any more. */
  | { readonly type: 'answer-begun'; readonly at: number; readonly attempt: number; readonly firstContentMs: number }
  /** The caller's mask told as the target reads masks: what it is sent in its place. */
  | {
      readonly type: 'mask-converted';
      readonly at: number;
      readonly attempt: number;
      readonly mark: 'white' | 'black';
      readonly asset: Asset;
    }
  | {
      readonly type: 'clock-fired';
      readonly at: number;
      readonly attempt: number;
      readonly clock: Clock;
      readonly failure: Failure;
    }
  | {
      readonly type: 'attempt-ended';
      readonly at: number;
      readonly attempt: number;
      readonly outcome: Outcome;
      readonly status?: number;
      readonly requestId?: string;
      /** What the answer's headers said of it: by an allow-list, redacted, at most 1,024 characters together. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly timing?: Timing;
    }
  | {
      readonly type: 'target-skipped';
      readonly at: number;
      readonly target: string;
      readonly reason: string;
      /** Of the reason; absent in journals from before it was noted. */
      readonly kind?: FailureKind;
    }
  | {
      readonly type: 'waiting';
      readonly at: number;
      readonly target: string;
      readonly until: number;
      readonly reason: string;
    }
  /** After a refusal the route's ladder goes on. */
  | ({ readonly type: 'rung-taken'; readonly at: number } & TakenRung)
  | { readonly type: 'finished'; readonly at: number; readonly outcome: Outcome };

export interface Attempt {
  readonly attempt: number;
  readonly target: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly outcome?: Outcome;
  readonly credential?: string;
  /** Its target bills nothing. */
  readonly free?: true;
  readonly handle?: Handle;
  readonly pollAt?: number;
  /** When it was last heard to have come further. */
  readonly movedAt?: number;
  /** Looks at it that failed since the last one that did not; this process's own. */
  readonly missed?: { readonly since: number; readonly looks: number; readonly failure: Failure } | undefined;
  /** 0 to 100, as the provider last told it. */
  readonly progress?: number;
  readonly stage?: Stage;
  /** What went wrong with the last look at it that is journaled. */
  readonly pollFailure?: Failure['kind'];
  /** The clock that ended the caller's wait while the attempt stayed open for its late answer. */
  readonly overdue?: Failure;
  /** The provider's own HTTP status and request id of the exchange that ended it. */
  readonly status?: number;
  readonly requestId?: string;
}

/** The fold of a journal: all that `decide` may know of the past. */
export interface Run {
  readonly length: number;
  readonly attempts: readonly Attempt[];
  readonly partialSent: boolean;
  /** Content of a last attempt went to the caller: a second answer must not be glued on. */
  readonly answerBegun?: true;
  /** What was tried after refusals; absent where nothing was. */
  readonly rungs?: readonly TakenRung[];
  /** Why the first target that was skipped was. */
  readonly skippedFor?: FailureKind;
  readonly finished?: Outcome;
  readonly finishedAt?: number;
}

export const EMPTY_RUN: Run = { length: 0, attempts: [], partialSent: false };

export function foldRun(events: readonly Event[], from: Run = EMPTY_RUN): Run {
  return events.reduce(foldEvent, from);
}

function foldEvent(run: Run, event: Event): Run {
  const next = { ...run, length: run.length + 1 };
  switch (event.type) {
    case 'attempt-started':
      return {
        ...next,
        attempts: [...run.attempts, startedAttempt(event)],
      };
    case 'handle-received':
      return amendAttempt(next, event.attempt, { handle: event.handle, movedAt: event.at, ...toldOfJob(event) });
    case 'polled':
      return amendAttempt(next, event.attempt, {
        ...toldOfJob(event),
        ...(event.handle && { handle: event.handle }),
        ...(event.failure ? { pollFailure: event.failure.kind } : { movedAt: event.at }),
      });
    case 'clock-fired':
      return amendAttempt(next, event.attempt, { overdue: event.failure });
    case 'attempt-ended': {
      const { status, requestId } = event;
      const told = { ...(status !== undefined && { status }), ...(requestId !== undefined && { requestId }) };
      return amendAttempt(next, event.attempt, { endedAt: event.at, outcome: event.outcome, ...told });
    }
    case 'partial-sent':
      return { ...next, partialSent: true };
    case 'answer-begun':
      return { ...next, answerBegun: true };
    case 'target-skipped':
      return run.skippedFor === undefined && event.kind ? { ...next, skippedFor: event.kind } : next;
    case 'rung-taken': {
      const { type: _type, at: _at, ...taken } = event;
      return { ...next, rungs: [...(run.rungs ?? []), taken] };
    }
    case 'finished':
      return { ...next, finished: event.outcome, finishedAt: event.at };
    case 'mask-converted':
    case 'waiting':
      return next;
  }
}

function startedAttempt({
  attempt,
  target,
  at,
  credential,
  free,
}: Extract<Event, { type: 'attempt-started' }>): Attempt {
  const told = { ...(credential !== undefined && { credential }), ...(free && { free }) };
  return { attempt, target, startedAt: at, ...told };
}

function toldOfJob({ pollAt, progress, stage }: Extract<Event, { type: 'handle-received' | 'polled' }>) {
  return { pollAt, ...(progress !== undefined && { progress }), ...(stage !== undefined && { stage }) };
}

/** The run with one of its attempts changed. */
export function amendAttempt(run: Run, attempt: number, change: Partial<Attempt>): Run {
  return { ...run, attempts: run.attempts.map((one) => (one.attempt === attempt ? { ...one, ...change } : one)) };
}

/** The attempt that was sent and has no verdict yet; at most one per run, because a hedge would buy two. */
export function openAttempt(run: Run): Attempt | undefined {
  const last = run.attempts.at(-1);
  return last !== undefined && last.outcome === undefined ? last : undefined;
}

/** Attempts the provider may bill: everything but what provably did no work, or was made where nothing is billed. */
export function paidAttempts(run: Run): number {
  return run.attempts.filter((one) => {
    if (one.free) return false;
    if (one.outcome === undefined || one.outcome.ok) return true;
    return one.outcome.failure.certainty !== 'not_sent' && one.outcome.failure.certainty !== 'rejected';
  }).length;
}

/** What the journal's owner offers a run: what happened so far, and a durable way to add to it. */
export interface Journal {
  readonly events: readonly Event[];
  /** Resolves when the events are durable; rejects when somebody else owns the run now. */
  append(events: readonly Event[]): Promise<void>;
}
