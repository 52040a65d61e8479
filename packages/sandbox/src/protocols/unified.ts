import { randomBytes } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { invalidField } from './fields.ts';
import type { JobView } from './jobs.ts';
import { isPicture, referenceOf } from './orders.ts';
import type { ProtocolCall } from './protocol.ts';

/** What FoxAPI and EvoLink, which share a platform, have in common: their ids, their tasks, and links that live a day. */
export const LINK_LIFE_MS = 24 * 60 * 60_000;

const STATUSES: Readonly<Record<JobView['status'], string>> = {
  queued: 'pending',
  cold_start: 'pending',
  running: 'processing',
  succeeded: 'completed',
  failed: 'failed',
  moderated: 'failed',
  canceled: 'cancelled',
};

export function newTaskId(): string {
  return `task-unified-${Math.floor(Date.now() / 1000)}-${randomBytes(4).toString('hex')}`;
}

/** A task without its results and its error. */
export function taskOf(job: JobView): Record<string, unknown> {
  return {
    created: Math.floor(job.createdAt / 1000),
    id: job.id,
    model: job.model,
    object: 'image.generation.task',
    progress: job.progress,
    status: STATUSES[job.status],
    task_info: { can_cancel: true, estimated_time: 45 },
    type: 'image',
  };
}

/** Links to what was delivered; null until then, and where the list is to be left out. */
export async function linksOf(job: JobView): Promise<readonly string[] | null> {
  const pictures = await job.pictures();
  return pictures === undefined ? null : Promise.all(pictures.map((picture) => picture.link()));
}

const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;

/** Keeps the picture of a form's field `file`; its link is one to the imitation itself. */
export function keepUpload({ base, body, context, protocol }: ProtocolCall): { id: string; url: string; size: number } {
  const sent = body.files.find(({ field }) => field === 'file');
  if (!sent) throw invalidField('file', 'missing', 'the field is required');
  if (sent.bytes.length > MAX_UPLOAD_BYTES) {
    throw new RefusedError({ status: 413, message: 'The file is larger than 50 MB' });
  }
  if (!isPicture(sent.bytes)) throw invalidField('file', 'type', 'expected a picture');
  const id = context.uploads.open(protocol.name);
  context.uploads.put(protocol.name, id, sent.bytes);
  return { id, url: `${base}/v1/files/${id}`, size: sent.bytes.length };
}

export function uploadedFile({ context, params, protocol }: ProtocolCall): Answer {
  const bytes = context.uploads.get(protocol.name, params.id ?? '');
  if (!bytes) throw new RefusedError({ status: 404, message: 'File not found' });
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: [bytes] };
}

/** A link to what was uploaded here, read here and not over the network; any other link as it is. */
export function uploaded({ base, context, protocol }: ProtocolCall, url: unknown): unknown {
  const start = `${base}/v1/files/`;
  const bytes =
    typeof url === 'string' && url.startsWith(start)
      ? context.uploads.get(protocol.name, url.slice(start.length))
      : undefined;
  return bytes === undefined ? url : bytes.toString('base64');
}

/** The bytes behind `image_urls`, downloaded one after the other. */
export async function referencesOf(urls: readonly unknown[]): Promise<Buffer[]> {
  const references: Buffer[] = [];
  for (const url of urls) references.push(await referenceOf(url, 'image_urls'));
  return references;
}

export function errorAnswer(status: number, error: object, headers: Answer['headers'] = {}): Answer {
  return jsonAnswer(status, { error }, headers);
}
