/**
 * Replicate: a prediction is made (`POST /models/{owner}/{name}/predictions`, or `POST /predictions` with a version),
 * looked up by its id, and given up by it. `Prefer: wait` is never sent: the id in our journal is what makes a lost
 * answer no lost picture. What a prediction takes and gives is its model's own; `INPUTS` holds the differences.
 * Facts: the replicate SDK 1.4, the models' pages and docs of 2026-11. Unverified: every code but E005, the stage of a
 * block, and whether a failed prediction is billed, so a failure says `failed`, never `rejected`.
 */
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import type { Asset } from '../images/asset.ts';
import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/replicate.json' with { type: 'json' };
import { filePart } from './form.ts';
import { trustedUrl } from './links.ts';
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, Model, PaidRequest, Progress, Provider } from './provider.ts';
import { classifyReplicate, readCanceled, readPrediction } from './replicate-predictions.ts';
import { sidesOf } from './sides.ts';

/** Bytes whose base64 stays under the 256 kB that a data URL may have; what is larger is uploaded first. */
const MAX_INLINE_BYTES = 180 * 1024;
const HOSTS = ['api.replicate.com'];
const REFERENCE = /^\w[\w.-]{0,99}\/\w[\w.-]{0,99}(?::[0-9a-f]{64})?$/;

/** What a model calls its inputs where that is not `image`, `num_outputs`, `width` and `height`. */
interface Inputs {
  /** Where reference pictures go; `list` where it takes several. */
  readonly images?: string;
  readonly list?: true;
  readonly count?: string;
  readonly size?: string;
  readonly resolution?: string;
}

const INPUTS: ReadonlyMap<string, Inputs> = new Map([
  ['black-forest-labs/flux-kontext-pro', { images: 'input_image' }],
  ['black-forest-labs/flux-kontext-max', { images: 'input_image' }],
  ['black-forest-labs/flux-2-pro', { images: 'input_images', list: true }],
  ['google/nano-banana', { images: 'image_input', list: true }],
  ['google/nano-banana-2', { images: 'image_input', list: true }],
  ['google/nano-banana-pro', { images: 'image_input', list: true }],
  ['bytedance/seedream-4', { images: 'image_input', list: true, resolution: 'size' }],
  ['ideogram-ai/ideogram-4-5', { images: 'images', list: true, count: 'num_images' }],
  ['recraft-ai/recraft-v3', { size: 'size' }],
]);

const MODELS = readModelFile(file).models;

export const replicate: Provider = {
  id: 'replicate',
  access: {
    baseUrl: 'https://api.replicate.com/v1',
    keyVariables: ['REPLICATE_API_TOKEN', 'REPLICATE_API_KEY'],
    baseUrlVariables: ['REPLICATE_BASE_URL'],
  },
  models: MODELS,
  model: replicateModel,
  authorize: bearer,
  classify: classifyReplicate,
  results: { hosts: ['replicate.delivery', 'replicate.com'], authorized: ['replicate.delivery', 'api.replicate.com'] },
  image: {
    submit: { build: (request, context) => nextRequest(request, context, []), parse: parseSubmit, paid: paidRequest },
    poll: {
      build: (handle, context) => ({ method: 'GET', url: predictionUrl(handle, context), headers: JSON_ACCEPTED }),
      parse: readPrediction,
    },
    cancel: {
      build: (handle, context) => ({
        method: 'POST',
        url: `${predictionUrl(handle, context)}/cancel`,
        headers: JSON_ACCEPTED,
      }),
      parse: readCanceled,
    },
  },
};

const JSON_ACCEPTED = { accept: 'application/json' };

/** Anyone may publish a model, so any name may be one; nothing is known of it but its prompt. */
function replicateModel(id: string): Model | undefined {
  const listed = MODELS.find((model) => model.id === id);
  if (listed !== undefined || !REFERENCE.test(id)) return listed;
  const known = MODELS.find((model) => nameOf(model.id) === nameOf(id));
  return known ? { ...known, id } : { ...UNKNOWN, id };
}

const UNKNOWN: Omit<Model, 'id'> = {
  maxImagesPerCall: 1,
  operations: ['generate'],
  streams: false,
  capabilities: { size: { kind: 'fixed' } },
};

function nameOf(id: string): string {
  return id.split(':')[0] ?? id;
}

