import { CHAT_ENDPOINTS, type Io, type JsonValue } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { Batch } from '../batches/batch.ts';
import type { Batches, WantedBatch } from '../batches/batches.ts';
import type { Files } from '../batches/files.ts';
import type { Config } from '../config.ts';
import { cursorPage, type PageQuery } from './cursor-page.ts';
import { readExpiresAfter } from './expires-after.ts';
import { unknownFile } from './files.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { objectBody } from './image-wire.ts';
import { FailureProblem, invalidValue, RequestProblem } from './problem.ts';

export interface BatchRouteDeps {
  readonly batches: Batches;
  readonly files: Files;
  readonly config: Pick<Config, 'attachWindowMs' | 'retention'>;
  readonly io: Pick<Io, 'now'>;
}

export interface BatchRequest {
  Params: { id: string };
}

const ENDPOINTS = ['/v1/images/generations', ...CHAT_ENDPOINTS.map((endpoint) => `/v1/${endpoint}`)];
const COMPLETION_WINDOW = '24h';
const PAGE = { usual: 20, most: 100 };
const METADATA = { pairs: 16, keyChars: 64, valueChars: 512 };
const DAY_MS = 86_400_000;
const FULL_RETRY_MS = 60_000;

/** The handlers of `/v1/batches`: OpenAI's, over the tasks and the chat of this gateway. */
export function batchRoutes({ batches, files, config, io }: BatchRouteDeps) {
  /** What the caller made of the same request before: by its key, or because its client says that it repeats itself. */
  async function earlier({ headers }: FastifyRequest, wanted: WantedBatch): Promise<Batch | undefined> {
    const { caller, idempotencyKey } = wanted;
    const provenRetry = Number(headers['x-stainless-retry-count'] ?? 0) > 0;
    if (idempotencyKey === undefined && !provenRetry) return undefined;
    const own = await batches.list(caller);
    if (idempotencyKey === undefined) {
      const since = io.now() - config.attachWindowMs;
      return own.findLast((batch) => batch.createdAt >= since && isSame(batch, wanted));
    }
    const found = own.findLast(
      (batch) => batch.idempotencyKey === idempotencyKey && batch.createdAt > io.now() - DAY_MS,
    );
    if (found && !isSame(found, wanted)) throw mismatch();
    return found;
  }

  /** A repeat that comes while the first is being made waits for it. */
  let making: Promise<unknown> = Promise.resolve();
  function inTurn<Result>(make: () => Promise<Result>): Promise<Result> {
    const made = making.then(make);
    making = made.catch(() => {});
    return made;
  }

  async function known({ params, caller }: FastifyRequest<BatchRequest>): Promise<Batch> {
    const batch = await batches.find(caller, params.id);
    if (batch === undefined) throw unknownBatch(params.id);
    return batch;
  }

  return {
    async create(request: FastifyRequest) {
      const { caller, fromBrowser, headers } = request;
      const asked = readBatch(request.body);
      const input = await files.find(caller, asked.inputFileId);
      if (input === undefined) throw unknownFile(asked.inputFileId, 'input_file_id');
      if (input.purpose !== 'batch') throw notInput(input.id);
      const idempotencyKey = readIdempotencyKey(headers['idempotency-key']);
      const { endpoint, metadata } = asked;
      const outputMs = asked.outputMs ?? config.retention.days * DAY_MS;
      const own = { caller, fromBrowser, endpoint, metadata, outputMs, input };
      const wanted = { ...own, ...(idempotencyKey !== undefined && { idempotencyKey }) };
      const batch = await inTurn(async () => (await earlier(request, wanted)) ?? (await batches.create(wanted)));
      if (batch === undefined) throw tooMany(io.now());
      return batchView(batch);
    },

    async list({ caller, query }: FastifyRequest) {
      return cursorPage((await batches.list(caller)).toReversed(), query as PageQuery, PAGE, batchView);
    },

    read: async (request: FastifyRequest<BatchRequest>) => batchView(await known(request)),

    async cancel(request: FastifyRequest<BatchRequest>) {
      const batch = await batches.cancel(request.caller, request.params.id);
      if (batch === undefined) throw unknownBatch(request.params.id);
      if (batch.status === 'cancelling' || batch.status === 'cancelled') return batchView(batch);
      const message = `batch "${batch.id}": it is ${batch.status} already, so there is nothing to cancel`;
      throw new RequestProblem(409, 'batch_finished', message);
    },
  };
}

