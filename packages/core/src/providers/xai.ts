/**
 * xAI's Grok Imagine: OpenAI's paths, edits as JSON. It refuses in silence: a 200 whose pictures are empty or carry
 * `respect_moderation: false`, or that holds no pictures at all.
 * Facts: @ai-sdk/xai 5.0 and vercel/ai issue 19168, read 2026-11. Unverified: limits, and whether what was held back is
 * billed, so it counts as made.
 */
import { providerWords } from '../envelope.ts';
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/xai.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { speaksOfModeration } from './moderation-words.ts';
import { bearer, parseImages } from './openai.ts';
import { openaiCatalog, openaiChat } from './openai-chat.ts';
import { classifyOpenai, stageOf } from './openai-errors.ts';
import type { CallContext, FailureReading, Progress, Provider } from './provider.ts';

const { models: MODELS } = readModelFile(file);
const TICKS_PER_USD = 1e10;

export const xai: Provider = {
  id: 'xai',
  access: { baseUrl: 'https://api.x.ai/v1', keyVariables: ['XAI_API_KEY'] },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  classify,
  catalog: openaiCatalog(),
  image: { submit: { build, parse } },
  chat: openaiChat({ owns: /^grok-(?!imagine|.*image)/ }),
};

function build(request: ImageRequest, { model, baseUrl }: CallContext): HttpRequest {
  const pictures = (request.images ?? []).map((asset) => ({ url: embedded(asset, 'data-url'), type: 'image_url' }));
  const [picture] = pictures;
  const value: JsonObject = {
    ...request.extra,
    model,
    prompt: request.prompt,
    n: request.n,
    ...(request.aspectRatio !== undefined && { aspect_ratio: request.aspectRatio }),
    ...(request.resolution !== undefined && { resolution: request.resolution }),
    ...(request.quality !== undefined && { quality: request.quality }),
    ...(pictures.length === 1 && picture && { image: picture }),
    ...(pictures.length > 1 && { images: pictures }),
    response_format: 'b64_json',
  };
  const path = pictures.length > 0 ? 'edits' : 'generations';
  const headers = { accept: 'application/json' };
  return { method: 'POST', url: `${baseUrl}/images/${path}`, headers, body: { kind: 'json', value } };
}

const HELD_BACK: FailureReading = {
  kind: 'policy',
  stage: 'output',
  certainty: 'completed',
  message: 'xAI held the picture back: it does not respect its moderation',
  classifiedBy: 'respect_moderation',
};

function parse(response: HttpResponse): Progress {
  const body = isObject(response.body) ? response.body : {};
  const items: readonly JsonValue[] = Array.isArray(body.data) ? body.data : [];
  if (items.length === 0) return { kind: 'failed', failure: HELD_BACK };
  const shown = items.filter((item) => !isHeldBack(item));
  const read = parseImages({ ...response, body: { ...body, data: shown } });
  if (read.kind !== 'done') return read;
  const ticks = numberAt(body.usage, 'cost_in_usd_ticks');
  return {
    ...read,
    missing: items.filter(isHeldBack).map(() => HELD_BACK),
    ...(ticks !== undefined && { costUsd: ticks / TICKS_PER_USD }),
  };
}

function isHeldBack(item: JsonValue): boolean {
  return isObject(item) && (item.respect_moderation === false || (!item.b64_json && !item.url));
}

/** Errors come as OpenAI's envelope, as `{code, error}` with a text each, and as `{error}` alone. */
function classify(response: HttpResponse): FailureReading | undefined {
  const { message = '', code = stringAt(response.body, 'code') } = providerWords(response) ?? {};
  if (speaksOfModeration(response.status, `${code ?? ''} ${message}`))
    return { kind: 'policy', message, ...(stageOf(message) ?? { stage: 'input' }) };
  // It calls a bad key a bad argument.
  if (response.status === 400 && /^Incorrect API key/i.test(message)) return { kind: 'authentication', message };
  const isText = stringAt(response.body, 'error') !== undefined;
  return classifyOpenai(isText && code !== undefined ? { ...response, body: { error: { code, message } } } : response);
}
