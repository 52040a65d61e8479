import { settled } from './attempt.ts';
import { failureOf } from './classify.ts';
import {
  type AttemptWork,
  type Clocks,
  type Conversation,
  contextOf,
  converse,
  ended,
  noConnection,
  noHost,
  unexpected,
} from './conversation.ts';
import { connectionAt } from './environment.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest } from './http.ts';
import type { Attempt, Event } from './journal.ts';
import type { StillWaiting } from './modality.ts';
import type { CancelCall, Handle, Progress } from './providers/provider.ts';

/** Looks a submitted job up once. What goes wrong in between is not the job's end: the next poll is later. */
export async function pollAttempt(work: AttemptWork, attempt: Attempt): Promise<Event | StillWaiting> {
  const { handle, startedAt } = attempt;
  const connection = work.environment.connection(work.target.provider);
  const poll = connection?.provider.image?.poll;
  if (connection === undefined || poll === undefined || handle === undefined) {
    return ended(work, { ok: false, failure: lostJob(work, noConnection(work.target)) });
  }
  if (connectionAt(connection, work.credential) === undefined)
    return ended(work, { ok: false, failure: lostJob(work, noHost(work)) });
  return converse<StillWaiting>(work, connection, async (call) => {
    const context = contextOf(work, call.connection);
    const look = built(() => poll.build(handle, context));
    if ('failure' in look) return ended(work, { ok: false, failure: lostJob(work, look.failure) });
    const done = await call.send(look.request, pollClocks(work));
    const now = work.environment.io.now();
    const isLost = work.target.free || hasBeenUnknown(attempt, now);
    if (!done.ok) return stillWaiting(work, now, done.failure);
    const verdict = poll.verdict?.(done.response, handle);
    if (verdict) return concluded(await settled(call, { kind: 'failed', failure: verdict }, done), work, isLost);
    const failure = failureOf(connection.provider, done.response, now);
    if (failure?.kind === 'not_found' && isLost)
      return ended(work, { ok: false, failure: lostJob(work, failure) }, done);
    // Only a whole look tells of the job, and only where it holds the job; a look that failed tells of itself.
    const looked = done.response.status >= 200 && done.response.status < 300;
    const progress = poll.parse(done.response, handle, context);
    const isEnd = looked && failure?.certainty === 'failed' && progress.kind !== 'waiting';
    if (failure && !isEnd) return stillWaiting(work, now, failure);
    if (failure) return ended(work, { ok: false, failure }, done);
    // Only a submit has a next step.
    if (progress.kind === 'next') return stillWaiting(work, now, noNextStep());
    return progress.kind === 'waiting'
      ? onItsWay(progress, handle, startedAt, now)
      : concluded(await settled(call, progress, done), work, isLost);
  });
}

/** A job that was just made, or that another cluster has, may be unknown for a moment to whoever is asked. */
const UNKNOWN_MS = 5_000;

function hasBeenUnknown({ missed }: Attempt, now: number): boolean {
  return missed?.failure.kind === 'not_found' && now - missed.since >= UNKNOWN_MS;
}

/** Some say of an unknown job in a 200 what others say in a 404. */
function concluded(event: Event, work: AttemptWork, isLost: boolean): Event | StillWaiting {
  const failure = event.type === 'attempt-ended' && !event.outcome.ok ? event.outcome.failure : undefined;
  const isUnknown = failure?.kind === 'not_found' && failure.certainty === 'ambiguous';
  return isUnknown && !isLost ? stillWaiting(work, work.environment.io.now(), failure) : event;
}

/** That an adapter cannot ask about a job says nothing of the job. */
function built(build: () => HttpRequest): { readonly request: HttpRequest } | { readonly failure: Failure } {
  try {
    return { request: build() };
  } catch (error) {
    return { failure: unexpected(error, false) };
  }
}

/**
 * Asks the provider to give the job up, once. Where it will not say so, the job is looked at a last time, because it
 * may have been done before the request came.
 */
export async function cancelAttempt(work: AttemptWork, attempt: Attempt): Promise<Event> {
  const connection = work.environment.connection(work.target.provider);
  const cancel = connection?.provider.image?.cancel;
  const { handle } = attempt;
  if (connection === undefined || cancel === undefined || handle === undefined) return ended(work, canceled());
  if (connectionAt(connection, work.credential) === undefined) return ended(work, canceled());
  const told = await converse<Told>(work, connection, (call) => askToCancel(call, cancel, handle));
  if (told.type !== 'told') return told;
  if (told.confirmed) return ended(work, canceled(told));
  const last = await pollAttempt(work, attempt);
  return last.type === 'still-waiting' ? ended(work, canceled(told)) : last;
}

