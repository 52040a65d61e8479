import { createHash } from 'node:crypto';
import type { Catalogue, Io, JsonObject } from '@onetake/core';
import { httpAnswer } from '@onetake/core';
import type { Config } from '../config.ts';
import { checkStillAllowed } from '../http/allowed-models.ts';
import { readControls } from '../http/controls.ts';
import { fingerprint } from '../http/fingerprint.ts';
import { readImageWire } from '../http/image-wire.ts';
import { failureBody, invalidValue, problemBody, RequestProblem } from '../http/problem.ts';
import type { Keys } from '../keys/key.ts';
import type { Generations, Submission } from '../tasks/generations.ts';
import { readWebhook } from '../webhooks/request.ts';
import type { Batch } from './batch.ts';
import type { LineRecord } from './line-log.ts';

export interface BeginLineDeps {
  readonly generations: Generations;
  readonly config: Pick<Config, 'webhooks'>;
  readonly catalogue: Pick<Catalogue, 'defaultModel'>;
  readonly keys: Pick<Keys, 'named'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
}

/** The scope of the lines' idempotency keys. */
export const BATCH_SCOPE = '/v1/batches';
const FULL_PAUSE_MS = 1_000;

/** One line is one task: the store answers a repeat of this key with the task that it became. */
export function lineKey({ id }: Pick<Batch, 'id'>, index: number): string {
  return `${id}:${index}`;
}

/** The same however often the line is told. */
export function lineRequestId(batch: Pick<Batch, 'id'>, index: number): string {
  return `batch_req_${createHash('sha256').update(lineKey(batch, index)).digest('hex').slice(0, 24)}`;
}

/**
 * Makes the line a task, waiting while the queues are full. Once `ending` is aborted it waits no more, and the line is
 * left.
 */
export async function beginLine(
  batch: Batch,
  index: number,
  body: JsonObject,
  ending: AbortSignal,
  deps: BeginLineDeps,
): Promise<LineRecord> {
  const requestId = lineRequestId(batch, index);
  try {
    const submission = submissionOf(batch, index, body, deps);
    while (!ending.aborted) {
      const ticket = await deps.generations.submit(submission);
      if (ticket.kind === 'task') return { index, task: ticket.id };
      if (ticket.kind === 'refused') {
        const told = failureBody(ticket.failure, { requestId, now: deps.io.now() });
        return { index, refused: { status: httpAnswer(ticket.failure).status, body: told } };
      }
      if (ticket.kind !== 'full')
        throw new Error(`line ${index} of ${batch.id} became "${ticket.kind}", and not a task`);
      await pause(FULL_PAUSE_MS, ending, deps.io);
    }
    return { index, left: true };
  } catch (error) {
    if (!(error instanceof RequestProblem)) throw error;
    return { index, refused: { status: error.status, body: problemBody(error, requestId) } };
  }
}

/** Throws a `RequestProblem` for what the images endpoint would refuse, too. */
function submissionOf(batch: Batch, index: number, body: JsonObject, deps: BeginLineDeps): Submission {
  const { config, io, catalogue, keys } = deps;
  const wire = readImageWire('generate', body);
  checkStillAllowed(keys.named(batch.caller), wire.model ?? catalogue.defaultModel);
  if (wire.request.stream) throw notStreamed();
  const controls = readControls({}, wire.controlsBody, { fromBrowser: batch.fromBrowser });
  const { allowPrivate, callers } = config.webhooks;
  const configured = controls.webhook.events ? callers[batch.caller] : undefined;
  const webhook = readWebhook(controls.webhook, { allowPrivate, configured });
  const leftMs = Math.max(1, batch.expiresAt - io.now());
  const totalTimeoutMs = Math.min(controls.settings.totalTimeoutMs ?? leftMs, leftMs);
  return {
    caller: batch.caller,
    endpoint: BATCH_SCOPE,
    requestId: lineRequestId(batch, index),
    request: wire.request,
    model: wire.model,
    settings: { ...controls.settings, totalTimeoutMs },
    fingerprint: fingerprint(wire.canonical, []),
    attach: false,
    provenRetry: false,
    idempotencyKey: lineKey(batch, index),
    priority: 'batch',
    asTask: true,
    ...(webhook && { webhook }),
  };
}

export function notStreamed(): RequestProblem {
  return invalidValue('stream', 'nobody listens to a line of a batch; leave it out');
}

/** Resolves after so long, or as soon as the signal is aborted. */
export function pause(ms: number, signal: AbortSignal, io: Pick<Io, 'now' | 'timer'>): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = io.timer(io.now() + ms, end);
    function end() {
      stop();
      signal.removeEventListener('abort', end);
      resolve();
    }
    signal.addEventListener('abort', end, { once: true });
  });
}
