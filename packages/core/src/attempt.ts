import { createAnswerReader } from './answer.ts';
import { completeFailure, failureOf } from './classify.ts';
import { collectImages } from './collect.ts';
import { type Connection, credentialOf, type RunEnvironment } from './environment.ts';
import { type Exchange, type ExchangeOptions, exchange } from './exchange.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { Asset } from './images/asset.ts';
import { createIntake, type Intake } from './images/intake.ts';
import type { Event, Outcome, Run } from './journal.ts';
import type { JsonValue } from './json.ts';
import type { Turn } from './pacing.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import { mayPayAgain } from './policy/budget.ts';
import { readLimits } from './policy/limit-words.ts';
import type { CallContext, Progress } from './providers/provider.ts';
import type { ImageRequest } from './request.ts';
import { createStreamedAnswer } from './streamed.ts';

/** Everything one attempt works with. `append` makes events durable while the attempt is still open. */
export interface AttemptWork {
  readonly runId: string;
  readonly plan: Plan;
  readonly run: Run;
  readonly target: PlannedTarget;
  readonly attempt: number;
  /** Which key it goes with. */
  readonly credential: string;
  /** Absent when an earlier process took it. */
  readonly turn?: Turn;
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
    const wanted = requestFor(plan, target);
    const context = contextOf(work, connection);
    let request = calls.submit.build(wanted, context);
    let state: JsonValue | undefined;
    for (let step = 0; step < MAX_SUBMIT_STEPS; step += 1) {
      const streamed = calls.stream && createStreamedAnswer(calls.stream, call.intake, partialSender(work));
      const done = await call.send(request, submitClocks(work), streamed);
      if (done.ok) work.turn?.observe(readLimits(done.response.headers, done.response.text, environment.io.now()));
      if (!done.ok) return brokenOff(call, request, done, streamed);
      const failure = failureOf(connection.provider, done.response, environment.io.now());
      if (failure) return ended(work, { ok: false, failure: request.free ? unspent(failure) : failure }, done);
      const progress = streamed?.progress() ?? calls.submit.parse(done.response, wanted, context, state);
      if (progress.kind !== 'next') return concluded(call, progress, done);
      ({ request, state } = progress);
    }
    return ended(work, { ok: false, failure: unexpected(`it takes more than ${MAX_SUBMIT_STEPS} requests`, false) });
  });
}

/** Uploads, and the generation after them. */
const MAX_SUBMIT_STEPS = 24;

async function brokenOff(
  call: Conversation,
  request: HttpRequest,
  done: Exchange & { ok: false },
  streamed: StreamedAnswer | undefined,
): Promise<Event> {
  const brought = streamed?.progress();
  if (brought?.kind !== 'done') {
    return ended(call.work, { ok: false, failure: request.free ? unspent(done.failure) : done.failure }, done);
  }
  // The picture had come whole before its stream broke off.
  const response = { status: done.status ?? 200, headers: {}, body: null, text: '' };
  return concluded(call, brought, { ok: true, response, timing: done.timing });
}

/** What happens to an upload is no question of money: nothing was asked to be made yet. */
function unspent(failure: Failure): Failure {
  return failure.certainty === 'not_sent' ? failure : { ...failure, certainty: 'rejected' };
}

/** One exchange with a provider, with the intake its pictures come into. */
export interface Conversation {
  readonly work: AttemptWork;
  readonly connection: Connection;
  readonly intake: Intake;
  send(request: HttpRequest, clocks: Clocks, streamed?: StreamedAnswer): Promise<Exchange>;
}

export type Clocks = Pick<
  ExchangeOptions,
  'connectMs' | 'firstByteMs' | 'idleMs' | 'deadlineAt' | 'totalMs' | 'harvestMs' | 'onClock' | 'onSent'
>;
type StreamedAnswer = ReturnType<typeof createStreamedAnswer>;

/** Whatever happens in it ends in an event, without our key in it, and with nothing left of unsettled pictures. */
export async function converse<Ended>(
  work: AttemptWork,
  connection: Connection,
  talk: (call: Conversation) => Promise<Event | Ended>,
): Promise<Event | Ended> {
  const { environment } = work;
  const intake = createIntake(environment.assets, { maxBlobs: MAX_PICTURES });
  let sent = false;
  const send: Conversation['send'] = (request, clocks, streamed) => {
    sent = true;
    const authorized = connection.provider.authorize(request, credentialOf(connection, work.credential));
    return exchange(environment.io, authorized, { ...clocks, ...exchangeOptions(work, intake, streamed) });
  };
  try {
    return withoutSecret(
      await talk({ work, connection, intake, send }),
      credentialOf(connection, work.credential).secret,
    );
  } catch (error) {
    return ended(work, { ok: false, failure: unexpected(error, sent) });
  } finally {
    await intake.discardAll();
  }
}

