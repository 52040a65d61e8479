/**
 * Image models on AWS Bedrock (`POST /model/{id}/invoke`): Amazon's Nova Canvas and Titan, and Stability's, each with a
 * body of its own. Authorization is a Bedrock API key as a bearer; requests are not signed with AWS access keys.
 * A refused prompt is a ValidationException that only its words tell from a bad request; a refused picture is a 200
 * with an `error`, and beside it the pictures that passed.
 * Facts: @aws-sdk/client-bedrock-runtime 3.1162 and AWS's pages on Nova, read 2026-11. Unverified: Stability's
 * `finish_reasons` on Bedrock, the mask's polarity for every task, and which of these models are being retired.
 */
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/bedrock.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, FailureReading, Progress, Provider } from './provider.ts';
import { sidesOf } from './sides.ts';

const { models: MODELS } = readModelFile(file);
const DEFAULT_SIMILARITY = 0.7;
/** What an edit of Stability's wants to be told, where the caller does not say. */
const DEFAULT_STRENGTH = 0.6;

export const bedrock: Provider = {
  id: 'bedrock',
  access: {
    baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com',
    keyVariables: ['AWS_BEARER_TOKEN_BEDROCK'],
  },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  classify,
  requestId: ({ headers }) => headers['x-amzn-requestid'],
  image: { submit: { build, parse } },
};

function build(request: ImageRequest, { model, baseUrl }: CallContext): HttpRequest {
  const value = model.startsWith('stability.') ? stabilityBody(request) : amazonBody(request);
  return {
    method: 'POST',
    url: `${baseUrl}/model/${encodeURIComponent(model)}/invoke`,
    headers: { accept: 'application/json' },
    body: { kind: 'json', value: { ...request.extra, ...value } },
  };
}

function amazonBody(request: ImageRequest): JsonObject {
  const imageGenerationConfig: JsonObject = {
    numberOfImages: request.n,
    ...sidesOf(request.size),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.quality !== undefined && { quality: request.quality === 'high' ? 'premium' : 'standard' }),
  };
  return { ...taskOf(request), imageGenerationConfig };
}

function taskOf(request: ImageRequest): JsonObject {
  const text: JsonObject = {
    text: request.prompt,
    ...(request.negativePrompt !== undefined && { negativeText: request.negativePrompt }),
  };
  const images = (request.images ?? []).map((asset) => embedded(asset, 'base64'));
  const [image] = images;
  if (image === undefined) return { taskType: 'TEXT_IMAGE', textToImageParams: text };
  if (request.mask) {
    const inPaintingParams = { ...text, image, maskImage: embedded(request.mask, 'base64') };
    return { taskType: 'INPAINTING', inPaintingParams };
  }
  const imageVariationParams = { ...text, images, similarityStrength: DEFAULT_SIMILARITY };
  return { taskType: 'IMAGE_VARIATION', imageVariationParams };
}

function stabilityBody(request: ImageRequest): JsonObject {
  const [image] = request.images ?? [];
  return {
    prompt: request.prompt,
    ...(request.negativePrompt !== undefined && { negative_prompt: request.negativePrompt }),
    ...(request.aspectRatio !== undefined && !image && { aspect_ratio: request.aspectRatio }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.outputFormat !== undefined && { output_format: request.outputFormat }),
    ...(image && {
      mode: 'image-to-image',
      strength: request.extra?.strength ?? DEFAULT_STRENGTH,
      image: embedded(image, 'base64'),
    }),
  };
}

function parse({ body }: HttpResponse, request: ImageRequest): Progress {
  const pictures: readonly JsonValue[] = isObject(body) && Array.isArray(body.images) ? body.images : [];
  const reasons: readonly JsonValue[] = isObject(body) && Array.isArray(body.finish_reasons) ? body.finish_reasons : [];
  const seeds: readonly JsonValue[] = isObject(body) && Array.isArray(body.seeds) ? body.seeds : [];
  const filtered = reasons.flatMap((reason) => (typeof reason === 'string' ? [filteredBy(reason)] : []));
  const images = pictures.flatMap((picture, index) => {
    const source = typeof reasons[index] === 'string' ? undefined : imageSource(picture);
    const seed = seeds[index];
    return source === undefined ? [] : [{ source, ...(typeof seed === 'number' && { seed }) }];
  });
  const error = stringAt(body, 'error');
  const held = error === undefined ? 0 : Math.max(1, request.n - images.length);
  const missing = [...filtered, ...Array.from({ length: held }, () => blockedOutput(error ?? ''))];
  return { kind: 'done', images, missing };
}

