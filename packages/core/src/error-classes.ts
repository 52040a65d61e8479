import { type ErrorContext, OnetakeError } from './errors.ts';
import type { Failure, FailureKind } from './failure.ts';
import type { Event } from './journal.ts';

/** Too much was sent for what a key, an account or a queue allows. */
export class RateLimitError extends OnetakeError {
  override readonly name = 'RateLimitError';
}

/** The provider could not be reached, or the connection to it was lost. */
export class APIConnectionError extends OnetakeError {
  override readonly name: string = 'APIConnectionError';
}

/** A clock ran out; `failure.clock` says which one, after how long, and the setting that moves it. */
export class APITimeoutError extends APIConnectionError {
  override readonly name = 'APITimeoutError';
}

/** The provider refuses the key. */
export class AuthenticationError extends OnetakeError {
  override readonly name = 'AuthenticationError';
}

/** The key is good and may not do that: rights, a balance, a budget. */
export class PermissionError extends OnetakeError {
  override readonly name = 'PermissionError';
}

/** Nobody has the model, or what else was named. */
export class NotFoundError extends OnetakeError {
  override readonly name = 'NotFoundError';
}

/** The provider's 409: the same work is under way, or in another state than the request takes it for. */
export class ConflictError extends OnetakeError {
  override readonly name = 'ConflictError';
}

/** The request has to be changed: a field, a file, or what it asks for. */
export class BadRequestError extends OnetakeError {
  override readonly name = 'BadRequestError';
}

/** The provider tried and failed, has no room, or answered with what cannot be used. */
export class InternalServerError extends OnetakeError {
  override readonly name = 'InternalServerError';
}

/**
 * The caller's own signal ended the call. Its name is the one by which programs know an abort, `cause` is the signal's
 * reason, and `failure` says whether what was sent may be billed.
 */
export class CanceledError extends OnetakeError {
  override readonly name = 'AbortError';
}

type ErrorClass = new (...told: ConstructorParameters<typeof OnetakeError>) => OnetakeError;

/** By the cause alone: whether it may be billed, which decides the gateway's status, is told by `failure.certainty`. */
const CLASSES: Readonly<Record<FailureKind, ErrorClass>> = {
  throttled: RateLimitError,
  quota: RateLimitError,
  queue_full: RateLimitError,
  billing: PermissionError,
  budget: PermissionError,
  permission: PermissionError,
  authentication: AuthenticationError,
  not_found: NotFoundError,
  retired: NotFoundError,
  invalid: BadRequestError,
  capability: BadRequestError,
  too_large: BadRequestError,
  image_url: BadRequestError,
  image_format: BadRequestError,
  policy: BadRequestError,
  network: APIConnectionError,
  certificate: APIConnectionError,
  timeout: APITimeoutError,
  overloaded: InternalServerError,
  server: InternalServerError,
  out_of_memory: InternalServerError,
  empty: InternalServerError,
  corrupt: InternalServerError,
  suspect: InternalServerError,
  storage: InternalServerError,
  unavailable: InternalServerError,
  interrupted: OnetakeError,
  canceled: CanceledError,
};

/** What is said of a failure beside it. */
export interface ErrorTelling extends Omit<ErrorContext, 'cause'> {
  readonly journals?: readonly (readonly Event[])[];
  /** The caller's signal: once it is aborted every failure is the end that it asked for. */
  readonly signal?: AbortSignal | undefined;
}

/** The error of the class that the failure's cause has; a provider's 409 is a conflict whatever else it says. */
export function errorFor(failure: Failure, { journals = [], signal, ...context }: ErrorTelling = {}): OnetakeError {
  if (signal?.aborted) return new CanceledError(failure, journals, { ...context, cause: signal.reason });
  const Class = failure.status === CONFLICT ? ConflictError : CLASSES[failure.kind];
  return new Class(failure, journals, context);
}

const CONFLICT = 409;
