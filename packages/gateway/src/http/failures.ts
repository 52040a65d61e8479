import { adviceFor, type Certainty, FAILURES, type FailureKind, type Io, type JsonObject } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { FailureGroup, Ledger } from '../store/ledger.ts';
import { callerSeen } from './costs.ts';
import { parametersOf } from './parameters.ts';
import { stretchOf } from './period.ts';
import { invalidValue } from './problem.ts';

const LISTED = { usual: 50, most: 1_000 };

/**
 * `GET /v1/failures?since=7d`: what went wrong, each failure once however often it came, the latest first. Who is no
 * administrator sees those of their own key.
 */
export function listFailures({
  store,
  io,
}: {
  readonly store: Pick<Ledger, 'failures'>;
  readonly io: Pick<Io, 'now'>;
}) {
  return async (request: FastifyRequest): Promise<JsonObject> => {
    const { limit, caller: named, ...given } = parametersOf(request, ['since', 'until', 'caller', 'limit']);
    const stretch = stretchOf(given, io.now());
    const caller = callerSeen(request, named);
    const filter = { ...stretch, ...(caller !== undefined && { caller }), limit: limitOf(limit) };
    return { object: 'list', ...stretch, data: (await store.failures(filter)).map(failureItem) };
  };
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? LISTED.usual : /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LISTED.most) return limit;
  throw invalidValue('limit', `"${text?.slice(0, 50)}" is not a whole number from 1 to ${LISTED.most}`);
}

/** Of those that nobody knows the end of the code says so, whatever caused it. */
function certaintyOf(kind: FailureKind, code: string | undefined): Certainty {
  return code === FAILURES.interrupted.code ? 'ambiguous' : FAILURES[kind].certainty;
}

function failureItem({ fingerprint, target, kind, code, message, ...seen }: FailureGroup): JsonObject {
  return {
    fingerprint,
    count: seen.count,
    first_at: seen.first,
    last_at: seen.last,
    target: target ?? null,
    kind,
    code: code ?? null,
    message,
    keys: seen.callers,
    generation: seen.generation,
    advice: adviceFor({ kind, certainty: certaintyOf(kind, code), message }),
  };
}