function blockedOutput(message: string): FailureReading {
  const isRefusal = /content filters|blocked/i.test(message);
  return isRefusal
    ? { kind: 'policy', stage: 'output', certainty: 'completed', message, classifiedBy: 'error in a 200' }
    : { kind: 'server', certainty: 'failed', message, classifiedBy: 'error in a 200' };
}

/** `Filter reason: prompt`, `… input image`, `… output image`, or `Inference error`. */
function filteredBy(reason: string): FailureReading {
  const message = `Bedrock answered without this picture: ${reason}`;
  if (/inference error/i.test(reason)) return { kind: 'server', certainty: 'failed', message };
  if (/output/i.test(reason)) return { kind: 'policy', stage: 'output', certainty: 'completed', message };
  return { kind: 'policy', stage: 'input', certainty: 'rejected', message };
}

const EXCEPTIONS: ReadonlyMap<string, Omit<FailureReading, 'message'>> = new Map([
  ['AccessDeniedException', { kind: 'permission' }],
  ['UnrecognizedClientException', { kind: 'authentication' }],
  ['ExpiredTokenException', { kind: 'authentication' }],
  ['InvalidSignatureException', { kind: 'authentication' }],
  ['ConflictException', { kind: 'invalid' }],
  ['ServiceQuotaExceededException', { kind: 'quota' }],
  ['ResourceNotFoundException', { kind: 'not_found' }],
  ['ModelTimeoutException', { kind: 'timeout', certainty: 'failed' }],
  ['ModelErrorException', { kind: 'server', certainty: 'failed' }],
  ['ModelStreamErrorException', { kind: 'server', certainty: 'failed' }],
  ['ThrottlingException', { kind: 'throttled' }],
  ['ModelNotReadyException', { kind: 'overloaded' }],
  ['InternalServerException', { kind: 'server', certainty: 'failed' }],
  ['ServiceUnavailableException', { kind: 'overloaded' }],
  ['ValidationException', { kind: 'invalid' }],
]);

/** The exception is named in a header (`…Exception:http://…`) or in `__type` (`com.amazon…#…Exception`). */
function classify({ status, headers, body }: HttpResponse): FailureReading | undefined {
  const named = headers['x-amzn-errortype'] ?? stringAt(body, '__type') ?? '';
  const code = /(\w+Exception)\b/.exec(named)?.[1];
  const message = stringAt(body, 'message') ?? stringAt(body, 'Message') ?? code ?? '';
  if (status === 400 && /blocked by our content filters/i.test(message))
    return { kind: 'policy', stage: 'input', certainty: 'rejected', message, ...(code !== undefined && { code }) };
  if (status === 403 && /^Authentication failed|security token/i.test(message))
    return { kind: 'authentication', message, ...(code !== undefined && { code }) };
  const reading = status < 400 ? undefined : EXCEPTIONS.get(code ?? '');
  if (reading) return { ...reading, message, code: code ?? '', classifiedBy: `exception ${code}` };
  return numberAt(body, 'status') === undefined ? moderatedTask(body) : undefined;
}

/** Models of other makers behind Bedrock answer a refusal as their own API does, inside a 200. */
function moderatedTask(body: JsonValue | undefined): FailureReading | undefined {
  const said = stringAt(body, 'status');
  if (said !== 'Request Moderated' && said !== 'Content Moderated') return undefined;
  const stage = said === 'Request Moderated' ? 'input' : 'output';
  return { kind: 'policy', stage, certainty: 'rejected', message: `Bedrock says: ${said}` };
}
