import { type Failure, foldGeneration, httpAnswer, type JsonObject } from '@onetake/core';
import { imagesBody } from '../http/answer.ts';
import { failureBody } from '../http/problem.ts';
import type { Segment } from '../http/segments.ts';
import { makesPictures } from '../store/plan-kind.ts';
import type { StoredGeneration } from '../store/store.ts';
import type { Batch } from './batch.ts';
import { lineRequestId } from './begin-line.ts';
import type { LineRecord } from './line-log.ts';

/** A line of the output or the error file, without its line break. */
export interface OutputLine {
  readonly file: 'output' | 'error';
  readonly segments: readonly Segment[];
}

type NamedLine = Pick<LineEnd, 'index' | 'customId'>;

export interface LineEnd {
  readonly index: number;
  readonly customId: string;
  /** Undefined for one that was never begun. */
  readonly record: LineRecord | undefined;
  /** Undefined where there is none, or the store knows it no more. */
  readonly generation: StoredGeneration | undefined;
  /** Links begin with this. */
  readonly assetsUrl: string;
  readonly form: 'b64_json' | 'url';
}

/** What one line came to: pictures go to the output, everything else to the errors. */
export function outputLine(batch: Batch, end: LineEnd): OutputLine {
  const { record, generation } = end;
  if (record !== undefined && 'refused' in record)
    return answered(batch, end, record.refused.status, record.refused.body);
  if (record === undefined || 'left' in record) return unanswered(batch, end, notBegun(batch));
  if (generation === undefined || !makesPictures(generation)) return unanswered(batch, end, FORGOTTEN);
  const telling = { id: generation.id, plan: generation.plan, generation: foldGeneration(generation.journals) };
  const { outcome } = telling.generation;
  if (outcome?.ok) {
    const delivery = end.form === 'url' ? { form: end.form, assetsUrl: end.assetsUrl } : { form: end.form };
    const body = imagesBody(telling, outcome.images, outcome.missing ?? [], delivery);
    return { file: 'output', segments: [lineOpening(batch, end, 200), ...body, '},"error":null}'] };
  }
  const failure = outcome?.failure ?? UNSENT;
  const body = failureBody(failure, { requestId: generation.requestId, telling });
  return answered(batch, end, httpAnswer(failure).status, body);
}

/** Of what ended while it waited: nothing of it is in a journal. */
const UNSENT: Failure = { kind: 'canceled', certainty: 'not_sent', message: 'canceled before anything was sent' };

const FORGOTTEN = {
  code: 'not_found',
  message: 'the generation of this line was removed by the retention setting before the batch was over',
};

function notBegun({ status }: Batch) {
  return status === 'cancelling'
    ? { code: 'batch_cancelled', message: 'This request was not begun: the batch was canceled before.' }
    : { code: 'batch_expired', message: 'This request was not begun before the completion window ended.' };
}

function answered(batch: Batch, end: LineEnd, status: number, body: JsonObject): OutputLine {
  return { file: 'error', segments: [lineOpening(batch, end, status), JSON.stringify(body), '},"error":null}'] };
}

/** A line that has no answer of its own. */
export function unanswered(batch: Batch, { index, customId }: NamedLine, error: JsonObject): OutputLine {
  const line = { id: lineRequestId(batch, index), custom_id: customId, response: null, error };
  return { file: 'error', segments: [JSON.stringify(line)] };
}

/** A line of an output or error file, up to the body of its response. */
export function lineOpening(batch: Batch, { index, customId }: NamedLine, status: number): string {
  const id = lineRequestId(batch, index);
  const head = JSON.stringify({ id, custom_id: customId });
  return `${head.slice(0, -1)},"response":{"status_code":${status},"request_id":"${id}","body":`;
}