/** OpenAI's batch object; instants are epoch seconds, and null where they did not come. */
export function batchView(batch: Batch) {
  const { status, files, written = [], faults } = batch;
  const ended = (as: Batch['status']) => (status === as ? seconds(batch.endedAt) : null);
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    errors: faults ? { object: 'list', data: faults } : null,
    input_file_id: batch.inputFileId,
    completion_window: COMPLETION_WINDOW,
    status,
    output_file_id: written.includes('output') ? (files?.output ?? null) : null,
    error_file_id: written.includes('error') ? (files?.error ?? null) : null,
    created_at: Math.floor(batch.createdAt / 1000),
    in_progress_at: seconds(batch.inProgressAt),
    expires_at: seconds(batch.expiresAt),
    finalizing_at: seconds(batch.finalizingAt),
    completed_at: ended('completed'),
    failed_at: ended('failed'),
    expired_at: ended('expired'),
    cancelling_at: seconds(batch.cancellingAt),
    cancelled_at: ended('cancelled'),
    request_counts: batch.counts,
    ...(batch.usage && { usage: batch.usage }),
    metadata: batch.metadata,
  };
}

function seconds(atMs: number | undefined): number | null {
  return atMs === undefined ? null : Math.floor(atMs / 1000);
}

function readBatch(body: unknown) {
  const given = objectBody(body);
  const { input_file_id: inputFileId, endpoint, completion_window: window } = given;
  if (typeof inputFileId !== 'string')
    throw invalidValue('input_file_id', 'it is not the id of a file; upload one first');
  if (typeof endpoint !== 'string' || !ENDPOINTS.includes(endpoint)) {
    throw invalidValue('endpoint', `${shown(endpoint)} is not made in batches here; send ${ENDPOINTS.join(' or ')}`);
  }
  if (window !== COMPLETION_WINDOW) {
    throw invalidValue('completion_window', `${shown(window)} is not "${COMPLETION_WINDOW}"; there is no other`);
  }
  const outputMs = readExpiresAfter('output_expires_after', given.output_expires_after);
  return { inputFileId, endpoint, metadata: readMetadata(given.metadata), outputMs };
}

function readMetadata(value: JsonValue | undefined): Batch['metadata'] {
  if (value === undefined || value === null) return null;
  const entries = typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : undefined;
  const { pairs, keyChars, valueChars } = METADATA;
  const isSound = (entry: readonly [string, unknown]): entry is [string, string] =>
    entry[0].length <= keyChars && typeof entry[1] === 'string' && entry[1].length <= valueChars;
  if (entries && entries.length <= pairs && entries.every(isSound)) return Object.fromEntries(entries);
  const rule = `up to ${pairs} pairs of a key of ${keyChars} and a text of ${valueChars} characters at most`;
  throw invalidValue('metadata', `it is not an object of ${rule}; shorten it or leave it out`);
}

function isSame(batch: Batch, wanted: WantedBatch): boolean {
  return (
    batch.inputFileId === wanted.input.id &&
    batch.endpoint === wanted.endpoint &&
    JSON.stringify(batch.metadata) === JSON.stringify(wanted.metadata)
  );
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 100);
}

function notInput(id: string): RequestProblem {
  return invalidValue('input_file_id', `"${id}" is the output of a batch; upload a file with purpose "batch"`);
}

function unknownBatch(id: string): RequestProblem {
  const message = `batch "${id.slice(0, 100)}": there is none of this id; GET /v1/batches lists yours`;
  return new RequestProblem(404, 'not_found', message);
}

function mismatch(): RequestProblem {
  const message = 'Idempotency-Key: it was used for another batch within 24 hours; send a new key, or the same request';
  return new RequestProblem(422, 'idempotency_mismatch', message, { param: 'Idempotency-Key' });
}

function tooMany(now: number): FailureProblem {
  const message = 'as many batches are open as may be; wait for one to end, or cancel one';
  return new FailureProblem({ kind: 'queue_full', certainty: 'not_sent', message, notBefore: now + FULL_RETRY_MS });
}
