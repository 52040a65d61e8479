/**
 * Luma's Dream Machine: a generation is made, looked up by its id, and may be deleted. It fetches references by link.
 * A failure is told in a sentence alone. The newer Agents API (uni-1) is another protocol and not spoken here.
 * Facts: the lumaai SDK 1.19 and docs.lumalabs.ai/docs/errors, read 2026-11. Unverified: whether a failure is billed.
 */
import type { HttpRequest, HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/luma.json' with { type: 'json' };
import { assetLink } from './links.ts';
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, FailureReading, Handle, Progress, Provider } from './provider.ts';
import { withoutId } from './undecided.ts';

const { models: MODELS } = readModelFile(file);
const LOOK_EVERY_MS = 2_000;
const headers = { accept: 'application/json' };

export const luma: Provider = {
  id: 'luma',
  access: {
    baseUrl: 'https://api.lumalabs.ai/dream-machine/v1',
    keyVariables: ['LUMA_API_KEY', 'LUMAAI_API_KEY', 'LUMAAI_AUTH_TOKEN'],
  },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  classify,
  image: {
    submit: { build, parse: (response) => readGeneration(response, undefined) },
    poll: {
      build: (handle, { baseUrl }) => ({ method: 'GET', url: `${baseUrl}/generations/${idOf(handle)}`, headers }),
      parse: (response, handle) => readGeneration(response, handle),
    },
  },
};

function idOf(handle: Handle): string {
  return encodeURIComponent(stringAt(handle, 'id') ?? '');
}

function build(request: ImageRequest, context: CallContext): HttpRequest {
  const { callback_url: _theirs, sync: _sync, ...extra } = request.extra ?? {};
  const references = (request.images ?? []).flatMap((asset) => {
    const url = assetLink(context, asset);
    return url === undefined ? [] : [{ url }];
  });
  const value: JsonObject = {
    ...extra,
    model: context.model,
    prompt: request.prompt,
    ...(request.aspectRatio !== undefined && { aspect_ratio: request.aspectRatio }),
    ...(request.outputFormat !== undefined && { format: request.outputFormat === 'jpeg' ? 'jpg' : 'png' }),
    // One picture is changed; several are looked at.
    ...(references.length === 1 && references[0] && { modify_image_ref: references[0] }),
    ...(references.length > 1 && { image_ref: references }),
    ...(context.webhookUrl !== undefined && { callback_url: context.webhookUrl }),
  };
  return { method: 'POST', url: `${context.baseUrl}/generations/image`, headers, body: { kind: 'json', value } };
}

function readGeneration({ body }: HttpResponse, known: Handle | undefined): Progress {
  const state = stringAt(body, 'state') ?? '';
  if (state === 'failed') return { kind: 'failed', failure: failureOf(stringAt(body, 'failure_reason')) };
  if (state === 'completed') {
    const assets = isObject(body) ? body.assets : undefined;
    const source = isObject(assets) ? imageSource(assets.image) : undefined;
    return { kind: 'done', images: source === undefined ? [] : [{ source }] };
  }
  const id = stringAt(body, 'id');
  const handle = known ?? (id ? { id } : undefined);
  if (handle === undefined) return withoutId('Luma', 'generation');
  const stage = state === 'queued' ? 'queued' : 'running';
  return { kind: 'waiting', handle, stage, pollAfterMs: LOOK_EVERY_MS };
}

/** Only the words tell a refusal from a failure, and which stage refused. */
function failureOf(reason = 'Luma says that the generation failed'): FailureReading {
  if (/frame moderation/i.test(reason))
    return { kind: 'policy', stage: 'output', certainty: 'completed', message: reason };
  if (/moderation|blacklisted/i.test(reason)) return { kind: 'policy', stage: 'input', message: reason };
  return { kind: 'server', certainty: 'failed', message: reason };
}

/** `{detail}`: a text, or FastAPI's list of faults. */
function classify(response: HttpResponse): FailureReading | undefined {
  const detail = isObject(response.body) ? response.body.detail : undefined;
  const [first]: readonly JsonValue[] = Array.isArray(detail) ? detail : [];
  const message = stringAt(response.body, 'detail') ?? stringAt(first, 'msg');
  if (response.status < 400 || message === undefined) return classifyOpenai(response);
  if (response.status < 500 && /moderation|blacklisted/i.test(message))
    return { kind: 'policy', stage: 'input', message };
  if (/insufficient credits/i.test(message)) return { kind: 'billing', message };
  if (response.status === 429 && /concurren/i.test(message))
    return { kind: 'throttled', throttle: 'concurrency', message };
  return classifyOpenai({ ...response, body: { error: { message } } });
}
