/**
 * stable-diffusion.cpp's server through its own API: `POST /sdcpp/v1/img_gen` answers a job, `GET /sdcpp/v1/jobs/{id}`
 * says how far it is and at last holds the pictures; ten minutes after its end it is a 410. A job that has begun cannot
 * be interrupted. It queues 64 jobs and works on one, so two at once keep it busy. A server has one model, whatever is
 * asked for. WebP is refused by a build without it.
 * Unverified: that white is what a mask edits, as in the WebUI it follows.
 * Facts: examples/server/api.md, routes_sdcpp.cpp and async_jobs.cpp, snapshot of 2026-08-19.
 */
import { providerWords } from '../envelope.ts';
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import data from './data/stable-diffusion-cpp.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import { isOutOfMemory } from './out-of-memory.ts';
import { withoutExtraArguments, withoutLoraTags } from './prompt-controls.ts';
import type {
  CallContext,
  CancelReading,
  FailureReading,
  Handle,
  Progress,
  Provider,
  ProviderImage,
  Stage,
} from './provider.ts';
import { sidesOf } from './sides.ts';
import { withoutId } from './undecided.ts';

const { models } = readModelFile(data);
const JOBS = 'sdcpp/v1/jobs';

export const stableDiffusionCpp: Provider = {
  id: 'stable-diffusion-cpp',
  access: { keyless: true, keyVariables: ['SD_CPP_API_KEY'], baseUrlVariables: ['SD_CPP_BASE_URL', 'SD_SERVER_URL'] },
  models,
  model: (id) => models.find((model) => model.id === id),
  resubmit: 'safe',
  authorize: bearer,
  classify,
  results: { hosts: [] },
  image: {
    submit: { build, parse: (response, { seed }) => readJob(response, seed === undefined ? {} : { seed }) },
    poll: {
      build: (handle, context) => ({ method: 'GET', url: jobUrl(handle, context), headers: HEADERS }),
      parse: readJob,
      verdict: ({ status }) => (status === 410 ? expired() : undefined),
    },
    cancel: {
      build: (handle, context) => ({ method: 'POST', url: `${jobUrl(handle, context)}/cancel`, headers: HEADERS }),
      parse: readCancel,
    },
  },
};

const HEADERS = { accept: 'application/json' };

/** Its `poll_url` is this path; building it keeps the base URL of a proxy in front. */
function jobUrl(handle: Handle, { baseUrl }: Pick<CallContext, 'baseUrl'>): string {
  return `${baseUrl}/${JOBS}/${encodeURIComponent(stringAt(handle, 'job') ?? '')}`;
}

/** Not a caller's to set: LoRAs are files on that machine, and pictures come from the request itself. */
const CLOSED: readonly string[] = [
  'init_image',
  'ref_images',
  'mask_image',
  'control_image',
  'ip_adapter_image',
  'lora',
];

function build(request: ImageRequest, { baseUrl }: CallContext): HttpRequest {
  const { prompt, negativePrompt, n, seed, outputFormat, outputCompression, operation } = request;
  const extra = Object.entries(request.extra ?? {}).filter(([key]) => !CLOSED.includes(key));
  const known: JsonObject = {
    prompt: presentablePrompt(prompt),
    ...(negativePrompt !== undefined && { negative_prompt: presentablePrompt(negativePrompt) }),
    ...sidesOf(request.size),
    ...(seed !== undefined && { seed }),
    batch_count: n,
    ...(outputFormat !== undefined && { output_format: outputFormat }),
    ...(outputCompression !== undefined && { output_compression: outputCompression }),
    ...(operation === 'edit' && editFields(request)),
  };
  return {
    method: 'POST',
    url: `${baseUrl}/sdcpp/v1/img_gen`,
    headers: HEADERS,
    body: { kind: 'json', value: { ...Object.fromEntries(extra), ...known } },
  };
}

function presentablePrompt(text: string): string {
  return withoutLoraTags(withoutExtraArguments(text));
}

/** As the server's own edit endpoint does: all are references, and the first is also what it starts from. */
function editFields({ images = [], mask }: ImageRequest): JsonObject {
  const pictures = images.map((asset) => embedded(asset, 'base64'));
  return {
    ref_images: pictures,
    ...(pictures[0] && { init_image: pictures[0] }),
    ...(mask && { mask_image: embedded(mask, 'base64') }),
  };
}

const STAGES: ReadonlyMap<string, Stage> = new Map([
  ['queued', 'queued'],
  ['generating', 'running'],
]);

/** A status nobody here knows is a job that is still on its way. */
function readJob({ body }: HttpResponse, known: Handle): Progress {
  const status = stringAt(body, 'status') ?? '';
  if (status === 'completed') return { kind: 'done', images: imagesOf(body, known) };
  const failure = jobFailure(status, body);
  if (failure) return { kind: 'failed', failure };
  const job = stringAt(known, 'job') ?? stringAt(body, 'id');
  if (!job) return withoutId('the server', 'job');
  const stage = STAGES.get(status);
  return { kind: 'waiting', handle: { ...known, job }, ...(stage && { stage }) };
}

/** Each picture of a job has the seed after the one before it. */
function imagesOf(body: JsonValue | undefined, handle: Handle): readonly ProviderImage[] {
  const result = isObject(body) ? body.result : undefined;
  const items: readonly JsonValue[] = isObject(result) && Array.isArray(result.images) ? result.images : [];
  const seed = numberAt(handle, 'seed');
  return items.flatMap((item, position): ProviderImage[] => {
    const source = isObject(item) ? imageSource(item.b64_json) : undefined;
    if (source === undefined || source.kind === 'url') return [];
    return [{ source, ...(seed !== undefined && { seed: seed + (numberAt(item, 'index') ?? position) }) }];
  });
}

function jobFailure(status: string, body: JsonValue | undefined): FailureReading | undefined {
  if (status !== 'failed' && status !== 'cancelled') return undefined;
  const error = isObject(body) ? body.error : undefined;
  const code = stringAt(error, 'code');
  const message = stringAt(error, 'message') ?? `the server says that the job is ${status}`;
  const told = { message, classifiedBy: `job ${status}`, ...(code !== undefined && { code }) };
  if (status === 'cancelled') return { kind: 'canceled', cancel: 'confirmed', certainty: 'rejected', ...told };
  return isOutOfMemory(message) ? { kind: 'out_of_memory', ...told } : { kind: 'server', certainty: 'failed', ...told };
}

function expired(): FailureReading {
  const message = 'the job ended, and the server no longer keeps its pictures (it does for ten minutes)';
  return { kind: 'interrupted', certainty: 'ambiguous', message, classifiedBy: 'status 410' };
}

/** Errors are `{"error": "text"}`, sometimes with a `message` that says more. */
function classify(response: HttpResponse): FailureReading | undefined {
  const { status, body } = response;
  if (status < 400) return undefined;
  const error = providerWords(response)?.message ?? '';
  const message = [error, stringAt(body, 'message') ?? ''].filter((one) => one !== '').join(': ');
  if (isOutOfMemory(message)) return { kind: 'out_of_memory', message };
  if (status === 429) return { kind: 'overloaded', message: message || 'the queue of jobs is full' };
  return status === 400 && message !== '' ? { kind: 'invalid', message } : undefined;
}

function readCancel({ status, body }: HttpResponse): CancelReading {
  if (status >= 200 && status < 300 && stringAt(body, 'status') === 'cancelled') {
    return { confirmed: true, certainty: 'rejected', message: 'it had not begun' };
  }
  const message = stringAt(body, 'error') ?? `the server answered ${status}`;
  return { confirmed: false, certainty: 'ambiguous', message };
}
