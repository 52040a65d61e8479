/**
 * DeepInfra: pictures by its own inference API (`POST /inference/{model}`, data URLs in `images`), edits by its
 * OpenAI-shaped one beside it. The base URL is the part both share.
 * Facts: @ai-sdk/deepinfra 3.0, read 2026-11. Unverified: 402, 429 and the flags of its safety checker, which are read
 * where they come.
 */
import type { HttpRequest, HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/deepinfra.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { speaksOfModeration } from './moderation-words.ts';
import { bearer, imageSubmit, parseImages } from './openai.ts';
import { CHAT_AND_EMBEDDINGS, openaiCatalog, openaiChat } from './openai-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, FailureReading, Model, Progress, Provider } from './provider.ts';
import { sidesOf } from './sides.ts';

const { models: MODELS } = readModelFile(file);
const NAME = /^\w[\w.-]{0,99}\/\w[\w.-]{0,99}$/;
const edits = imageSubmit((fields) => fields);

export const deepinfra: Provider = {
  id: 'deepinfra',
  access: { baseUrl: 'https://api.deepinfra.com/v1', keyVariables: ['DEEPINFRA_API_KEY', 'DEEPINFRA_TOKEN'] },
  models: MODELS,
  model: deepinfraModel,
  authorize: bearer,
  classify,
  requestId: ({ body }) => stringAt(body, 'request_id'),
  catalog: openaiCatalog(openaiRoot),
  image: { submit: { build, parse } },
  chat: openaiChat({ endpoints: CHAT_AND_EMBEDDINGS, root: openaiRoot, takesAny: true }),
};

function openaiRoot(baseUrl: string): string {
  return `${baseUrl}/openai`;
}

/** The list is longer than ours and changes; what has the shape of a name is passed on. */
function deepinfraModel(id: string): Model | undefined {
  const known = MODELS.find((model) => model.id === id);
  if (known || !NAME.test(id)) return known;
  return { id, maxImagesPerCall: 1, operations: ['generate'], streams: false };
}

function build(request: ImageRequest, context: CallContext): HttpRequest {
  const { model, baseUrl } = context;
  if (request.operation === 'edit') return edits.build(request, { ...context, baseUrl: openaiRoot(baseUrl) });
  const value: JsonObject = {
    ...request.extra,
    prompt: request.prompt,
    num_images: request.n,
    ...sidesOf(request.size),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.negativePrompt !== undefined && { negative_prompt: request.negativePrompt }),
  };
  const headers = { accept: 'application/json' };
  return { method: 'POST', url: `${baseUrl}/inference/${model}`, headers, body: { kind: 'json', value } };
}

const FLAGGED: FailureReading = {
  kind: 'policy',
  stage: 'output',
  certainty: 'completed',
  message: 'the safety checker of the model flagged the picture',
  classifiedBy: 'nsfw_content_detected',
};

function parse(response: HttpResponse): Progress {
  const body = isObject(response.body) ? response.body : {};
  if (!Array.isArray(body.images)) return parseImages(response);
  const pictures: readonly JsonValue[] = body.images;
  const flags: readonly JsonValue[] = Array.isArray(body.nsfw_content_detected) ? body.nsfw_content_detected : [];
  const seed = numberAt(body, 'seed');
  const cost = numberAt(body.inference_status, 'cost');
  const images = pictures.flatMap((picture, index) => {
    const source = flags[index] === true ? undefined : imageSource(picture);
    return source === undefined ? [] : [{ source, ...(seed !== undefined && { seed: seed + index }) }];
  });
  return {
    kind: 'done',
    images,
    missing: pictures.filter((_, index) => flags[index] === true).map(() => FLAGGED),
    ...(cost !== undefined && { costUsd: cost }),
  };
}

/** `{detail: {error}}`, FastAPI's list of faults, or OpenAI's envelope. */
function classify(response: HttpResponse): FailureReading | undefined {
  const detail = isObject(response.body) ? response.body.detail : undefined;
  const [first]: readonly JsonValue[] = Array.isArray(detail) ? detail : [];
  const message = stringAt(detail, 'error') ?? stringAt(first, 'msg');
  if (response.status < 400 || message === undefined) return classifyOpenai(response);
  if (speaksOfModeration(response.status, message)) return { kind: 'policy', stage: 'input', message };
  // Only the shared table judges what a proxy may have said.
  if (response.status >= 500 && ![502, 503, 504].includes(response.status)) return { kind: 'server', message };
  return classifyOpenai({ ...response, body: { error: { message } } });
}
