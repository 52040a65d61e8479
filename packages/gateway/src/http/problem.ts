import { billed, type ErrorType, type Failure, type Generation, type JsonObject, splitTarget } from '@onetake/core';
import { answersFor, CHAT_ANSWERS, type FailureAnswers, PICTURE_ANSWERS } from '../failure-answers.ts';
import { usdOf } from '../money/usd.ts';
import { StoreOverloadedError, StoreUnavailableError } from '../store/errors.ts';
import { type AnyPlan, makesPictures } from '../store/plan-kind.ts';
import { adaptedFields } from './adapted.ts';
import { refusalFields } from './refused.ts';

export interface ProblemOptions {
  /** The field or header at fault. */
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** What is wrong with a request before anything is spent on it. The message names field, value, rule and way out. */
export class RequestProblem extends Error {
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string;
  readonly param: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, options: ProblemOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RequestProblem';
    this.status = status;
    this.type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error');
    this.code = code;
    this.param = options.param;
    this.headers = options.headers ?? {};
  }
}

const TYPES: Readonly<Record<number, ErrorType>> = {
  401: 'authentication_error',
  402: 'permission_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

/** The 400 for a value that breaks its field's rule; `why` says what it is, the rule and the way out. */
export function invalidValue(param: string, why: string): RequestProblem {
  return new RequestProblem(400, 'invalid_value', `${param}: ${why}`, { param });
}

/** A failure that ended a request before it became a generation. */
export class FailureProblem extends Error {
  readonly failure: Failure;
  readonly answers: FailureAnswers;

  constructor(failure: Failure, answers = PICTURE_ANSWERS) {
    super(failure.message);
    this.name = 'FailureProblem';
    this.failure = failure;
    this.answers = answers;
  }
}

/** What Fastify itself refuses, told in the envelope's terms; undefined for an error that is nobody's request. */
export function requestProblemOf(error: unknown, bodyLimitBytes: number): RequestProblem | undefined {
  if (error instanceof RequestProblem) return error;
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  const { statusCode: status, message } = error;
  if (status === 413) return bodyTooLarge(bodyLimitBytes);
  if (status === 415) return new RequestProblem(415, 'unsupported_media_type', MEDIA_TYPES, { param: 'content-type' });
  if (status < 400 || status >= 500) return undefined;
  if ('code' in error && error.code === 'FST_ERR_BAD_URL')
    return invalidValue('path', 'it does not decode; write a percent sign in it as %25');
  return new RequestProblem(status, 'invalid_body', `body: ${message}; send one JSON object`, { cause: error });
}

const COME_BACK_SECONDS = 2;

/** A store that does not answer is nobody's fault here; what may have been taken is no 5xx, which SDKs repeat. */
export function storeProblemOf(error: unknown): RequestProblem | undefined {
  if (error instanceof StoreOverloadedError || (error instanceof StoreUnavailableError && !error.maybeDone)) {
    const headers = { 'retry-after': String(COME_BACK_SECONDS), 'x-should-retry': 'true' };
    const message = 'the gateway’s database does not answer now and nothing was begun; send the same request again';
    return new RequestProblem(503, 'storage_unavailable', message, { headers, cause: error });
  }
  if (!(error instanceof StoreUnavailableError)) return undefined;
  const message =
    'the gateway’s database went away and the request may have been taken; look at GET /v1/tasks before sending it again, or send it with an Idempotency-Key';
  return new RequestProblem(424, 'storage_unavailable', message, { cause: error });
}

const MEDIA_TYPES =
  'content-type: bodies are application/json, or multipart/form-data where files are uploaded; set the header to what is sent';

export function bodyTooLarge(limitBytes: number): RequestProblem {
  const limit = `the ${limitBytes} bytes this gateway accepts (body_limit_bytes)`;
  return new RequestProblem(413, 'file_too_large', `body: larger than ${limit}; send smaller or fewer pictures`);
}

/** The envelope of a `RequestProblem`. */
export function problemBody({ message, type, code, param }: RequestProblem, requestId: string): JsonObject {
  return { error: { message, type, code, param: param ?? null }, onetake: { request_id: requestId } };
}

export function problemHeaders(problem: RequestProblem): Record<string, string> {
  return { 'x-should-retry': 'false', ...problem.headers };
}

export interface FailureContext {
  readonly requestId: string;
  /** The generation that failed; absent when it never came to one. */
  readonly telling?: { readonly id: string; readonly plan: AnyPlan; readonly generation: Generation };
  /** Epoch ms. `retry_after_ms` counts from the end of the generation, so that a replay is identical, or else from here. */
  readonly now?: number;
  /** Where there is no generation to tell it by. Default: those of pictures. */
  readonly answers?: FailureAnswers;
}

/** The envelope of a failure: the error as OpenAI tells it, and under `onetake` what was tried and what it may have cost. */
export function failureBody(failure: Failure, context: FailureContext): JsonObject {
  const { requestId, telling } = context;
  const answers = telling ? answersFor(telling.plan) : (context.answers ?? PICTURE_ANSWERS);
  const { type, code } = answers.answer(failure);
  const provider = splitTarget(telling?.generation.targets[0] ?? '').provider;
  const since = telling ? endOf(telling.generation) : undefined;
  return {
    error: { message: failure.message, type, code, param: failure.param ?? null },
    onetake: {
      request_id: requestId,
      ...(telling && { generation: telling.id }),
      kind: failure.kind,
      certainty: failure.certainty,
      billed: billed(failure),
      ...(provider !== '' && { provider }),
      ...(failure.requestId !== undefined && { provider_request_id: failure.requestId }),
      ...(telling && {
        attempts: attemptLines(telling.generation),
        ...adaptedFields(telling.plan, telling.generation),
      }),
      ...(failure.notBefore !== undefined && {
        retry_after_ms: waitMs(failure.notBefore, since ?? context.now ?? Date.now()),
      }),
      ...budgetFields(failure),
      advice: answers.advice(failure),
      // What chat refuses is told by its message alone.
      ...(answers !== CHAT_ANSWERS && refusalFields(failure, picturePlanOf(telling))),
    },
  };
}

/** Which budget does not cover it, how it stands and when it starts anew. */
function budgetFields({ budget }: Failure): JsonObject {
  if (budget === undefined) return {};
  const { key, per, unit, most, spent, held, until } = budget;
  const told = (name: string, value: number | undefined): JsonObject => {
    if (value === undefined) return {};
    return unit === 'micro_usd' ? { [`${name}_usd`]: usdOf(value) } : { [`${name}_images`]: value };
  };
  return {
    budget: {
      key,
      window: per,
      ...told('limit', most),
      ...told('spent', spent),
      ...told('held', held),
      resets_at: until === undefined ? null : new Date(until).toISOString(),
    },
  };
}

function picturePlanOf(telling: FailureContext['telling']) {
  return telling && makesPictures(telling) ? telling.plan : undefined;
}

/** Says whether a client's own retry loop may run, and when a throttle, a quota or an overload ends. */
export function failureHeaders(failure: Failure, now: number, answers = PICTURE_ANSWERS): Record<string, string> {
  const { status } = answers.answer(failure);
  const { notBefore } = failure;
  const hinted = notBefore !== undefined && (status === 429 || status === 503);
  return {
    ...(!answers.mayRepeat(failure) && { 'x-should-retry': 'false' }),
    ...(hinted && {
      'retry-after': String(Math.max(1, Math.ceil(waitMs(notBefore, now) / 1000))),
      'retry-after-ms': String(waitMs(notBefore, now)),
    }),
  };
}

function waitMs(notBefore: number, now: number): number {
  return Math.max(0, notBefore - now);
}

function endOf({ runs }: Generation): number | undefined {
  const ends = runs.map((run) => run.finishedAt).filter((at) => at !== undefined);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/** Every attempt of every run; `run` tells children apart where there are several. */
function attemptLines({ runs }: Generation): readonly JsonObject[] {
  return runs.flatMap(({ attempts }, run) =>
    attempts.map(({ attempt, target, startedAt, endedAt, outcome, requestId }) => ({
      ...(runs.length > 1 && { run }),
      attempt,
      target,
      at: startedAt,
      ...(endedAt !== undefined && { ms: endedAt - startedAt }),
      ...(outcome?.ok === false && failureLine(outcome.failure)),
      ...(requestId !== undefined && { request_id: requestId }),
    })),
  );
}

function failureLine({ status, kind, certainty }: Failure): JsonObject {
  return { ...(status !== undefined && { status }), kind, certainty };
}
