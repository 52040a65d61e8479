/**
 * Ideogram: forms instead of JSON, `Api-Key` instead of a bearer, ratios written `16x9`, and in an edit's mask black is
 * what changes. A picture its moderation held back is one of the list, without a link.
 * Facts: developer.ideogram.ai and ComfyUI's client, read 2026-11. Unverified: the status of an empty balance, and
 * whether what was held back is billed, so it counts as made.
 */
import { providerWords } from '../envelope.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonValue, numberAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/ideogram.json' with { type: 'json' };
import { type FormField, filePart, formParts } from './form.ts';
import { readModelFile } from './model-data.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, Credential, FailureReading, Progress, Provider } from './provider.ts';

const { models: MODELS } = readModelFile(file);
const SPEEDS: ReadonlyMap<string, string> = new Map([
  ['low', 'TURBO'],
  ['medium', 'DEFAULT'],
  ['high', 'QUALITY'],
]);

export const ideogram: Provider = {
  id: 'ideogram',
  access: { baseUrl: 'https://api.ideogram.ai', keyVariables: ['IDEOGRAM_API_KEY'] },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize,
  classify,
  image: { submit: { build, parse } },
};

function authorize(request: HttpRequest, { secret }: Credential): HttpRequest {
  return { ...request, headers: { ...request.headers, 'api-key': secret } };
}

function build(request: ImageRequest, { model, baseUrl }: CallContext): HttpRequest {
  const isV4 = model === 'ideogram-v4';
  const speed = SPEEDS.get(request.quality ?? '');
  const fields: readonly FormField[] = [
    ...Object.entries(request.extra ?? {}),
    [isV4 ? 'text_prompt' : 'prompt', request.prompt],
    ['resolution', request.size],
    ['aspect_ratio', request.aspectRatio?.replace(':', 'x')],
    ['rendering_speed', speed],
    ['seed', isV4 ? undefined : request.seed],
    ['negative_prompt', isV4 ? undefined : request.negativePrompt],
    ['num_images', isV4 ? undefined : request.n],
  ];
  const [picture] = request.images ?? [];
  const mask = picture && request.mask ? [filePart('mask', request.mask)] : [];
  return {
    method: 'POST',
    url: `${baseUrl}/v1/${model}/${actionOf(request)}`,
    headers: { accept: 'application/json' },
    body: { kind: 'multipart', parts: formParts(fields, picture ? [filePart('image', picture), ...mask] : []) },
  };
}

/** An edit wants a mask; a picture without one is remixed. */
function actionOf({ images = [], mask }: ImageRequest): string {
  if (images.length === 0) return 'generate';
  return mask === undefined ? 'remix' : 'edit';
}

const HELD_BACK: FailureReading = {
  kind: 'policy',
  stage: 'output',
  certainty: 'completed',
  message: 'Ideogram held the picture back: it did not pass its safety check',
  classifiedBy: 'is_image_safe',
};

function parse({ body }: HttpResponse): Progress {
  const items: readonly JsonValue[] = isObject(body) && Array.isArray(body.data) ? body.data : [];
  const images = items.flatMap((item) => {
    const source = isObject(item) && item.is_image_safe !== false && item.url ? imageSource(item.url) : undefined;
    const seed = numberAt(item, 'seed');
    return source === undefined ? [] : [{ source, ...(seed !== undefined && { seed }) }];
  });
  const missing = items.filter((item) => isObject(item) && item.is_image_safe === false).map(() => HELD_BACK);
  return { kind: 'done', images, missing };
}

/** A 422 is a refused prompt, and on some routes a plain fault in the request. */
function classify(response: HttpResponse): FailureReading | undefined {
  const { message = '' } = providerWords(response) ?? {};
  if (response.status === 422 && /safety|moderat/i.test(message)) return { kind: 'policy', stage: 'input', message };
  if (response.status === 429 && /concurren|in[- ]?flight/i.test(message))
    return { kind: 'throttled', throttle: 'concurrency', message };
  return classifyOpenai(response);
}
