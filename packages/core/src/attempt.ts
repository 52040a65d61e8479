import { createAnswerReader } from './answer.ts';
import { completeFailure, failureOf } from './classify.ts';
import { collectImages } from './collect.ts';
import { type Connection, credentialOf, type RunEnvironment } from './environment.ts';
import { type Exchange, exchange } from './exchange.ts';
import type { Clock, Failure } from './failure.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { Asset } from './images/asset.ts';
import { createIntake, type Intake } from './images/intake.ts';
import type { Attempt, Event, Outcome, Run } from './journal.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import { mayPayAgain } from './policy/budget.ts';
import type { CallContext, ImageCalls, Progress } from './providers/provider.ts';
import { createStreamedAnswer } from './streamed.ts';

/** Everything one attempt works with. `append` makes events durable while the attempt is still open. */
export interface AttemptWork {
  readonly runId: string;
  readonly plan: Plan;
  readonly run: Run;
  readonly target: PlannedTarget;
  readonly attempt: number;
  readonly environment: RunEnvironment;
  readonly append: (event: Event) => Promise<void>;
}

/** Sends one submit and says how it ended: an `attempt-ended`, or a `handle-received` where the provider works on. */
export async function submitAttempt(work: AttemptWork): Promise<Event> {
  const { target, environment, plan } = work;
  const connection = environment.connection(target.provider);
  const calls = connection?.provider.image;
  if (connection === undefined || calls === undefined) return ended(work, { ok: false, failure: noConnection(target) });
  const built = calls.submit.build(requestFor(plan, target), contextOf(work, connection));
  return perform(work, connection, calls, built, (response) => calls.submit.parse(response, plan.request));
}

/** Looks a submitted job up once. What goes wrong in between is not the job's end: the next poll is later. */
export async function pollAttempt(work: AttemptWork, open: Attempt): Promise<Event> {
  const connection = work.environment.connection(work.target.provider);
  const poll = connection?.provider.image?.poll;
  const { handle } = open;
  if (connection?.provider.image === undefined || poll === undefined || handle === undefined) {
    return ended(work, { ok: false, failure: lostJob(noConnection(work.target)) });
  }
  const built = poll.build(handle, contextOf(work, connection));
  return perform(
    work,
    connection,
    connection.provider.image,
    built,
    (response) => poll.parse(response, handle),
    handle,
  );
}

type Parse = (response: HttpResponse) => Progress;

async function perform(...call: Parameters<typeof performOnce>): Promise<Event> {
  const [, connection] = call;
  return withoutSecret(await performOnce(...call), connection.secret);
}

const MIN_SECRET_CHARS = 8;

/** A provider that repeats our key in its answer must not carry it into a journal. */
function withoutSecret(event: Event, secret: string): Event {
  if (secret.length < MIN_SECRET_CHARS) return event;
  const text = JSON.stringify(event);
  return text.includes(secret) ? JSON.parse(text.replaceAll(secret, '[redacted]')) : event;
}

async function performOnce(
  work: AttemptWork,
  connection: Connection,
  calls: ImageCalls,
  built: HttpRequest,
  parse: Parse,
  polling?: Attempt['handle'],
): Promise<Event> {
  const { environment, target } = work;
  const request = connection.provider.authorize(built, credentialOf(connection, target.credential));
  const intake = createIntake(environment.assets, { maxBlobs: MAX_PICTURES });
  try {
    const streamed = calls.stream && createStreamedAnswer(calls.stream, intake, partialSender(work));
    const done = await exchange(environment.io, request, {
      ...exchangeOptions(work, intake, streamed),
      ...(polling && pollClocks(work)),
    });
    if (polling && !done.ok) return polledAgain(work, done.failure);
    if (!done.ok) {
      const brought = streamed?.progress();
      if (brought?.kind !== 'done') return ended(work, { ok: false, failure: done.failure }, done);
      // The picture had come whole before its stream broke off.
      const response = { status: done.status ?? 200, headers: {}, body: null, text: '' };
      return await concluded(work, connection, brought, intake, { ok: true, response, timing: done.timing });
    }
    const failure = failureOf(connection.provider, done.response, environment.io.now());
    if (polling && failure?.kind === 'not_found') return ended(work, { ok: false, failure: lostJob(failure) }, done);
    if (polling && failure && failure.certainty !== 'failed') return polledAgain(work, failure);
    if (failure) return ended(work, { ok: false, failure }, done);
    const progress = streamed?.progress() ?? parse(done.response);
    return await concluded(work, connection, progress, intake, done);
  } catch (error) {
    return ended(work, { ok: false, failure: unexpected(error) });
  } finally {
    await intake.discardAll();
  }
}

async function concluded(
  work: AttemptWork,
  connection: Connection,
  progress: Progress,
  intake: Intake,
  done: Exchange & { ok: true },
): Promise<Event> {
  const now = work.environment.io.now();
  if (progress.kind === 'waiting') {
    const pollAt = now + (progress.pollAfterMs ?? DEFAULT_POLL_MS);
    return { type: 'handle-received', at: now, attempt: work.attempt, handle: progress.handle, pollAt };
  }
  if (progress.kind === 'failed') {
    return ended(work, { ok: false, failure: completeFailure(progress.failure, done.response, now) }, done);
  }
  const origin = new URL(connection.baseUrl).origin;
  const outcome = await collectImages(progress, { ...work, intake, response: done.response, origin });
  return ended(work, outcome, done);
}

