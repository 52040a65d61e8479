import { failureOf } from '../classify.ts';
import { contextOf, ended, noConnection, noHost, unfit, withoutSecret } from '../conversation.ts';
import { type Connection, connectionAt, credentialOf, type RunEnvironment } from '../environment.ts';
import { AnswerFault, type Exchange, type ExchangeOptions, exchange } from '../exchange.ts';
import { notTaken } from '../exchange-clocks.ts';
import type { Failure } from '../failure.ts';
import type { HttpRequest } from '../http.ts';
import type { Event, Outcome } from '../journal.ts';
import { messageOf } from '../message-of.ts';
import type { RunWork } from '../modality.ts';
import { readLimits } from '../policy/limit-words.ts';
import { withTraceHeaders } from '../trace-headers.ts';
import type { ChatAnswer, HandOn } from './answer.ts';
import type { ChatBody, ChatHead, ChatPlan, ChatSink } from './chat.ts';
import { createChatAnswer } from './open-answer.ts';
import { bodyFor } from './splice.ts';
import { CHAT_TIMEOUTS } from './timeouts.ts';
import { estimatedUsage } from './usage.ts';

/** What is asked, and where the answer goes. */
export interface ChatAsked {
  readonly body: ChatBody;
  readonly sink: ChatSink;
}

/** Everything one attempt at an answer works with. */
interface ChatWork {
  readonly work: RunWork;
  readonly plan: ChatPlan;
  readonly asked: ChatAsked;
  readonly connection: Connection;
}

/** Sends one request and hands on what is answered; an `attempt-ended` says how it ended, without our key in it. */
export async function submitChat(work: RunWork, plan: ChatPlan, asked: ChatAsked): Promise<Event> {
  const { target, credential, environment } = work;
  const configured = environment.connection(target.provider);
  if (configured?.provider.chat === undefined) return ended(work, failed(noConnection(target, 'speaks chat')));
  const connection = connectionAt(configured, credential);
  if (connection === undefined) return ended(work, failed(noHost(work)));
  const { secret } = credentialOf(connection, credential);
  const chat: ChatWork = { work, plan, asked, connection };
  let request: HttpRequest | undefined;
  try {
    request = httpRequestOf(chat);
  } catch (error) {
    return withoutSecret(ended(work, failed(unfit(error))), secret);
  }
  if (request === undefined) return ended(work, failed(withoutEndpoint(chat)));
  return withoutSecret(await answered(chat, request, secret), secret);
}

function httpRequestOf({ work, plan, asked, connection }: ChatWork): HttpRequest | undefined {
  const { provider } = connection;
  const url = provider.chat?.url(plan.chat.endpoint, contextOf(work, connection));
  if (url === undefined) return undefined;
  const bytes = bodyFor(asked.body, work.target.model);
  const request: HttpRequest = {
    method: 'POST',
    url,
    headers: { accept: plan.chat.stream ? 'text/event-stream, application/json' : 'application/json' },
    body: { kind: 'bytes', bytes },
  };
  const authorize = provider.chat?.authorize ?? provider.authorize;
  return withTraceHeaders(authorize(request, credentialOf(connection, work.credential)), work, connection);
}

async function answered(chat: ChatWork, request: HttpRequest, secret: string): Promise<Event> {
  const { work, connection } = chat;
  const { environment } = work;
  const [handed, options] = [handOver(chat), exchangeOptions(chat)];
  let answer: ChatAnswer | undefined;
  const done = await exchange(environment.io, request, {
    ...options,
    openReader: (status, headers) => {
      work.turn?.observe(readLimits(headers, '', environment.io.now()));
      answer = answerReader(chat, { status, headers }, handed);
      return answer;
    },
  });
  if (!done.ok || answer === undefined) {
    const failure = done.ok ? unfit('no answer was read') : done.failure;
    return ended(work, broken(chat, failure, answer, handed.hasBegun()), withoutSecret(done, secret));
  }
  const read: Exchange & { ok: true } = { ...done, response: withoutSecret(done.response, secret) };
  const { response } = read;
  const isBad = response.status < 200 || response.status >= 300 || response.text !== '';
  const failure = isBad
    ? failureOf(connection.provider, response, environment.io.now())
    : await concluded(answer, patient(handed.handOn, environment));
  if (isBad) work.turn?.observe(readLimits({}, response.text, environment.io.now()));
  if (failure) return ended(work, broken(chat, failure, answer, handed.hasBegun()), read);
  return ended(work, { ok: true, images: [], usage: usageOf(chat, answer) }, read);
}

async function concluded(answer: ChatAnswer, handOn: HandOn): Promise<Failure | undefined> {
  try {
    return await answer.conclude(handOn);
  } catch (error) {
    if (error instanceof AnswerFault) return error.failure;
    throw error;
  }
}

/** Where the answer of this attempt goes, and whether any of it went. */
interface HandOver {
  readonly hasBegun: () => boolean;
  readonly begin: (head: ChatHead) => void;
  readonly handOn: HandOn;
}

/**
 * The journal is told that the answer begins before any of it goes: from there on a run sends no second request, whose
 * answer would be glued on. What the sink throws is an `AnswerFault` of its caller's side.
 */
