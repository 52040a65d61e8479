/**
 * fal through its queue: a request is submitted (`POST queue.fal.run/{app}`), its status looked up, and when that says
 * COMPLETED, its result fetched, which is a picture or the error that the status does not tell. The addresses come with
 * the answer, because the status of `fal-ai/flux/dev` is not under its own path. `sync_mode` is never sent.
 * Facts: @fal-ai/client 1.10.1 with its types of every app; docs.fal.ai of 2026-11. Unverified: how long a picture
 * lives, and what a cancellation of a running request costs.
 */
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/fal.json' with { type: 'json' };
import { classifyFal, jobsOwnEnd } from './fal-errors.ts';
import { trustedUrl } from './links.ts';
import { readModelFile } from './model-data.ts';
import type {
  CallContext,
  CancelReading,
  FailureReading,
  Handle,
  Model,
  Progress,
  Provider,
  ProviderImage,
} from './provider.ts';
import { sidesOf } from './sides.ts';
import { withoutId } from './undecided.ts';

const QUEUE_HOSTS = ['queue.fal.run'];
/** Under `requests` are those that were made, not apps. */
const APP = /^[\w-][\w.-]{0,99}(?:\/(?!requests(?:\/|$))[\w-][\w.-]{0,99}){1,5}$/;

/** A model of several apps: which one makes, edits, edits under a mask, and what its fields are called. */
interface Apps {
  readonly generate?: string;
  readonly edit?: string;
  readonly inpaint?: string;
  /** `image_urls` takes several; default `image_url`. */
  readonly images?: 'image_url' | 'image_urls';
  readonly format?: string;
}

const SDXL = 'fal-ai/fast-sdxl';
const APPS: ReadonlyMap<string, Apps> = new Map<string, Apps>([
  ['fal-ai/flux/dev', { edit: 'fal-ai/flux/dev/image-to-image' }],
  ['fal-ai/flux-pro/kontext', { generate: 'fal-ai/flux-pro/kontext/text-to-image' }],
  ['fal-ai/flux-pro/kontext/max', { generate: 'fal-ai/flux-pro/kontext/max/text-to-image' }],
  ['fal-ai/flux-2-pro', { edit: 'fal-ai/flux-2-pro/edit', images: 'image_urls' }],
  ['fal-ai/nano-banana', { edit: 'fal-ai/nano-banana/edit', images: 'image_urls' }],
  ['fal-ai/nano-banana-pro', { edit: 'fal-ai/nano-banana-pro/edit', images: 'image_urls' }],
  ['fal-ai/bytedance/seedream/v4/text-to-image', { edit: 'fal-ai/bytedance/seedream/v4/edit', images: 'image_urls' }],
  ['fal-ai/recraft/v3/text-to-image', { edit: 'fal-ai/recraft/v3/image-to-image' }],
  [SDXL, { edit: `${SDXL}/image-to-image`, inpaint: `${SDXL}/inpainting`, format: 'format' }],
]);

const MODELS = readModelFile(file).models;
const JSON_ACCEPTED = { accept: 'application/json' };

export const fal: Provider = {
  id: 'fal',
  access: { baseUrl: 'https://queue.fal.run', keyVariables: ['FAL_KEY', 'FAL_API_KEY'] },
  models: MODELS,
  model: falModel,
  authorize: (request, { secret }) => ({
    ...request,
    headers: { ...request.headers, authorization: `Key ${secret}` },
  }),
  classify: classifyFal,
  requestId: ({ headers }) => headers['x-fal-request-id'],
  results: { hosts: ['fal.media', 'fal.ai', 'fal.run', 'storage.googleapis.com'] },
  image: {
    submit: { build: submitRequest, parse: parseSubmit },
    poll: {
      build: (handle, context) => ({
        method: 'GET',
        url: isAtResult(handle) ? linkOf(handle, 'result', context) : linkOf(handle, 'status', context),
        headers: JSON_ACCEPTED,
      }),
      parse: ({ body }, handle) => (isAtResult(handle) ? readResult(body) : readStatus(body, handle)),
      verdict: (response, handle) => (isAtResult(handle) ? jobsOwnEnd(response) : undefined),
    },
    cancel: {
      build: (handle, context) => ({ method: 'PUT', url: linkOf(handle, 'cancel', context), headers: JSON_ACCEPTED }),
      parse: readCancel,
    },
  },
};

/** Anyone may publish an app, so any path may be one; nothing is known of it but its prompt. */
function falModel(id: string): Model | undefined {
  const listed = MODELS.find((model) => model.id === id);
  return listed ?? (APP.test(id) ? { ...UNKNOWN, id } : undefined);
}

const UNKNOWN: Omit<Model, 'id'> = {
  maxImagesPerCall: 1,
  operations: ['generate'],
  streams: false,
  capabilities: { size: { kind: 'fixed' } },
};

function submitRequest(request: ImageRequest, { model, baseUrl, webhookUrl }: CallContext): HttpRequest {
  const apps = APPS.get(model) ?? {};
  const query = webhookUrl === undefined ? '' : `?${new URLSearchParams({ fal_webhook: webhookUrl })}`;
  return {
    method: 'POST',
    url: `${baseUrl}/${appFor(request, apps) ?? model}${query}`,
    headers: JSON_ACCEPTED,
    body: { kind: 'json', value: inputOf(request, apps) },
  };
}

