/**
 * The task API that FoxAPI and EvoLink share, as their `task-unified-*` ids do: `POST /images/generations` answers a
 * task, `GET /tasks/{id}` says how far it is. Their fields, error codes and results differ and are read by each of them.
 */
import { type ProviderWords, providerWords } from '../envelope.ts';
import type { FailureKind } from '../failure.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import type { Asset } from '../images/asset.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import { filePart } from './form.ts';
import type {
  CallContext,
  FailureReading,
  Handle,
  ImageSource,
  PollCall,
  Progress,
  ProviderImage,
  Stage,
  SubmitCall,
} from './provider.ts';
import { withoutId } from './undecided.ts';

/** What a failed task's code means, with its message at hand because some codes have two meanings. */
export type TaskCodes = (code: string, message: string) => FailureKind;

/** Both ask for three to five seconds between looks. */
const POLL_AFTER_MS = 3_000;

const HEADERS = { accept: 'application/json' };

/** Links to what was uploaded for a request. */
export interface Uploaded {
  readonly images: readonly string[];
  readonly mask?: string;
}

interface TaskSubmit {
  readonly codes: TaskCodes;
  /** Where pictures are uploaded to; nothing is billed for it, and they are kept for 72 hours. */
  readonly uploadUrl: (context: CallContext) => string;
  readonly fields: (request: ImageRequest, context: CallContext, uploaded: Uploaded) => JsonObject;
}

/** Uploads references and mask one after the other, then asks for the task. */
export function taskSubmit({ codes, uploadUrl, fields }: TaskSubmit): SubmitCall {
  const nextRequest = (request: ImageRequest, context: CallContext, urls: readonly string[]): HttpRequest => {
    const asset = assetsOf(request)[urls.length];
    if (asset !== undefined) return upload(asset, uploadUrl(context));
    const images = urls.slice(0, request.images?.length ?? 0);
    const mask = urls[images.length];
    const wanted = fields(request, context, { images, ...(mask !== undefined && { mask }) });
    const value = Object.fromEntries(Object.entries(wanted).filter(([, given]) => given !== undefined));
    const url = `${context.baseUrl}/images/generations`;
    return { method: 'POST', url, headers: HEADERS, body: { kind: 'json', value } };
  };
  return {
    build: (request, context) => nextRequest(request, context, []),
    paid(request, context) {
      const standIns = assetsOf(request).map((_, index) => `LINK-TO-UPLOAD-${index + 1}`);
      return { request: nextRequest(request, context, standIns), standIns };
    },
    // `state` holds the links of what was uploaded before the request that is answered.
    parse(response, request, context, state) {
      const known = isObject(state) && Array.isArray(state.urls) ? state.urls : [];
      const before = known.filter((url) => typeof url === 'string');
      if (before.length >= assetsOf(request).length) return readTask(response, codes);
      const url = uploadedUrl(response);
      if (url === undefined) return { kind: 'failed', failure: NO_LINK };
      const urls = [...before, url];
      return { kind: 'next', request: nextRequest(request, context, urls), state: { urls } };
    },
  };
}

function assetsOf({ images = [], mask }: ImageRequest): readonly Asset[] {
  return mask === undefined ? images : [...images, mask];
}

function upload(asset: Asset, url: string): HttpRequest {
  const parts = [filePart('file', asset, 'reference')];
  return { method: 'POST', url, headers: HEADERS, body: { kind: 'multipart', parts }, free: true };
}

function uploadedUrl({ body }: HttpResponse): string | undefined {
  const data = isObject(body) ? body.data : undefined;
  return stringAt(body, 'url') ?? stringAt(data, 'file_url') ?? stringAt(data, 'url');
}

const NO_LINK: FailureReading = {
  kind: 'server',
  certainty: 'rejected',
  message: 'the provider took the upload of a picture and gave no link to it',
};

export function taskPoll(codes: TaskCodes): PollCall {
  return {
    build: (handle, { baseUrl }) => ({
      method: 'GET',
      url: `${baseUrl}/tasks/${encodeURIComponent(stringAt(handle, 'task') ?? '')}`,
      headers: HEADERS,
    }),
    parse: (response, handle) => readTask(response, codes, handle),
  };
}

const STAGES: ReadonlyMap<string, Stage> = new Map([
  ['pending', 'queued'],
  ['processing', 'running'],
]);

/** The status decides, not the error beside it: a completed task may carry one. An unknown status is still on its way. */
function readTask({ body }: HttpResponse, codes: TaskCodes, known?: Handle): Progress {
  const status = stringAt(body, 'status') ?? '';
  if (status === 'completed') return { kind: 'done', images: picturesOf(body) };
  if (status === 'failed') return { kind: 'failed', failure: taskFailure(body, codes) };
  if (status === 'cancelled' || status === 'canceled') return { kind: 'failed', failure: canceled(body) };
  const task = stringAt(body, 'id') || stringAt(body, 'task_id');
  const handle = known ?? (task ? { task } : undefined);
  if (handle === undefined) return withoutId('the provider', 'task');
  const stage = STAGES.get(status);
  const progress = numberAt(body, 'progress');
  return {
    kind: 'waiting',
    handle,
    pollAfterMs: POLL_AFTER_MS,
    ...(stage !== undefined && { stage }),
    ...(progress !== undefined && { progress: Math.min(100, Math.max(0, progress)) }),
  };
}