const MIN_SECRET_CHARS = 8;

/** A provider that repeats our key in its answer must not carry it into a journal. */
function withoutSecret<Value>(event: Value, secret: string): Value {
  if (secret.length < MIN_SECRET_CHARS) return event;
  const text = JSON.stringify(event);
  return text.includes(secret) ? JSON.parse(text.replaceAll(secret, '[redacted]')) : event;
}

async function concluded(
  call: Conversation,
  progress: Exclude<Progress, { kind: 'next' }>,
  done: Exchange & { ok: true },
): Promise<Event> {
  const { work } = call;
  if (progress.kind !== 'waiting') return settled(call, progress, done);
  const at = work.environment.io.now();
  const { handle, pollAfterMs, progress: share, stage } = progress;
  return {
    type: 'handle-received',
    at,
    attempt: work.attempt,
    handle,
    pollAt: at + (pollAfterMs ?? FIRST_POLL_MS),
    ...(share !== undefined && { progress: share }),
    ...(stage !== undefined && { stage }),
  };
}

/** What a provider calls done or failed, as the end of the attempt. */
export async function settled(
  call: Conversation,
  progress: Exclude<Progress, { kind: 'waiting' | 'next' }>,
  done: Exchange & { ok: true },
): Promise<Event> {
  const { work, connection, intake } = call;
  if (progress.kind === 'failed') {
    const failure = completeFailure(progress.failure, done.response, work.environment.io.now());
    return ended(work, { ok: false, failure }, done);
  }
  const outcome = await collectImages(progress, { ...work, connection, intake, response: done.response });
  return ended(work, outcome, done);
}

/** Ten pictures with three previews each, and room for a provider that sends more. */
const MAX_PICTURES = 64;
const FIRST_POLL_MS = 1_000;

export function ended(work: AttemptWork, outcome: Outcome, done?: Exchange): Event {
  const requestId = done?.ok ? requestIdOf(done.response, work) : undefined;
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

function requestIdOf(response: HttpResponse, { environment, target }: AttemptWork): string | undefined {
  const { provider } = environment.connection(target.provider) ?? {};
  return provider?.requestId?.(response) ?? response.headers['x-request-id'] ?? response.headers['request-id'];
}

/** Unknown fields are for the target they were written for: the first. A target that cannot stream is not asked to. */
function requestFor(plan: Plan, target: PlannedTarget): ImageRequest {
  const { extra, stream, ...request } = target.request ?? plan.request;
  return {
    ...request,
    ...(extra && target.id === plan.targets[0]?.id && { extra }),
    ...(stream && target.streams && { stream }),
  };
}

export function contextOf(work: AttemptWork, connection: Connection): CallContext {
  const { runId, attempt, target, environment } = work;
  const webhookUrl = environment.webhookUrl?.(runId, connection);
  const assetsUrl = environment.assetsUrl?.(connection);
  return {
    runId,
    attempt,
    model: target.model,
    baseUrl: connection.hosts?.[work.credential] ?? connection.baseUrl,
    ...(assetsUrl !== undefined && { assetsUrl }),
    ...(webhookUrl !== undefined && { webhookUrl }),
  };
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
function submitClocks({ plan, run, target, attempt, turn, environment, append }: AttemptWork): Clocks {
  const { timeout } = plan.policy;
  const overdue: Failure = { kind: 'timeout', certainty: 'ambiguous', message: '' };
  return {
    connectMs: timeout.connectMs,
    firstByteMs: target.firstByteMs,
    idleMs: timeout.idleMs,
    deadlineAt: plan.deadlineAt,
    totalMs: plan.deadlineAt - plan.createdAt,
    onSent: turn?.sent,
    // After the deadline nothing new is started, so there is nothing to end it for.
    harvestMs: (clock) => (clock !== 'total' && mayPayAgain(overdue, run, plan.policy) ? 0 : timeout.harvestMs),
    onClock: (failure) => {
      const clock = failure.clock?.name ?? 'total';
      // A lost journal shows at the next append; here nobody could act on it.
      append({ type: 'clock-fired', at: environment.io.now(), attempt, clock, failure }).catch(() => {});
    },
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

export function noConnection(target: PlannedTarget): Failure {
  return {
    kind: 'unavailable',
    certainty: 'not_sent',
    message: `the configuration has no provider "${target.provider}" that makes images any more`,
  };
}
