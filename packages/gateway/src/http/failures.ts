import { adviceFor, type Certainty, FAILURES, type FailureKind, type Io, type JsonObject } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { FailureGroup, Ledger } from '../store/ledger.ts';
import { callerSeen } from './admin.ts';
import { limitOf } from './listing.ts';
import { parametersOf } from './parameters.ts';
import { stretchOf } from './period.ts';

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
    const filter = { ...stretch, ...(caller !== undefined && { caller }), limit: limitOf(limit, LISTED) };
    return { object: 'list', ...stretch, data: (await store.failures(filter)).map(failureItem) };
  };
}

/** Of those that nobody knows the end of the code says so, whatever caused it. */
function certaintyOf(kind: FailureKind, code: string | undefined): Certainty {
  return code === FAILURES.interrupted.code ? 'ambiguous' : FAILURES[kind].certainty;
}

/** A group of failures as lists show it. */
export function failureItem({ fingerprint, target, kind, code, message, ...seen }: FailureGroup): JsonObject {
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
