/**
 * Recraft: OpenAI's shape with fields of its own; a picture to work from goes to `imageToImage` as a form. Vector models
 * answer SVG. Links are public and kept for about 24 hours.
 * Facts: Recraft's appendix and ComfyUI's client, read 2026-11. Unverified: error bodies, the status of an empty balance
 * and of a refused prompt; a 4xx that speaks of moderation counts as one.
 */
import { providerWords } from '../envelope.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/recraft.json' with { type: 'json' };
import { filePart, formParts } from './form.ts';
import { readModelFile } from './model-data.ts';
import { speaksOfModeration } from './moderation-words.ts';
import { bearer, parseImages } from './openai.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, FailureReading, Progress, Provider } from './provider.ts';

const { models: MODELS } = readModelFile(file);
/** How far an edit may go from its picture, where the caller does not say; the API wants a number. */
const DEFAULT_STRENGTH = 0.5;

export const recraft: Provider = {
  id: 'recraft',
  access: {
    baseUrl: 'https://external.api.recraft.ai/v1',
    keyVariables: ['RECRAFT_API_TOKEN', 'RECRAFT_API_KEY'],
  },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  classify,
  image: { submit: { build, parse } },
};

function build(request: ImageRequest, { model, baseUrl }: CallContext): HttpRequest {
  const fields: JsonObject = {
    ...request.extra,
    model,
    prompt: request.prompt,
    n: request.n,
    ...((request.size ?? request.aspectRatio) !== undefined && { size: request.size ?? request.aspectRatio }),
    ...(request.negativePrompt !== undefined && { negative_prompt: request.negativePrompt }),
    ...(request.seed !== undefined && { random_seed: request.seed }),
    response_format: 'b64_json',
  };
  const headers = { accept: 'application/json' };
  const [picture] = request.images ?? [];
  if (picture === undefined) {
    return { method: 'POST', url: `${baseUrl}/images/generations`, headers, body: { kind: 'json', value: fields } };
  }
  const { size: _size, ...kept } = fields;
  const parts = formParts(Object.entries({ strength: DEFAULT_STRENGTH, ...kept }), [filePart('image', picture)]);
  return { method: 'POST', url: `${baseUrl}/images/imageToImage`, headers, body: { kind: 'multipart', parts } };
}

/** A list as OpenAI has it, or the one `image` of the tools. */
function parse(response: HttpResponse): Progress {
  const image = isObject(response.body) ? response.body.image : undefined;
  if (!isObject(image)) return parseImages(response);
  const source = imageSource(image.b64_json) ?? imageSource(image.url);
  return { kind: 'done', images: source === undefined ? [] : [{ source }] };
}

const NO_CREDIT = /not[_ ]enough[_ ]credits|insufficient[_ ](?:credits?|balance|funds|units)/i;

/** `{code, message}`, or OpenAI's envelope. */
function classify(response: HttpResponse): FailureReading | undefined {
  const { message = stringAt(response.body, 'message') ?? '' } = providerWords(response) ?? {};
  const code = stringAt(response.body, 'code');
  if (response.status >= 400 && speaksOfModeration(response.status, `${code ?? ''} ${message}`))
    return { kind: 'policy', stage: 'input', message };
  if (response.status >= 400 && response.status < 500 && NO_CREDIT.test(`${code ?? ''} ${message}`))
    return { kind: 'billing', message: message || 'the account has no credits' };
  if (response.status < 400 || code === undefined) return classifyOpenai(response);
  return classifyOpenai({ ...response, body: { error: { code, message } } });
}
