/**
 * Fireworks: three ways in one API. FLUX.1 answers the picture itself; Kontext takes a job and is looked up by a POST;
 * the older diffusion models answer the picture and say in a header that it was filtered.
 * Facts: @ai-sdk/fireworks 3.0, read 2026-11. Unverified: every error body, and the statuses of a job beyond Ready, Error
 * and Failed, which are taken to be Black Forest Labs', whose shape this is.
 */
import { providerWords } from '../envelope.ts';
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/fireworks.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { speaksOfModeration } from './moderation-words.ts';
import { bearer } from './openai.ts';
import { openaiCatalog, openaiChat } from './openai-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, FailureReading, Handle, Progress, Provider } from './provider.ts';
import { sidesOf } from './sides.ts';
import { withoutId } from './undecided.ts';

const { models: MODELS } = readModelFile(file);
const LOOK_EVERY_MS = 1_000;

export const fireworks: Provider = {
  id: 'fireworks',
  access: { baseUrl: 'https://api.fireworks.ai/inference/v1', keyVariables: ['FIREWORKS_API_KEY'] },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  classify,
  image: {
    submit: { build, parse: parseSubmit },
    poll: {
      build: (handle, { baseUrl }) => ({
        method: 'POST',
        url: `${baseUrl}/workflows/${modelPath(stringAt(handle, 'model') ?? '')}/get_result`,
        headers: { accept: 'application/json' },
        body: { kind: 'json', value: { id: stringAt(handle, 'id') ?? '' } },
      }),
      parse: (response, handle) => readJob(response, handle),
    },
  },
  catalog: openaiCatalog(),
  chat: openaiChat({ owns: /^accounts\//, takesAny: true }),
};

function modelPath(model: string): string {
  return model.split('/').map(encodeURIComponent).join('/');
}

type Way = 'job' | 'picture' | 'diffusion';

function wayOf(model: string): Way {
  if (/kontext/.test(model)) return 'job';
  return /flux/.test(model) ? 'picture' : 'diffusion';
}

const PATHS: Readonly<Record<Way, (model: string) => string>> = {
  job: (model) => `workflows/${modelPath(model)}`,
  picture: (model) => `workflows/${modelPath(model)}/text_to_image`,
  diffusion: (model) => `image_generation/${modelPath(model)}`,
};

function build(request: ImageRequest, { model, baseUrl, webhookUrl }: CallContext): HttpRequest {
  const way = wayOf(model);
  const [picture] = request.images ?? [];
  const { webhook_url: _theirs, webhook_secret: _secret, ...extra } = request.extra ?? {};
  const value: JsonObject = {
    ...extra,
    prompt: request.prompt,
    ...(request.aspectRatio !== undefined && { aspect_ratio: request.aspectRatio }),
    ...sidesOf(request.size),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.negativePrompt !== undefined && { negative_prompt: request.negativePrompt }),
    ...(way === 'job' && request.outputFormat !== undefined && { output_format: request.outputFormat }),
    ...(picture && { input_image: embedded(picture, 'data-url') }),
    ...(way === 'job' && webhookUrl !== undefined && { webhook_url: webhookUrl }),
  };
  const headers = { accept: way === 'job' ? 'application/json' : 'image/png, image/jpeg' };
  return { method: 'POST', url: `${baseUrl}/${PATHS[way](model)}`, headers, body: { kind: 'json', value } };
}

function parseSubmit(response: HttpResponse, _request: ImageRequest, { model }: CallContext): Progress {
  if (wayOf(model) !== 'job') return readPicture(response);
  const id = stringAt(response.body, 'request_id') || stringAt(response.body, 'id');
  if (id) return { kind: 'waiting', handle: { id, model }, pollAfterMs: LOOK_EVERY_MS };
  return withoutId('Fireworks', 'request');
}

const FILTERED: FailureReading = {
  kind: 'policy',
  stage: 'output',
  certainty: 'completed',
  message: 'Fireworks filtered the picture',
  classifiedBy: 'finish-reason CONTENT_FILTERED',
};

/** The picture itself, or a list of base64 where JSON came after all. */
function readPicture({ headers, body }: HttpResponse): Progress {
  if (headers['finish-reason'] === 'CONTENT_FILTERED') return { kind: 'failed', failure: FILTERED };
  const single = imageSource(body);
  const list = Array.isArray(body) ? body : isObject(body) && Array.isArray(body.base64) ? body.base64 : [];
  const several = list.flatMap((item) => imageSource(isObject(item) ? (item.base64 ?? item) : item) ?? []);
  return { kind: 'done', images: (single ? [single] : several).map((source) => ({ source })) };
}

const FAILED: ReadonlyMap<string, FailureReading> = new Map([
  ['Error', { kind: 'server', certainty: 'failed', message: 'Fireworks says that the job ended in an error' }],
  ['Failed', { kind: 'server', certainty: 'failed', message: 'Fireworks says that the job failed' }],
  [
    'Task not found',
    { kind: 'not_found', certainty: 'ambiguous', message: 'Fireworks does not know the job any more' },
  ],
  ['Request Moderated', { kind: 'policy', stage: 'input', message: 'Fireworks blocked the prompt' }],
  ['Content Moderated', { ...FILTERED, message: 'Fireworks blocked the picture it had made' }],
]);

function readJob({ body }: HttpResponse, handle: Handle): Progress {
  const status = stringAt(body, 'status') ?? '';
  const failure = FAILED.get(status);
  if (failure) return { kind: 'failed', failure: { classifiedBy: `job ${status}`, ...failure } };
  if (status !== 'Ready') return { kind: 'waiting', handle, pollAfterMs: LOOK_EVERY_MS };
  const result = isObject(body) ? body.result : undefined;
  const source = isObject(result) ? imageSource(result.sample) : undefined;
  return { kind: 'done', images: source === undefined ? [] : [{ source }] };
}

/** Bodies are opaque: the status decides, and words that speak of safety. */
function classify(response: HttpResponse): FailureReading | undefined {
  if (response.status === 412) return { kind: 'billing', message: 'the Fireworks account is suspended' };
  const { message = '' } = providerWords(response) ?? {};
  if (response.status >= 400 && speaksOfModeration(response.status, message))
    return { kind: 'policy', stage: 'input', message };
  return classifyOpenai(response);
}
