import { completeFailure, failureOf } from './classify.ts';
import { collectImages } from './collect.ts';
import {
  type AttemptWork,
  type Clocks,
  type Conversation,
  contextOf,
  converse,
  ended,
  noConnection,
  type StreamedAnswer,
  unexpected,
} from './conversation.ts';
import { examined } from './examine.ts';
import type { Exchange } from './exchange.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest } from './http.ts';
import type { Asset } from './images/asset.ts';
import type { Event } from './journal.ts';
import type { JsonValue } from './json.ts';
import { mayPayAgain } from './policy/budget.ts';
import { readLimits } from './policy/limit-words.ts';
import { pictureAtHand } from './policy/suspect-steps.ts';
import type { Progress } from './providers/provider.ts';
import { requestFor } from './request-for.ts';
import { withSentSeed } from './seed.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import { createStreamedAnswer } from './streamed.ts';
import { watched } from './watch.ts';

/** Sends one submit and says how it ended: an `attempt-ended`, or a `handle-received` where the provider works on. */
export async function submitAttempt(work: AttemptWork): Promise<Event> {
  const { target, environment } = work;
  const connection = environment.connection(target.provider);
  const calls = connection?.provider.image;
  if (connection === undefined || calls === undefined) return ended(work, { ok: false, failure: noConnection(target) });
  return converse(work, connection, async (call) => {
    const asked = await requestFor(work);
    if ('failure' in asked) return ended(work, { ok: false, failure: asked.failure });
    const wanted = asked.request;
    const context = contextOf(work, call.connection);
    let request = calls.submit.build(wanted, context);
    let state: JsonValue | undefined;
    for (let step = 0; step < MAX_SUBMIT_STEPS; step += 1) {
      const streamed = calls.stream && createStreamedAnswer(calls.stream, call.intake, partialSender(work));
      const done = await watched(call, (clocks) => call.send(request, { ...submitClocks(work), ...clocks }, streamed));
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
  const verifying = createStopwatch(work.environment.io.now);
  const outcome = await collectImages(progress, { ...work, connection, intake, verifying, response: done.response });
  if (!outcome.ok) return ended(work, outcome, timed(done, verifying));
  const seeded = withSentSeed(outcome.images, work.plan, work.target);
  const images = await verifying.time(() => examined(seeded, work));
  return ended(work, { ...outcome, images }, timed(done, verifying));
}

function timed(done: Exchange, verifying: Stopwatch): Exchange {
  const verifyMs = verifying.ms();
  return verifyMs === undefined ? done : { ...done, timing: { ...done.timing, verifyMs } };
}

const FIRST_POLL_MS = 1_000;

/**
 * A clock that fires normally leaves the exchange open for its late answer. Where nothing is billed, or another payment
 * is allowed, the caller is better served by ending it and trying again.
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
    harvestMs: (clock) =>
      target.free || pictureAtHand(run) || (clock !== 'total' && mayPayAgain(overdue, run, plan.policy))
        ? 0
        : timeout.harvestMs,
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
