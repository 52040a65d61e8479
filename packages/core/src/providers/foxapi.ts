/**
 * FoxAPI, an aggregator of many makers' models behind one task API. Reference pictures are uploaded first (kept for
 * 72 hours, not billed); results live for 24 hours.
 * Facts: docs.foxapi.cc (error codes in two revisions, task detail, image models), read 2026-11. Unverified: the upload
 * route's form (third-party clients), how many references a model takes, whether a failed task is billed, so what it
 * tried and failed at says `failed`. Its cancellation is announced (`can_cancel`) and documented nowhere.
 */
import type { FailureKind } from '../failure.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { type Asset, IMAGE_TYPES } from '../images/asset.ts';
import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/foxapi.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, Progress, Provider } from './provider.ts';
import {
  BLOCKED_WORDS,
  classifyUnified,
  generationRequest,
  readTask,
  type TaskCodes,
  taskPoll,
} from './unified-task.ts';

export const foxapi: Provider = {
  id: 'foxapi',
  access: {
    baseUrl: 'https://api.foxapi.cc/v1',
    keyVariables: ['FOXAPI_API_KEY'],
    baseUrlVariables: ['FOXAPI_BASE_URL'],
  },
  models: readModelFile(file).models,
  model: (id) => foxapi.models.find((model) => model.id === id),
  authorize: bearer,
  classify: classifyUnified,
  image: {
    submit: {
      build: (request, context) => nextRequest(request, context, []),
      parse: parseSubmit,
    },
    poll: taskPoll(taskCodes),
  },
};

/** Uploads what is not uploaded yet, then generates. */
function nextRequest(request: ImageRequest, context: CallContext, urls: readonly string[]): HttpRequest {
  const asset = request.images?.[urls.length];
  return asset === undefined ? generationRequest(fieldsOf(request, context, urls), context) : upload(asset, context);
}

function upload(asset: Asset, { baseUrl }: CallContext): HttpRequest {
  const filename = `reference.${IMAGE_TYPES[asset.type].extension}`;
  return {
    method: 'POST',
    url: `${baseUrl}/files/upload/stream`,
    headers: { accept: 'application/json' },
    body: { kind: 'multipart', parts: [{ name: 'file', filename, asset }] },
    free: true,
  };
}

/** `state` holds the links of what was uploaded before the request that is answered. */
function parseSubmit(response: HttpResponse, request: ImageRequest, context: CallContext, state?: JsonValue): Progress {
  const before =
    isObject(state) && Array.isArray(state.urls) ? state.urls.filter((url) => typeof url === 'string') : [];
  if (before.length >= (request.images?.length ?? 0)) return readTask(response, taskCodes);
  const data = isObject(response.body) ? response.body.data : undefined;
  const url = stringAt(response.body, 'url') ?? stringAt(data, 'url');
  if (url === undefined) {
    const message = 'the provider took the upload of a picture and gave no link to it';
    return { kind: 'failed', failure: { kind: 'server', certainty: 'rejected', message } };
  }
  const urls = [...before, url];
  return { kind: 'next', request: nextRequest(request, context, urls), state: { urls } };
}

/** What a caller may not set through the back door of unknown fields. */
const RESERVED = { callback_url: undefined, webhook_url: undefined };

function fieldsOf(request: ImageRequest, { model }: CallContext, urls: readonly string[]): JsonObject {
  const isWan = model.startsWith('wan-');
  // Its edits keep the shape of their picture, and refuse to be told another.
  const aspectRatio = model.startsWith('grok-') && urls.length > 0 ? undefined : request.aspectRatio;
  return {
    ...request.extra,
    ...RESERVED,
    model,
    prompt: request.prompt,
    num_outputs: request.n > 1 ? request.n : undefined,
    ...(isWan ? { image_size: WAN_SIZES.get(aspectRatio ?? '') } : { aspect_ratio: aspectRatio }),
    resolution: request.resolution,
    size: request.size,
    quality: request.quality,
    output_format: request.outputFormat,
    seed: request.seed,
    negative_prompt: request.negativePrompt,
    image_urls: urls.length > 0 ? urls : undefined,
  };
}

/** Named on the model's page as far as `portrait_4_3`; the others are fal's names, which it follows. */
const WAN_SIZES: ReadonlyMap<string, string> = new Map([
  ['1:1', 'square_hd'],
  ['3:4', 'portrait_4_3'],
  ['9:16', 'portrait_16_9'],
  ['4:3', 'landscape_4_3'],
  ['16:9', 'landscape_16_9'],
]);

const TASK_CODES: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries({
    model_unavailable: 'overloaded',
    timeout: 'timeout',
    content_policy_violation: 'policy',
    invalid_image_url: 'image_url',
    file_too_large: 'too_large',
    unsupported_format: 'image_format',
  } as const),
);

/** `generation_failed` is also what a blocked picture is called, in its own documentation; the message tells. */
function taskCodes(code: string, message: string): ReturnType<TaskCodes> {
  return TASK_CODES.get(code) ?? (BLOCKED_WORDS.test(message) ? 'policy' : 'server');
}
