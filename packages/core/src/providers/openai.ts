/**
 * OpenAI Images: generations (JSON) and edits (multipart), with streaming. GPT image models always answer base64, so
 * `response_format` is never sent; the gateway serves the form the caller asked for. There is no job id, no
 * idempotency and no price per picture: usage is billed by tokens.
 * Facts: the openai SDK's types 7.55 and the "Create image" reference, read 2026-11.
 */
import type { HttpRequest, HttpResponse, SseEvent } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import { readChatModelFile } from './chat-model-data.ts';
import data from './data/openai.json' with { type: 'json' };
import chatData from './data/openai-chat.json' with { type: 'json' };
import { filePart, formParts } from './form.ts';
import { readModelFile } from './model-data.ts';
import { openaiCatalog, openaiChat } from './openai-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, Model, Progress, Provider, ProviderImage, StreamReading, SubmitCall } from './provider.ts';

const GENERATE_AND_EDIT = ['generate', 'edit'] as const;

/** Shut down by now and therefore not listed: dall-e-2, dall-e-3 and gpt-image-1. */
const { models: MODELS } = readModelFile(data);
const { models: CHAT_MODELS } = readChatModelFile(chatData);
const OWN_NAMES =
  /^(?:gpt-(?!image)|chatgpt-(?!image)|o[134](?:-|$)|text-embedding-(?:3|ada)|codex-|computer-use-|ft:(?:gpt|o[134])-)/;

/** A model of an OpenAI-shaped server, as far as its name alone tells. */
export function openaiModel(id: string): Model {
  return { id, maxImagesPerCall: 10, operations: GENERATE_AND_EDIT, streams: true };
}

export const openai: Provider = {
  id: 'openai',
  access: { baseUrl: 'https://api.openai.com/v1', keyVariables: ['OPENAI_API_KEY'] },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  classify: classifyOpenai,
  catalog: openaiCatalog(),
  image: { submit: imageSubmit(withoutSeed), stream: readImageEvent },
  chat: openaiChat({ models: CHAT_MODELS, owns: OWN_NAMES }),
};

/** Any server that speaks OpenAI's API at a base URL; it may have any model, and may have none of these limits. */
export const openaiCompatible: Provider = {
  id: 'openai-compatible',
  models: [],
  model: openaiModel,
  authorize: bearer,
  classify: classifyOpenai,
  catalog: openaiCatalog(),
  image: { submit: imageSubmit((fields) => fields), stream: readImageEvent },
  chat: openaiChat({ takesAny: true }),
};

export function bearer(request: HttpRequest, credential: { secret: string }): HttpRequest {
  if (credential.secret === '') return request;
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${credential.secret}` } };
}

/** GPT image models have no seed and refuse unknown fields. */
export function withoutSeed(fields: JsonObject): JsonObject {
  const { seed: _seed, ...kept } = fields;
  return kept;
}

export function imageSubmit(adapt: (fields: JsonObject) => JsonObject): SubmitCall {
  return {
    build: (request, context) => {
      const fields = adapt(wireFields(request, context));
      return request.operation === 'edit' ? editRequest(request, fields, context) : generationRequest(fields, context);
    },
    parse: parseImages,
  };
}

function wireFields(request: ImageRequest, context: CallContext): JsonObject {
  const known: JsonObject = {
    model: context.model,
    prompt: request.prompt,
    n: request.n,
    size: request.size,
    quality: request.quality,
    output_format: request.outputFormat,
    output_compression: request.outputCompression,
    background: request.background,
    moderation: request.moderation,
    seed: request.seed,
    negative_prompt: request.negativePrompt,
    aspect_ratio: request.aspectRatio,
    resolution: request.resolution,
    stream: request.stream === true ? true : undefined,
    partial_images: request.stream === true ? request.partialImages : undefined,
  };
  // A field of ours wins over an unknown one of the same name, so that nothing checked can be smuggled past.
  const fields = Object.entries({ ...request.extra, ...known });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function generationRequest(fields: JsonObject, context: CallContext): HttpRequest {
  const headers = { accept: fields.stream === true ? 'text/event-stream' : 'application/json' };
  return {
    method: 'POST',
    url: `${context.baseUrl}/images/generations`,
    headers,
    body: { kind: 'json', value: fields },
  };
}

function editRequest(request: ImageRequest, fields: JsonObject, context: CallContext): HttpRequest {
  const files = request.images ?? [];
  const name = files.length > 1 ? 'image[]' : 'image';
  const pictures = files.map((asset, index) => filePart(name, asset, `image-${index + 1}`));
  const mask = request.mask ? [filePart('mask', request.mask)] : [];
  const parts = formParts(Object.entries(fields), [...pictures, ...mask]);
  const headers = { accept: fields.stream === true ? 'text/event-stream' : 'application/json' };
  return { method: 'POST', url: `${context.baseUrl}/images/edits`, headers, body: { kind: 'multipart', parts } };
}

export function parseImages(response: HttpResponse): Progress {
  const body = isObject(response.body) ? response.body : {};
  const items: readonly JsonValue[] = Array.isArray(body.data) ? body.data : [];
  const images = items.map((item) => providerImage(item, body)).filter((image) => image !== undefined);
  return { kind: 'done', images, ...(isObject(body.usage) && { usage: body.usage }) };
}

/** `told` holds what the provider settled on: the whole answer, or the event itself. */
function providerImage(item: JsonValue, told: JsonObject): ProviderImage | undefined {
  if (!isObject(item)) return undefined;
  const source = imageSource(item.b64_json) ?? imageSource(item.url);
  if (source === undefined) return undefined;
  const seed = numberAt(item, 'seed');
  const revisedPrompt = stringAt(item, 'revised_prompt');
  const background = stringAt(told, 'background');
  const quality = stringAt(told, 'quality');
  const resolved = { ...(background !== undefined && { background }), ...(quality !== undefined && { quality }) };
  return {
    source,
    ...(seed !== undefined && { seed }),
    ...(revisedPrompt !== undefined && { revisedPrompt }),
    ...(Object.keys(resolved).length > 0 && { resolved }),
  };
}

/** `image_generation.*` and `image_edit.*` events; errors come as an event named `error` or as an object holding one. */
export function readImageEvent({ event, data }: SseEvent): StreamReading | undefined {
  if (!isObject(data)) return undefined;
  const type = stringAt(data, 'type') ?? event ?? '';
  if (event === 'error' || type === 'error' || (data.error ?? undefined) !== undefined) return streamFailure(data);
  const { b64_json: base64, ...rest } = data;
  const source = imageSource(base64);
  if (source === undefined) return undefined;
  if (type.endsWith('.partial_image')) {
    return { kind: 'partial', index: numberAt(data, 'partial_image_index') ?? 0, source, event: rest };
  }
  if (!type.endsWith('.completed')) return undefined;
  const image = providerImage(data, data) ?? { source };
  return { kind: 'completed', image, ...(isObject(data.usage) && { usage: data.usage }) };
}

function streamFailure(data: JsonObject): StreamReading {
  const error = isObject(data.error) ? data.error : data;
  const reading = classifyOpenai({ status: 200, headers: {}, body: { error }, text: '' });
  return {
    kind: 'failed',
    failure: reading ?? { kind: 'server', message: 'the stream ended in an error without a message' },
  };
}