interface Told {
  readonly type: 'told';
  readonly confirmed: boolean;
  readonly certainty: 'rejected' | 'ambiguous';
  readonly message: string;
}

async function askToCancel(call: Conversation, cancel: CancelCall, handle: Handle): Promise<Told> {
  const { work, connection } = call;
  const ask = built(() => cancel.build(handle, contextOf(work, connection)));
  if ('failure' in ask) return unconfirmed(ask.failure);
  const done = await call.send(ask.request, {
    ...pollClocks(work),
    deadlineAt: work.environment.io.now() + CANCEL_TOTAL_MS,
  });
  if (!done.ok) return unconfirmed(done.failure);
  return { type: 'told', ...cancel.parse(done.response, handle) };
}

function unconfirmed({ message }: Failure): Told {
  return { type: 'told', confirmed: false, certainty: 'ambiguous', message };
}

const POLL_TOTAL_MS = 600_000;
const CANCEL_TOTAL_MS = 10_000;
const FAILED_POLL_MS = 5_000;
const UNKNOWN_POLL_MS = 1_000;
/** Where it costs nothing to make it elsewhere it is worth knowing soon. */
const FAILED_FREE_POLL_MS = 2_500;
const MIN_POLL_MS = 1_000;
const MAX_POLL_MS = 10_000;
/** Where a provider says nothing, the wait grows with the job's age, so that a look comes at most a tenth too late. */
const POLL_SHARE_OF_AGE = 0.1;

function noNextStep(): Failure {
  return { kind: 'server', certainty: 'ambiguous', message: 'the adapter asked for another request after a look' };
}

function onItsWay(
  progress: Progress & { kind: 'waiting' },
  before: Handle,
  startedAt: number,
  now: number,
): StillWaiting {
  const isChanged = JSON.stringify(progress.handle) !== JSON.stringify(before);
  const age = Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, (now - startedAt) * POLL_SHARE_OF_AGE));
  return {
    type: 'still-waiting',
    pollAt: now + (progress.pollAfterMs ?? age),
    ...(isChanged && { handle: progress.handle }),
    ...(progress.progress !== undefined && { progress: progress.progress }),
    ...(progress.stage !== undefined && { stage: progress.stage }),
  };
}

function stillWaiting({ target }: AttemptWork, now: number, failure: Failure): StillWaiting {
  const usual = target.free ? FAILED_FREE_POLL_MS : FAILED_POLL_MS;
  const after = failure.kind === 'not_found' ? UNKNOWN_POLL_MS : usual;
  return { type: 'still-waiting', pollAt: Math.max(now + after, failure.notBefore ?? 0), failure };
}

function canceled(told?: Told): { readonly ok: false; readonly failure: Failure } {
  const { confirmed = false, certainty = 'ambiguous', message = 'this provider takes no cancellation' } = told ?? {};
  const words = confirmed
    ? `canceled; the provider gave the job up: ${message}`
    : `canceled here; whether the provider gave the job up is not known: ${message}`;
  const cancel = confirmed ? 'confirmed' : 'unconfirmed';
  return { ok: false, failure: { kind: 'canceled', certainty, message: words, cancel } };
}

/** A look at a job costs nothing and says nothing of the job when it fails, so no clock of it is the caller's. */
function pollClocks({ plan, target, environment }: AttemptWork): Clocks {
  return {
    connectMs: plan.policy.timeout.connectMs,
    firstByteMs: target.firstByteMs,
    idleMs: plan.policy.timeout.idleMs,
    deadlineAt: environment.io.now() + POLL_TOTAL_MS,
    totalMs: POLL_TOTAL_MS,
    harvestMs: () => 0,
    onClock: () => {},
  };
}

/**
 * The provider took the job on; that it cannot be looked up any more does not undo its charge. Where there is none it
 * is cut-off work like any other, which is begun anew.
 */
function lostJob({ target }: AttemptWork, why: Failure): Failure {
  const kind = target.free ? 'interrupted' : why.kind;
  return {
    ...why,
    kind,
    certainty: 'ambiguous',
    message: `the job was accepted and cannot be looked up: ${why.message}`,
  };
}
