import { createAnswerReader } from './answer.ts';
import { presentable } from './classify.ts';
import { type Connection, connectionAt, credentialOf } from './environment.ts';
import { type Exchange, type ExchangeOptions, exchange } from './exchange.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { Asset } from './images/asset.ts';
import { createIntake, type Intake } from './images/intake.ts';
import type { Event, Outcome } from './journal.ts';
import { messageOf } from './message-of.ts';
import type { RunWork } from './modality.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import { unbilled } from './policy/free.ts';
import type { CallContext } from './providers/provider.ts';
import { secretForms } from './secret-forms.ts';
import type { createStreamedAnswer } from './streamed.ts';
import { toldHeaders } from './told-headers.ts';
import { withTraceHeaders } from './trace-headers.ts';

/** Everything one attempt at pictures works with. */
export interface AttemptWork extends RunWork {
  readonly plan: Plan;
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
  | 'connectMs'
  | 'firstByteMs'
  | 'idleMs'
  | 'deadlineAt'
  | 'totalMs'
  | 'harvestMs'
  | 'onClock'
  | 'onSent'
  | 'progressAt'
  | 'stalled'
>;
export type StreamedAnswer = ReturnType<typeof createStreamedAnswer>;

/** Whatever happens in it ends in an event, without our key in it, and with nothing left of unsettled pictures. */
export async function converse<Ended>(
  work: AttemptWork,
  configured: Connection,
  talk: (call: Conversation) => Promise<Event | Ended>,
): Promise<Event | Ended> {
  const { environment } = work;
  const connection = connectionAt(configured, work.credential);
  if (connection === undefined) return ended(work, { ok: false, failure: noHost(work) });
  const intake = createIntake(environment.assets, { maxBlobs: MAX_PICTURES });
  let sent = false;
  const send: Conversation['send'] = async (request, clocks, streamed) => {
    sent = true;
    const credential = credentialOf(connection, work.credential);
    const authorized = withTraceHeaders(connection.provider.authorize(request, credential), work, connection);
    const done = await exchange(environment.io, authorized, { ...clocks, ...exchangeOptions(work, intake, streamed) });
    // Before anything is cut short: half a key is one too many.
    return done.ok
      ? { ...done, response: withoutSecret(done.response, credential.secret) }
      : withoutSecret(done, credential.secret);
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

/** A provider that repeats our key in its answer must not carry it into a journal. */
export function withoutSecret<Value>(event: Value, secret: string): Value {
  // As they stand inside a text of JSON.
  const forms = secretForms(secret).map((form) => JSON.stringify(form).slice(1, -1));
  if (forms.length === 0) return event;
  const text = JSON.stringify(event);
  if (!forms.some((form) => text.includes(form))) return event;
  return JSON.parse(forms.reduce((left, form) => left.replaceAll(form, '[redacted]'), text));
}

/** Ten pictures with three previews each, and room for a provider that sends more. */
const MAX_PICTURES = 64;

export function ended(work: RunWork, outcome: Outcome, done?: Exchange): Event {
  const requestId = done?.ok ? requestIdOf(done.response, work) : undefined;
  const { status, headers } = (done?.ok ? done.response : done) ?? {};
  const told = headers && toldHeaders(headers);
  return {
    type: 'attempt-ended',
    at: work.environment.io.now(),
    attempt: work.attempt,
    outcome: work.target.free ? unbilled(outcome) : outcome,
    ...(status !== undefined && { status }),
    ...(requestId !== undefined && { requestId }),
    ...(told && { headers: told }),
    ...(done && { timing: done.timing }),
  };
}

function requestIdOf(response: HttpResponse, { environment, target }: RunWork): string | undefined {
  const { provider } = environment.connection(target.provider) ?? {};
  const { headers } = response;
  const id = provider?.requestId?.(response) ?? headers['x-request-id'] ?? headers['request-id'];
  return id === undefined ? undefined : presentable(id) || undefined;
}

export function contextOf(
  work: Pick<RunWork, 'runId' | 'attempt' | 'target' | 'credential'> & {
    readonly environment: Pick<RunWork['environment'], 'webhookUrl' | 'assetsUrl'>;
  },
  connection: Connection,
): CallContext {
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

export function exchangeOptions({ environment }: AttemptWork, intake: Intake, streamed?: StreamedAnswer) {
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

/** Before it was sent a fault of an adapter, after it one of storing: then the work was done, and another would be paid. */
export function unexpected(error: unknown, sent: boolean): Failure {
  return sent
    ? { kind: 'storage', certainty: 'completed', message: `the picture could not be stored: ${messageOf(error)}` }
    : unfit(error);
}

/** A fault of an adapter, before anything was sent. */
export function unfit(error: unknown): Failure {
  const message = `the request could not be put into this provider's terms: ${messageOf(error)}`;
  return { kind: 'invalid', certainty: 'not_sent', message };
}

export function noConnection(target: PlannedTarget, makes = 'makes images'): Failure {
  return {
    kind: 'unavailable',
    certainty: 'not_sent',
    message: `the configuration has no provider "${target.provider}" that ${makes} any more`,
  };
}

/** The server is not among those that are configured any more. */
export function noHost({ target, credential }: RunWork): Failure {
  const message = `the configuration has no server "${credential}" for ${target.id} any more`;
  return { kind: 'unavailable', certainty: 'not_sent', message };
}
