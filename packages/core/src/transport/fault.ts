import { TransportError, type WirePhase } from '../io.ts';

const MAX_CAUSES = 10;

/** The body's source failed while it was being sent: our disk, not the provider and not the network. */
export class BodyReadError extends Error {
  readonly code = 'BODY_READ';
}

/** What ended an exchange, told as a `TransportError`; `cause` keeps the original. */
export function transportError(phase: WirePhase, error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  const code = error instanceof BodyReadError ? error.code : deepestCode(error);
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  return new TransportError(phase, code, message, { cause: error });
}

export function abortedError(phase: WirePhase): TransportError {
  return new TransportError(phase, 'ABORTED', 'The caller ended the request.');
}

/**
 * The code of the innermost cause that has one, because wrappers name only themselves; without any the error's name.
 * An AggregateError (every address of a host failed) stands for its first error.
 */
export function deepestCode(error: unknown): string {
  let code = error instanceof Error ? error.name : 'UNKNOWN';
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') code = current.code;
    current = current.cause ?? (current instanceof AggregateError ? current.errors[0] : undefined);
  }
  return code;
}