/** `results` of links or of objects that hold one; `output` on older pages; `result_data` beside the results. */
function picturesOf(body: JsonValue | undefined): readonly ProviderImage[] {
  if (!isObject(body)) return [];
  const output = isObject(body.output) ? body.output : {};
  for (const list of [body.results, output.urls, output.url, body.result_data]) {
    const found = (Array.isArray(list) ? list : [list]).map(sourceOf).filter((source) => source !== undefined);
    if (found.length > 0) return found.map((source) => ({ source }));
  }
  return [];
}

function sourceOf(item: JsonValue | undefined): ImageSource | undefined {
  if (typeof item === 'string') return /^(?:https?:|data:)/i.test(item) ? imageSource(item) : undefined;
  if (!isObject(item)) return undefined;
  return imageSource(item) ?? sourceOf(stringAt(item, 'url') ?? stringAt(item, 'image_url'));
}

/** A task that tried and failed may have cost its upstream; one that was refused did nothing. */
const TRIED: readonly FailureKind[] = ['server', 'timeout', 'empty'];

function taskFailure(body: JsonValue | undefined, codes: TaskCodes): FailureReading {
  const error = isObject(body) ? body.error : undefined;
  const code = stringAt(error, 'code');
  const message = stringAt(error, 'message') ?? code ?? 'the task failed, and the provider does not say why';
  const kind = codes(code ?? '', message);
  if (kind === 'canceled') return canceled(body);
  return {
    kind,
    message,
    classifiedBy: `task error ${code ?? 'without a code'}`,
    ...(code !== undefined && { code }),
    ...(TRIED.includes(kind) && { certainty: 'failed' as const }),
    ...(kind === 'policy' && stageOf(message)),
  };
}

function canceled(body: JsonValue | undefined): FailureReading {
  const error = isObject(body) ? body.error : undefined;
  const message = stringAt(error, 'message') ?? 'the provider says that the task was canceled';
  return { kind: 'canceled', certainty: 'ambiguous', cancel: 'confirmed', message, classifiedBy: 'task canceled' };
}

export const BLOCKED_WORDS = /content polic|moderat|safety|nsfw|nudity|sensitive|violat/i;

function stageOf(message: string): Pick<FailureReading, 'stage' | 'certainty'> | undefined {
  if (/\boutput\b|generated (?:image|content)/i.test(message)) return { stage: 'output', certainty: 'completed' };
  return /\binput\b|prompt|your request|uploaded|in (?:the )?image/i.test(message) ? { stage: 'input' } : undefined;
}

/** Codes and types of refused requests; both providers use some of either's. */
const KINDS: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries({
    content_policy_violation: 'policy',
    model_unavailable: 'overloaded',
    service_unavailable_error: 'overloaded',
    service_unavailable: 'overloaded',
    resource_exhausted: 'overloaded',
    unsupported_advanced_options: 'capability',
    invalid_image_url: 'image_url',
    file_too_large: 'too_large',
    file_too_large_error: 'too_large',
    unsupported_format: 'image_format',
    invalid_task_id: 'not_found',
  } as const),
);

/** Their 502 and 504 wrap a proxy's guess; only the shared status table judges those. */
const UNDECIDED: readonly number[] = [408, 409, 502, 504];
const MISSING_MODEL = /\bmodel\b.{0,80}(?:not exist|not found|not support|unknown|invalid)/i;

/**
 * Reads `{error: {message, type, code}}` around a refused request or look. The code of EvoLink is the HTTP status as a
 * number and says nothing; the type is the business code then.
 */
export function classifyUnified(response: HttpResponse): FailureReading | undefined {
  const { status, body } = response;
  const isGood = status >= 200 && status < 300;
  if (isGood && (stringAt(body, 'id') ?? stringAt(body, 'task_id')) !== undefined) return undefined;
  const words = providerWords(response);
  if (words === undefined || UNDECIDED.includes(status)) return undefined;
  const kind = kindOf(words, status) ?? (isGood ? 'server' : undefined);
  if (kind === undefined) return undefined;
  const code = words.code ?? words.type;
  const message = words.message ?? code ?? 'the provider gave no message';
  return {
    kind,
    message,
    ...(code !== undefined && { code, classifiedBy: `status ${status}, code ${code}` }),
    ...(kind === 'policy' && stageOf(message)),
    ...(kind === 'throttled' && { throttle: 'requests' as const }),
  };
}

function kindOf({ code = '', type = '', message = '' }: ProviderWords, status: number): FailureKind | undefined {
  const named = KINDS.get(code) ?? KINDS.get(type);
  if (named !== undefined) return named;
  if (code === 'insufficient_quota' || type === 'insufficient_quota') return status === 402 ? 'billing' : 'quota';
  if (status === 429) return 'throttled';
  // A task is only made after this answer, so a 503 in their own words refused to make one.
  if (status === 503) return 'overloaded';
  return (status === 400 || status === 422) && MISSING_MODEL.test(message) ? 'not_found' : undefined;
}