/** Ten pictures with three previews each, and room for a provider that sends more. */
const MAX_PICTURES = 64;
const DEFAULT_POLL_MS = 2_000;
const FAILED_POLL_MS = 5_000;
const POLL_TOTAL_MS = 600_000;

function polledAgain(work: AttemptWork, failure: Failure): Event {
  const now = work.environment.io.now();
  const pollAt = Math.max(now + FAILED_POLL_MS, failure.notBefore ?? 0);
  return { type: 'polled', at: now, attempt: work.attempt, pollAt, failure };
}

function ended(work: AttemptWork, outcome: Outcome, done?: Exchange): Event {
  const headers = done?.ok ? done.response.headers : {};
  const requestId = headers['x-request-id'] ?? headers['request-id'];
  const status = done?.ok ? done.response.status : done?.status;
  return {
    type: 'attempt-ended',
    at: work.environment.io.now(),
    attempt: work.attempt,
    outcome,
    ...(status !== undefined && { status }),
    ...(requestId !== undefined && { requestId }),
    ...(done && { timing: done.timing }),
  };
}

/** Unknown fields are for the target they were written for: the first. A target that cannot stream is not asked to. */
function requestFor(plan: Plan, target: PlannedTarget): Plan['request'] {
  const { extra, stream, ...request } = plan.request;
  return {
    ...request,
    ...(extra && target.id === plan.targets[0]?.id && { extra }),
    ...(stream && target.streams && { stream }),
  };
}

function contextOf(work: AttemptWork, connection: Connection): CallContext {
  return { runId: work.runId, attempt: work.attempt, model: work.target.model, baseUrl: connection.baseUrl };
}

/**
 * A clock that fires normally leaves the exchange open for its late answer. Where another payment is allowed, the
 * caller is better served by ending it and trying again.
 */
function exchangeOptions(
  work: AttemptWork,
  intake: Intake,
  streamed: ReturnType<typeof createStreamedAnswer> | undefined,
) {
  const { plan, target, environment } = work;
  const { timeout } = plan.policy;
  const overdue: Failure = { kind: 'timeout', certainty: 'ambiguous', message: '' };
  return {
    connectMs: timeout.connectMs,
    firstByteMs: target.firstByteMs,
    idleMs: timeout.idleMs,
    deadlineAt: plan.deadlineAt,
    totalMs: plan.deadlineAt - plan.createdAt,
    // After the deadline nothing new is started, so there is nothing to end it for.
    harvestMs: (clock: Clock) =>
      clock !== 'total' && mayPayAgain(overdue, work.run, plan.policy) ? 0 : timeout.harvestMs,
    cancel: environment.cancel,
    reach: 'configured' as const,
    readAsset: (asset: Asset) => environment.assets.read(asset),
    openReader: (status: number, headers: Readonly<Record<string, string>>) =>
      createAnswerReader(status, headers, {
        intake,
        maxBytes: environment.limits.maxAnswerBytes,
        ...(streamed && { onEvent: streamed.onEvent }),
      }),
    onClock: (failure: Failure) => {
      const clock = failure.clock?.name ?? 'total';
      const at = environment.io.now();
      // A lost journal shows at the next append; here nobody could act on it.
      work.append({ type: 'clock-fired', at, attempt: work.attempt, clock, failure }).catch(() => {});
    },
  };
}

/** A look at a job costs nothing and says nothing of the job when it fails, so no clock of it is the caller's. */
function pollClocks({ environment }: AttemptWork) {
  return {
    deadlineAt: environment.io.now() + POLL_TOTAL_MS,
    totalMs: POLL_TOTAL_MS,
    harvestMs: () => 0,
    onClock: () => {},
  };
}

function partialSender(work: AttemptWork) {
  return (index: number, asset: Asset, event: Extract<Event, { type: 'partial-sent' }>['event']) =>
    work.append({ type: 'partial-sent', at: work.environment.io.now(), attempt: work.attempt, index, asset, event });
}

/** Past the exchange only storing the picture can fail; the work was done and a second one would be paid again. */
function unexpected(error: unknown): Failure {
  const said = error instanceof Error ? error.message : String(error);
  return { kind: 'storage', certainty: 'completed', message: `the picture could not be stored: ${said}` };
}

/** The provider took the job on; that it cannot be looked up any more does not undo its charge. */
function lostJob(why: Failure): Failure {
  return { ...why, certainty: 'ambiguous', message: `the job was accepted and cannot be looked up: ${why.message}` };
}

function noConnection(target: PlannedTarget): Failure {
  return {
    kind: 'unavailable',
    certainty: 'not_sent',
    message: `the configuration has no provider "${target.provider}" that makes images any more`,
  };
}
