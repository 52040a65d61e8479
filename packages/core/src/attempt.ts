import { createAnswerReader } from './answer.ts';
import { completeFailure, failureOf } from './classify.ts';
import { collectImages } from './collect.ts';
import { type Connection, credentialOf, type RunEnvironment } from './environment.ts';
import { type Exchange, type ExchangeOptions, exchange } from './exchange.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest } from './http.ts';
import type { Asset } from './images/asset.ts';
import { createIntake, type Intake } from './images/intake.ts';
import type { Attempt, Event, Outcome, Run } from './journal.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import { mayPayAgain } from './policy/budget.ts';
import type { CallContext, Progress } from './providers/provider.ts';
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
  return converse(work, connection, async (call) => {
    const streamed = calls.stream && createStreamedAnswer(calls.stream, call.intake, partialSender(work));
    const request = calls.submit.build(requestFor(plan, target), contextOf(work, connection));
    const done = await call.send(request, submitClocks(work), streamed);
    if (!done.ok) {
      const brought = streamed?.progress();
      if (brought?.kind !== 'done') return ended(work, { ok: false, failure: done.failure }, done);
      // The picture had come whole before its stream broke off.
      const response = { status: done.status ?? 200, headers: {}, body: null, text: '' };
      return concluded(call, brought, { ok: true, response, timing: done.timing });
    }
    const failure = failureOf(connection.provider, done.response, environment.io.now());
    if (failure) return ended(work, { ok: false, failure }, done);
    return concluded(call, streamed?.progress() ?? calls.submit.parse(done.response, plan.request), done);
  });
}

/** Looks a submitted job up once. What goes wrong in between is not the job's end: the next poll is later. */
export async function pollAttempt(work: AttemptWork, { handle }: Attempt): Promise<Event> {
  const connection = work.environment.connection(work.target.provider);
  const poll = connection?.provider.image?.poll;
  if (connection === undefined || poll === undefined || handle === undefined) {
    return ended(work, { ok: false, failure: lostJob(noConnection(work.target)) });
  }
  return converse(work, connection, async (call) => {
    const done = await call.send(poll.build(handle, contextOf(work, connection)), pollClocks(work));
    if (!done.ok) return polledAgain(work, done.failure);
    const failure = failureOf(connection.provider, done.response, work.environment.io.now());
    if (failure?.kind === 'not_found') return ended(work, { ok: false, failure: lostJob(failure) }, done);
    if (failure && failure.certainty !== 'failed') return polledAgain(work, failure);
    if (failure) return ended(work, { ok: false, failure }, done);
    return concluded(call, poll.parse(done.response, handle), done);
  });
}

/** One exchange with a provider, with the intake its pictures come into. */
interface Conversation {
  readonly work: AttemptWork;
  readonly connection: Connection;
  readonly intake: Intake;
  send(request: HttpRequest, clocks: Clocks, streamed?: StreamedAnswer): Promise<Exchange>;
}

type Clocks = Pick<
  ExchangeOptions,
  'connectMs' | 'firstByteMs' | 'idleMs' | 'deadlineAt' | 'totalMs' | 'harvestMs' | 'onClock'
>;
type StreamedAnswer = ReturnType<typeof createStreamedAnswer>;

/** Whatever happens in it ends in an event, without our key in it, and with nothing left of unsettled pictures. */
async function converse(
  work: AttemptWork,
  connection: Connection,
  talk: (call: Conversation) => Promise<Event>,
): Promise<Event> {
  const { environment, target } = work;
  const intake = createIntake(environment.assets, { maxBlobs: MAX_PICTURES });
  let sent = false;
  const send: Conversation['send'] = (request, clocks, streamed) => {
    sent = true;
    const authorized = connection.provider.authorize(request, credentialOf(connection, target.credential));
    return exchange(environment.io, authorized, { ...clocks, ...exchangeOptions(work, intake, streamed) });
  };
  try {
    return withoutSecret(await talk({ work, connection, intake, send }), connection.secret);
  } catch (error) {
    return ended(work, { ok: false, failure: unexpected(error, sent) });
  } finally {
    await intake.discardAll();
  }
}

const MIN_SECRET_CHARS = 8;

/** A provider that repeats our key in its answer must not carry it into a journal. */
function withoutSecret(event: Event, secret: string): Event {
  if (secret.length < MIN_SECRET_CHARS) return event;
  const text = JSON.stringify(event);
  return text.includes(secret) ? JSON.parse(text.replaceAll(secret, '[redacted]')) : event;
}

async function concluded(call: Conversation, progress: Progress, done: Exchange & { ok: true }): Promise<Event> {
  const { work, connection, intake } = call;
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

function exchangeOptions({ environment }: AttemptWork, intake: Intake, streamed: StreamedAnswer | undefined) {
  return {
    cancel: environment.cancel,
    reach: 'configured' as const,
    readAsset: (asset: Asset) => environment.assets.read(asset),
    openReader: (status: number, headers: Readonly<Record<string, string>>) =>
      createAnswerReader(status, headers, {
        intake,
        maxBytes: environment.limits.maxAnswerBytes,
        ...(streamed && { onEvent: streamed.onEvent }),
      }),
  };
}

/**
 * A clock that fires normally leaves the exchange open for its late answer. Where another payment is allowed, the
 * caller is better served by ending it and trying again.
 */
function submitClocks({ plan, run, target, attempt, environment, append }: AttemptWork): Clocks {
  const { timeout } = plan.policy;
  const overdue: Failure = { kind: 'timeout', certainty: 'ambiguous', message: '' };
  return {
    connectMs: timeout.connectMs,
    firstByteMs: target.firstByteMs,
    idleMs: timeout.idleMs,
    deadlineAt: plan.deadlineAt,
    totalMs: plan.deadlineAt - plan.createdAt,
    // After the deadline nothing new is started, so there is nothing to end it for.
    harvestMs: (clock) => (clock !== 'total' && mayPayAgain(overdue, run, plan.policy) ? 0 : timeout.harvestMs),
    onClock: (failure) => {
      const clock = failure.clock?.name ?? 'total';
      // A lost journal shows at the next append; here nobody could act on it.
      append({ type: 'clock-fired', at: environment.io.now(), attempt, clock, failure }).catch(() => {});
    },
  };
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

function partialSender(work: AttemptWork) {
  return (index: number, asset: Asset, event: Extract<Event, { type: 'partial-sent' }>['event']) =>
    work.append({ type: 'partial-sent', at: work.environment.io.now(), attempt: work.attempt, index, asset, event });
}

/** Before it was sent a fault of an adapter, after it one of storing: then the work was done, and another would be paid. */
function unexpected(error: unknown, sent: boolean): Failure {
  const said = error instanceof Error ? error.message : String(error);
  return sent
    ? { kind: 'storage', certainty: 'completed', message: `the picture could not be stored: ${said}` }
    : {
        kind: 'invalid',
        certainty: 'not_sent',
        message: `the request could not be put into this provider's terms: ${said}`,
      };
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
