/**
 * The sandbox's jobs: `POST /tasks` answers an id, `GET /tasks/{id}` says how far it is and at last where the pictures
 * are, `POST /tasks/{id}/cancel` gives it up and says whether it stays billed. The shape is that of Replicate and BFL.
 */
import { providerWords } from '../envelope.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import { imageSubmit, openaiModel } from './openai.ts';
import { classifyOpenai } from './openai-errors.ts';
import type {
  CallContext,
  CancelReading,
  FailureReading,
  Handle,
  Model,
  Progress,
  Provider,
  ProviderImage,
  Stage,
} from './provider.ts';
import { SANDBOX_PRICE_PER_IMAGE_USD, type SandboxAddress, sandboxOrigin } from './sandbox.ts';
import { withoutId } from './undecided.ts';

const MODELS = ['ok', 'slow:20', 'cold:5', 'queued:5', 'failed', 'moderated', 'stuck'];

/** `address` is asked at every call, because a restarted sandbox listens elsewhere. */
export function sandboxTaskProvider(address: () => SandboxAddress): Provider {
  const jobUrl = (handle: Handle) => `${address().url}/tasks/${encodeURIComponent(stringAt(handle, 'job') ?? '')}`;
  const headers = { accept: 'application/json' };
  return {
    id: 'sandbox-task',
    models: MODELS.map(sandboxTaskModel),
    model: sandboxTaskModel,
    credentialPerModel: true,
    // One account whatever the key, so that a script's position does not depend on who calls.
    authorize: (request) => request,
    classify,
    image: {
      submit: {
        build: (request: ImageRequest, context: CallContext): HttpRequest => ({
          ...imageSubmit((fields) => taskFields(fields, context)).build(request, context),
          url: `${sandboxOrigin(context.model, address())}/tasks`,
          headers,
        }),
        parse: (response) => readJob(response, undefined),
      },
      poll: {
        build: (handle): HttpRequest => ({ method: 'GET', url: jobUrl(handle), headers }),
        parse: readJob,
      },
      cancel: {
        build: (handle): HttpRequest => ({ method: 'POST', url: `${jobUrl(handle)}/cancel`, headers }),
        parse: readCancel,
      },
    },
  };
}

/** One picture per call, as for the Images API of the sandbox; a job is never streamed. */
function sandboxTaskModel(id: string): Model {
  const price = { perImageUsd: SANDBOX_PRICE_PER_IMAGE_USD };
  return { ...openaiModel(id), maxImagesPerCall: 1, streams: false, price };
}

/**
 * The prefix makes a misspelled behaviour a 404 instead of a model that always works. A webhook is ours or none: a
 * caller's own would make the sandbox call any address of this machine.
 */
function taskFields(fields: JsonObject, { model, webhookUrl }: CallContext): JsonObject {
  const { stream: _stream, partial_images: _partials, webhook_url: _theirs, ...kept } = fields;
  return { ...kept, model: `sandbox-task/${model}`, ...(webhookUrl !== undefined && { webhook_url: webhookUrl }) };
}

/** A job's own error is read with the job; an error beside a job's id is about the look at it, and the job goes on. */
function classify(response: HttpResponse): FailureReading | undefined {
  const id = stringAt(response.body, 'id');
  if (response.status < 300 && id !== undefined && stringAt(response.body, 'status') !== undefined) return undefined;
  if (response.status < 500 || id === undefined) return classifyOpenai(response);
  const said = providerWords(response)?.message ?? `status ${response.status}`;
  return { kind: 'server', certainty: 'ambiguous', message: `the job could not be looked up: ${said}` };
}

const STAGES: ReadonlyMap<string, Stage> = new Map([
  ['queued', 'queued'],
  ['cold_start', 'cold_start'],
  ['running', 'running'],
]);

/** A status nobody here knows is a job that is still on its way. */
function readJob({ body }: HttpResponse, handle: Handle | undefined): Progress {
  const status = stringAt(body, 'status') ?? '';
  if (status === 'succeeded') return { kind: 'done', images: imagesOf(body) };
  const failure = failureOf(status, body);
  if (failure) return { kind: 'failed', failure };
  const job = stringAt(body, 'id');
  const known = handle ?? (job === undefined ? undefined : { job });
  if (known === undefined) return withoutId('the sandbox', 'job');
  const stage = STAGES.get(status);
  const progress = numberAt(body, 'progress');
  const pollAfterMs = numberAt(body, 'retry_after_ms');
  return {
    kind: 'waiting',
    handle: known,
    ...(stage !== undefined && { stage }),
    ...(progress !== undefined && { progress: Math.min(100, Math.max(0, progress)) }),
    ...(pollAfterMs !== undefined && { pollAfterMs: Math.max(0, pollAfterMs) }),
  };
}

function imagesOf(body: JsonValue | undefined): readonly ProviderImage[] {
  const output = isObject(body) && Array.isArray(body.output) ? body.output : [];
  return output.flatMap((item) => {
    if (!isObject(item)) return [];
    const source = imageSource(item.b64_json) ?? imageSource(item.url);
    const seed = numberAt(item, 'seed');
    return source === undefined ? [] : [{ source, ...(seed !== undefined && { seed }) }];
  });
}

function failureOf(status: string, body: JsonValue | undefined): FailureReading | undefined {
  const error = isObject(body) ? body.error : undefined;
  const message = stringAt(error, 'message') ?? `the sandbox says that the job is ${status}`;
  const code = stringAt(error, 'code');
  const told = { message, classifiedBy: `job ${status}`, ...(code !== undefined && { code }) };
  if (status === 'failed') return { kind: 'server', certainty: 'failed', ...told };
  if (status === 'moderated') return { kind: 'policy', ...told, ...MODERATIONS.get(code ?? '') };
  if (status !== 'canceled') return undefined;
  return { kind: 'canceled', cancel: 'confirmed', certainty: billedCertainty(body) ?? 'ambiguous', ...told };
}

/** What is blocked at the output was made first, and is billed. */
const MODERATIONS: ReadonlyMap<string, Pick<FailureReading, 'stage' | 'certainty'>> = new Map([
  ['request_moderated', { stage: 'input', certainty: 'rejected' }],
  ['content_moderated', { stage: 'output', certainty: 'completed' }],
]);

function billedCertainty(body: JsonValue | undefined): 'rejected' | 'completed' | undefined {
  if (!isObject(body) || typeof body.billed !== 'boolean') return undefined;
  return body.billed ? 'completed' : 'rejected';
}

function readCancel({ status, body }: HttpResponse): CancelReading {
  const said = stringAt(body, 'status');
  if (status >= 200 && status < 300 && said === 'canceled') {
    const free = billedCertainty(body) === 'rejected';
    const message = free ? 'it had not begun, and is not billed' : 'it had begun, and may stay billed';
    return { confirmed: true, certainty: free ? 'rejected' : 'ambiguous', message };
  }
  const message = status === 409 ? 'the job had ended already' : `the sandbox answered ${status}`;
  return { confirmed: false, certainty: 'ambiguous', message };
}