function predictionUrl(handle: JsonObject, { baseUrl }: CallContext): string {
  return `${baseUrl}/predictions/${encodeURIComponent(stringAt(handle, 'id') ?? '')}`;
}

/** The next upload while one is due, then the prediction. `uploads` are the links of those that were made, in order. */
function nextRequest(request: ImageRequest, context: CallContext, uploads: readonly string[]): HttpRequest {
  const due = largePictures(request)[uploads.length];
  return due === undefined ? predictionRequest(request, context, uploads) : uploadRequest(due, context);
}

function paidRequest(request: ImageRequest, context: CallContext): PaidRequest {
  const standIns = largePictures(request).map((_, index) => `LINK-TO-UPLOAD-${index + 1}`);
  return { request: predictionRequest(request, context, standIns), standIns };
}

function picturesOf({ images = [], mask }: ImageRequest): readonly Asset[] {
  return mask === undefined ? images : [...images, mask];
}

function largePictures(request: ImageRequest): readonly Asset[] {
  return picturesOf(request).filter((asset) => asset.bytes > MAX_INLINE_BYTES);
}

function uploadRequest(asset: Asset, { baseUrl }: CallContext): HttpRequest {
  const body = { kind: 'multipart', parts: [filePart('content', asset, 'picture')] } as const;
  return { method: 'POST', url: `${baseUrl}/files`, headers: JSON_ACCEPTED, body, free: true };
}

function predictionRequest(request: ImageRequest, context: CallContext, uploads: readonly string[]): HttpRequest {
  const [name = '', version] = context.model.split(':');
  const { webhookUrl = '', baseUrl } = context;
  // A prediction with a webhook that is not https is refused; only an imitation of Replicate is reached without it.
  const isCalledBack = webhookUrl.startsWith('https:') || (webhookUrl !== '' && !baseUrl.startsWith('https:'));
  const value: JsonObject = {
    ...(version !== undefined && { version }),
    input: inputOf(request, INPUTS.get(name) ?? {}, uploads),
    ...(isCalledBack && { webhook: webhookUrl, webhook_events_filter: ['completed'] }),
  };
  const path = version === undefined ? `/models/${name}/predictions` : '/predictions';
  return { method: 'POST', url: `${baseUrl}${path}`, headers: JSON_ACCEPTED, body: { kind: 'json', value } };
}

function inputOf(request: ImageRequest, inputs: Inputs, uploads: readonly string[]): JsonObject {
  const { webhook: _webhook, webhook_events_filter: _filter, ...extra } = request.extra ?? {};
  const links = uploads.values();
  const sent = (asset: Asset): JsonValue =>
    asset.bytes > MAX_INLINE_BYTES ? (links.next().value ?? '') : embedded(asset, 'data-url');
  const pictures = (request.images ?? []).map(sent);
  const known: JsonObject = {
    prompt: request.prompt,
    aspect_ratio: request.aspectRatio,
    ...(inputs.size === undefined ? sidesOf(request.size) : { [inputs.size]: request.size }),
    [inputs.resolution ?? 'resolution']: request.resolution,
    ...(request.n > 1 && { [inputs.count ?? 'num_outputs']: request.n }),
    output_format: request.outputFormat === 'jpeg' ? 'jpg' : request.outputFormat,
    output_quality: request.outputCompression,
    seed: request.seed,
    negative_prompt: request.negativePrompt,
    ...(pictures.length > 0 && { [inputs.images ?? 'image']: inputs.list ? pictures : pictures[0] }),
    ...(request.mask && { mask: sent(request.mask) }),
  };
  const fields = Object.entries({ ...extra, ...known });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function parseSubmit(response: HttpResponse, request: ImageRequest, context: CallContext, state?: JsonValue): Progress {
  const uploads = Array.isArray(state) ? state.filter((one): one is string => typeof one === 'string') : [];
  if (uploads.length >= largePictures(request).length) return readPrediction(response, undefined);
  const urls = isObject(response.body) ? response.body.urls : undefined;
  const link = trustedUrl(stringAt(urls, 'get'), context, HOSTS);
  if (link === undefined) {
    const message = 'Replicate took a picture and did not say where it is';
    return { kind: 'failed', failure: { kind: 'server', certainty: 'rejected', message } };
  }
  const made = [...uploads, link];
  return { kind: 'next', request: nextRequest(request, context, made), state: made };
}
