/**
 * Together AI: OpenAI's path with fields of its own: `width` and `height` instead of `size`, `base64` where OpenAI says
 * `b64_json`, and a 403 that means too long a prompt. Synchronous, one answer, no idempotency.
 * Facts: together-ai 0.52, @ai-sdk/togetherai 3.0, the error-code page, read 2026-11. Unverified: how a refused prompt is
 * told, so any 4xx that speaks of safety counts as one.
 */
import { providerWords } from '../envelope.ts';
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import type { JsonObject } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/together.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer, parseImages } from './openai.ts';
import { CHAT_AND_EMBEDDINGS, openaiCatalog, openaiChat } from './openai-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, FailureReading, Model, Provider } from './provider.ts';
import { sidesOf } from './sides.ts';

const { models: MODELS } = readModelFile(file);
const NAME = /^\w[\w.-]{0,99}\/\w[\w.-]{0,99}$/;

export const together: Provider = {
  id: 'together',
  access: { baseUrl: 'https://api.together.xyz/v1', keyVariables: ['TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY'] },
  models: MODELS,
  model: togetherModel,
  authorize: bearer,
  classify,
  catalog: openaiCatalog(),
  image: { submit: { build, parse: parseImages } },
  chat: openaiChat({ endpoints: CHAT_AND_EMBEDDINGS, takesAny: true }),
};

/** The list is longer than ours and changes; what has the shape of a name is passed on. */
function togetherModel(id: string): Model | undefined {
  const known = MODELS.find((model) => model.id === id);
  if (known || !NAME.test(id)) return known;
  return { id, maxImagesPerCall: 1, operations: ['generate'], streams: false };
}

function build(request: ImageRequest, { model, baseUrl }: CallContext): HttpRequest {
  const [reference] = request.images ?? [];
  const value: JsonObject = {
    ...request.extra,
    model,
    prompt: request.prompt,
    n: request.n,
    ...sidesOf(request.size),
    ...(request.aspectRatio !== undefined && { aspect_ratio: request.aspectRatio }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.negativePrompt !== undefined && { negative_prompt: request.negativePrompt }),
    ...(request.outputFormat !== undefined && { output_format: request.outputFormat }),
    ...(reference && { image_url: embedded(reference, 'data-url') }),
    response_format: 'base64',
  };
  const headers = { accept: 'application/json' };
  return { method: 'POST', url: `${baseUrl}/images/generations`, headers, body: { kind: 'json', value } };
}

/** What its own list of codes calls a 403; in other words, or none, it is one like any other. */
const TOO_LONG = /context|token|length|too long|exceed/i;

function classify(response: HttpResponse): FailureReading | undefined {
  const { message = '', code } = providerWords(response) ?? {};
  const isRefusal = /\bnsfw\b|safety|moderat|content polic/i.test(`${message} ${code ?? ''}`);
  if (response.status >= 400 && response.status < 500 && isRefusal) return { kind: 'policy', stage: 'input', message };
  if (response.status === 403 && TOO_LONG.test(message))
    return { kind: 'invalid', code: 'context_length_exceeded', message };
  // In its own words: a proxy's 503 says nothing of the work.
  if (response.status === 503 && message !== '') return { kind: 'overloaded', message };
  return classifyOpenai(response);
}