function appFor({ operation, mask }: ImageRequest, { generate, edit, inpaint }: Apps): string | undefined {
  if (operation !== 'edit') return generate;
  return mask === undefined ? edit : (inpaint ?? edit);
}

/** Fields that change where an answer goes are not a caller's to set. */
const NOT_PASSED: ReadonlySet<string> = new Set(['sync_mode', 'fal_webhook', 'webhook_url']);

function inputOf(request: ImageRequest, apps: Apps): JsonObject {
  const extra = Object.entries(request.extra ?? {}).filter(([key]) => !NOT_PASSED.has(key));
  const pictures = (request.images ?? []).map((asset) => embedded(asset, 'data-url'));
  const sides = sidesOf(request.size);
  const images = apps.images ?? 'image_url';
  const known: JsonObject = {
    prompt: request.prompt,
    ...(sides && { image_size: sides }),
    aspect_ratio: request.aspectRatio,
    resolution: request.resolution,
    ...(request.n > 1 && { num_images: request.n }),
    [apps.format ?? 'output_format']: request.outputFormat,
    seed: request.seed,
    negative_prompt: request.negativePrompt,
    ...(pictures.length > 0 && { [images]: images === 'image_urls' ? pictures : pictures[0] }),
    ...(request.mask && { mask_url: embedded(request.mask, 'data-url') }),
  };
  const fields = Object.entries({ ...Object.fromEntries(extra), ...known });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** `app` is what the addresses are built from where the answer's own are missing or elsewhere. */
function parseSubmit({ body }: HttpResponse, request: ImageRequest, { model }: CallContext): Progress {
  const id = stringAt(body, 'request_id');
  if (id === undefined || id === '') return withoutId('fal', 'request');
  const links = { status: 'status_url', result: 'response_url', cancel: 'cancel_url' } as const;
  const given = Object.entries(links).map(([name, key]) => [name, stringAt(body, key)] as const);
  const known = Object.fromEntries(given.flatMap(([name, url]) => (url === undefined ? [] : [[name, url]])));
  const app = appFor(request, APPS.get(model) ?? {}) ?? model;
  return { kind: 'waiting', handle: { id, app, ...known }, stage: 'queued' };
}

const PATHS = { status: '/status', result: '', cancel: '/cancel' } as const;

function linkOf(handle: Handle, name: keyof typeof PATHS, context: CallContext): string {
  const given = trustedUrl(stringAt(handle, name), context, QUEUE_HOSTS);
  if (given !== undefined) return given;
  const app = (stringAt(handle, 'app') ?? context.model).split('/');
  const isNamespaced = app[0] === 'workflows' || app[0] === 'comfy';
  const id = encodeURIComponent(stringAt(handle, 'id') ?? '');
  return `${context.baseUrl}/${app.slice(0, isNamespaced ? 3 : 2).join('/')}/requests/${id}${PATHS[name]}`;
}

function isAtResult(handle: Handle): boolean {
  return handle.step === 'result';
}

/** COMPLETED says that it ended, not that it went well. A status nobody here knows is a request still on its way. */
function readStatus(body: JsonValue | undefined, handle: Handle): Progress {
  const status = stringAt(body, 'status');
  if (status === 'COMPLETED') return { kind: 'waiting', handle: { ...handle, step: 'result' }, pollAfterMs: 0 };
  const stage = status === 'IN_QUEUE' ? 'queued' : status === 'IN_PROGRESS' ? 'running' : undefined;
  return { kind: 'waiting', handle, ...(stage !== undefined && { stage }) };
}

function readResult(body: JsonValue | undefined): Progress {
  const fields = isObject(body) ? body : {};
  const items: readonly JsonValue[] = Array.isArray(fields.images) ? fields.images : [fields.image ?? null];
  const flags = fields.has_nsfw_concepts ?? fields.nsfw_content_detected;
  const isFlagged = (index: number) => (Array.isArray(flags) ? flags[index] : flags) === true;
  const seed = items.length === 1 ? numberAt(fields, 'seed') : undefined;
  const images: ProviderImage[] = [];
  const missing: FailureReading[] = [];
  for (const [index, item] of items.entries()) {
    const source = sourceOf(item);
    if (isFlagged(index)) missing.push(BLACKENED);
    else if (source !== undefined) images.push({ source, ...(seed !== undefined && { seed }) });
  }
  if (images.length + missing.length === 0) missing.push(emptyResult(fields));
  return { kind: 'done', images, ...(missing.length > 0 && { missing }) };
}

function sourceOf(item: JsonValue) {
  const value = isObject(item) && item.$blob === undefined ? (item.url ?? item.file_data) : item;
  const isText = typeof value === 'string';
  return isText && !/^(?:https?:\/\/|data:)/i.test(value) ? undefined : imageSource(value);
}

const BLACKENED: FailureReading = {
  kind: 'policy',
  stage: 'output',
  certainty: 'completed',
  classifiedBy: 'has_nsfw_concepts',
  message: 'the safety checker of fal found the picture unsafe and made it black',
};

function emptyResult(fields: JsonObject): FailureReading {
  const said = stringAt(fields, 'description') ?? '';
  return { kind: 'empty', message: `fal answered success without a picture${said === '' ? '' : `: ${said}`}` };
}

/** fal takes the wish; whether the request had begun, and is billed, it does not say. */
function readCancel({ status, body }: HttpResponse): CancelReading {
  const said = stringAt(body, 'status') ?? `status ${status}`;
  return { confirmed: false, certainty: 'ambiguous', message: `fal answered ${said}` };
}
