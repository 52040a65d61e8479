import { randomBytes } from 'node:crypto';
import { type Answer, jsonAnswer } from '../wire/answer.ts';
import type { JobView } from './jobs.ts';
import { referenceOf } from './orders.ts';

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

/** The bytes behind `image_urls`, downloaded one after the other. */
export async function referencesOf(urls: readonly unknown[]): Promise<Buffer[]> {
  const references: Buffer[] = [];
  for (const url of urls) references.push(await referenceOf(url, 'image_urls'));
  return references;
}

export function errorAnswer(status: number, error: object, headers: Answer['headers'] = {}): Answer {
  return jsonAnswer(status, { error }, headers);
}