function handOver({ work, asked: { sink } }: ChatWork): HandOver {
  const { environment, attempt, append } = work;
  const beganAt = environment.io.now();
  let begun = false;
  return {
    hasBegun: () => begun,
    begin(head) {
      const at = environment.io.now();
      begun = true;
      // A lost journal shows at the next append; the answer does not wait for it.
      append({ type: 'answer-begun', at, attempt, firstContentMs: at - beganAt }).catch(() => {});
      try {
        sink.begin(head);
      } catch (error) {
        rethrow(error);
      }
    },
    handOn(bytes) {
      try {
        return sink.write(bytes)?.catch(rethrow);
      } catch (error) {
        return rethrow(error);
      }
    },
  };
}

/** The clocks of the exchange are over, and a caller that takes nothing is waited for no longer than in it. */
function patient(handOn: HandOn, { io, cancel }: RunEnvironment): HandOn {
  return (bytes) => {
    const taken = handOn(bytes);
    if (taken === undefined) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = () => reject(new AnswerFault(notTaken(CHAT_TIMEOUTS.heldMs)));
    const leave = () => reject(new AnswerFault(CANCELED));
    const stop = cancel.aborted ? io.timer(io.now(), leave) : io.timer(io.now() + CHAT_TIMEOUTS.heldMs, giveUp);
    cancel.addEventListener('abort', leave, { once: true });
    taken.then(resolve, reject);
    return promise.finally(() => {
      stop();
      cancel.removeEventListener('abort', leave);
    });
  };
}

const CANCELED: Failure = {
  kind: 'canceled',
  certainty: 'ambiguous',
  message: 'canceled while the answer was handed on; the provider has done the work',
  classifiedBy: 'canceled by the caller',
};

function rethrow(error: unknown): never {
  throw new AnswerFault(notHandedOn(error));
}

function answerReader(
  { work, plan, asked, connection }: ChatWork,
  head: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  { begin, handOn }: HandOver,
): ChatAnswer {
  const { secret } = credentialOf(connection, work.credential);
  const { io, limits } = work.environment;
  const contentType = typeToTell(head.headers['content-type'], plan.chat.stream);
  const { n, background } = asked.body.value;
  return createChatAnswer({
    head,
    request: plan.chat,
    background: background === true && plan.chat.endpoint === 'responses',
    redact: (said) => withoutSecret(said, secret),
    choices: typeof n === 'number' && n >= 1 ? n : 1,
    provider: connection.provider,
    maxBytes: limits.maxAnswerBytes,
    now: io.now,
    begin: () => begin({ status: head.status, contentType, target: work.target.id }),
    handOn,
  });
}

/** What was found to be an answer is none of a page's, which a client would not read as JSON or as events. */
function typeToTell(type = 'application/json', streams: boolean): string {
  if (!/\bhtml\b/i.test(type)) return type;
  return streams ? 'text/event-stream' : 'application/json';
}

function exchangeOptions({ work, plan }: ChatWork): Omit<ExchangeOptions, 'openReader'> {
  const { environment, target, turn } = work;
  const { timeout } = plan.policy;
  return {
    connectMs: timeout.connectMs,
    firstByteMs: target.firstByteMs,
    idleMs: timeout.idleMs,
    untilContent: plan.chat.stream,
    heldMs: CHAT_TIMEOUTS.heldMs,
    deadlineAt: plan.deadlineAt,
    totalMs: plan.deadlineAt - plan.createdAt,
    // Nobody waits for a late answer: tokens are cheap to send again.
    harvestMs: () => 0,
    onClock: () => {},
    onSent: turn?.sent,
    cancel: environment.cancel,
    reach: 'configured',
    readAsset: (asset) => environment.assets.read(asset),
  };
}

function broken(chat: ChatWork, failure: Failure, answer: ChatAnswer | undefined, begun: boolean): Outcome {
  const usage = begun && answer ? usageOf(chat, answer) : usedIfAny(chat, failure);
  return { ok: false, failure, ...(usage && { usage }), ...(answer?.hasTold() && { told: true }) };
}

/** Of what may have been worked on only what went in is known: the least that a charge would be for. */
function usedIfAny({ plan }: ChatWork, { certainty }: Failure) {
  return certainty === 'ambiguous' ? estimatedUsage(plan.chat, { bytes: 0, events: 0 }) : undefined;
}

function usageOf({ plan }: ChatWork, answer: ChatAnswer) {
  return answer.usage() ?? estimatedUsage(plan.chat, answer.passed());
}

function failed(failure: Failure): Outcome {
  return { ok: false, failure };
}

function withoutEndpoint({ work: { target }, plan }: ChatWork): Failure {
  return {
    kind: 'capability',
    certainty: 'not_sent',
    message: `model: ${target.provider} has no /v1/${plan.chat.endpoint}`,
    param: 'model',
  };
}

/** The caller's side failed, which speaks against no provider. */
function notHandedOn(error: unknown): Failure {
  return {
    kind: 'canceled',
    certainty: 'ambiguous',
    message: `the answer could not be handed on to its caller: ${messageOf(error)}`,
    classifiedBy: 'answer not taken',
  };
}
