import type { HttpRequest, HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import { jobFailure } from './comfyui-errors.ts';
import type { CallContext, CancelReading, FailureReading, Handle, Progress, ProviderImage } from './provider.ts';

const HEADERS = { accept: 'application/json' };

function jobOf(handle: Handle): string {
  return stringAt(handle, 'job') ?? '';
}

/** `/queue` until the job has left it, then its history. */
export function lookAt(handle: Handle, { baseUrl }: CallContext): HttpRequest {
  const path = handle.left === true ? `history/${encodeURIComponent(jobOf(handle))}` : 'queue';
  return { method: 'GET', url: `${baseUrl}/${path}`, headers: HEADERS };
}

/** A handle says whether the job was `running`, and whether it has `left` the queue. */
export function readLook({ body }: HttpResponse, handle: Handle, context: CallContext): Progress {
  const job = jobOf(handle);
  const known = isObject(body) ? body : {};
  if (handle.left !== true) return readQueue(known, job, handle);
  const entry = Object.hasOwn(known, job) ? known[job] : undefined;
  if (!isObject(entry)) return { kind: 'failed', failure: GONE };
  const failure = jobFailure(entry);
  return failure ? { kind: 'failed', failure } : readOutputs(entry, handle, context);
}

function readQueue({ queue_running, queue_pending }: JsonObject, job: string, handle: Handle): Progress {
  if (!Array.isArray(queue_running) || !Array.isArray(queue_pending)) return { kind: 'waiting', handle };
  const isOurs = (item: JsonValue) => Array.isArray(item) && item[1] === job;
  if (queue_running.some(isOurs)) return { kind: 'waiting', handle: { ...handle, running: true }, stage: 'running' };
  if (queue_pending.some(isOurs)) return { kind: 'waiting', handle, stage: 'queued' };
  return { kind: 'waiting', handle: { ...handle, left: true }, pollAfterMs: 0 };
}

const GONE: FailureReading = {
  kind: 'interrupted',
  certainty: 'ambiguous',
  message: 'the server knows nothing of the job any more; it was restarted, or somebody cleared its queue or history',
  classifiedBy: 'neither in /queue nor in /history',
};

/** Saved pictures, in the order of their nodes; previews only where nothing was saved. */
function readOutputs(entry: JsonObject, handle: Handle, { baseUrl }: CallContext): Progress {
  const outputs = isObject(entry.outputs) ? Object.values(entry.outputs) : [];
  const files = outputs.flatMap((output) =>
    isObject(output) && Array.isArray(output.images) ? output.images.filter(isObject) : [],
  );
  const saved = files.filter((file) => stringAt(file, 'type') === 'output');
  const seed = numberAt(handle, 'seed');
  const images = (saved.length > 0 ? saved : files).flatMap((file): ProviderImage[] => {
    const filename = stringAt(file, 'filename') ?? '';
    if (filename === '') return [];
    const [subfolder, type] = [stringAt(file, 'subfolder') ?? '', stringAt(file, 'type') ?? 'output'];
    const url = `${baseUrl}/view?${new URLSearchParams({ filename, subfolder, type })}`;
    return [{ source: { kind: 'url', url }, ...(seed !== undefined && { seed }) }];
  });
  const wanted = images.slice(0, numberAt(handle, 'n') ?? 1);
  return { kind: 'done', images: wanted, ...(wanted.length === 0 && { missing: [NO_OUTPUT] }) };
}

const NO_OUTPUT: FailureReading = {
  kind: 'empty',
  message:
    'the workflow ended without a picture; it needs a SaveImage node, and a {{seed}} where the server does not run an unchanged graph again',
};

/** Takes it from the queue, or interrupts it where it was last seen running. */
export function giveUp(handle: Handle, { baseUrl }: CallContext): HttpRequest {
  const job = jobOf(handle);
  const [path, value] = handle.running === true ? ['interrupt', { prompt_id: job }] : ['queue', { delete: [job] }];
  return { method: 'POST', url: `${baseUrl}/${path}`, headers: HEADERS, body: { kind: 'json', value } };
}

/** It says 200 to everything. */
export function readCancel({ status }: HttpResponse): CancelReading {
  const message = status < 300 ? 'the server took note and does not say of what' : `the server answered ${status}`;
  return { confirmed: false, certainty: 'ambiguous', message };
}
