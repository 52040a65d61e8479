/**
 * OpenAI's pictures through the Responses API in background mode, instead of the Images API. The answer to a submit is
 * an id, at once; the picture is fetched by it. So what is lost on the way, to a cut connection or a restart, is looked
 * up again instead of paid again, which the Images API has no way to do. Only a submit whose own answer is lost stays
 * unknown, and that takes a moment and not a minute.
 *
 * What it costs: a mainline model stands before the image tool and may rewrite the prompt; its own tokens, a fraction of
 * a cent, are billed too and not in our cost, which reads `tool_usage.image_gen`. One picture per call, no streaming.
 * Facts: the openai SDK's types 7.55. Which mainline models may call the tool is listed nowhere we could read; other
 * clients use this one for it. Whether a canceled response is billed is not documented.
 */
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import { bearer, openai } from './openai.ts';
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
} from './provider.ts';
import { withoutId } from './undecided.ts';

/** What calls the image tool unless the request names another as `mainline_model`. */
const MAINLINE_MODEL = 'gpt-5.6-luna';
const INSTRUCTIONS =
  'Make exactly one picture with the image generation tool, or edit the pictures given. Pass the prompt on as it is.';

/** Unknown fields that are the response's; all others are the tool's. */
const RESPONSE_FIELDS: readonly string[] = [
  ...['instructions', 'metadata', 'prompt_cache_key', 'reasoning', 'safety_identifier', 'service_tier', 'user'],
];
/** They would make it another call than the one that is waited for. */
const NO_FIELDS: readonly string[] = ['type', 'n', 'stream', 'partial_images', 'response_format', 'mainline_model'];

const MODELS: readonly Model[] = openai.models.map((model) => ({ ...model, maxImagesPerCall: 1, streams: false }));
const JSON_HEADERS = { accept: 'application/json' };

export const openaiResponses: Provider = {
  id: 'openai-responses',
  ...(openai.access && { access: openai.access }),
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  ...(openai.catalog && { catalog: openai.catalog }),
  ...(openai.chat && { chat: openai.chat }),
  // A response that failed is read with the job; an error beside none is about the call.
  classify: (response) => (isResponse(response) ? undefined : classifyOpenai(response)),
  image: {
    submit: {
      build: (request, context): HttpRequest => ({
        method: 'POST',
        url: `${context.baseUrl}/responses`,
        headers: JSON_HEADERS,
        body: { kind: 'json', value: responseFields(request, context) },
      }),
      parse: (response) => readResponse(response, undefined),
    },
    poll: {
      build: (handle, context): HttpRequest => ({
        method: 'GET',
        url: responseUrl(handle, context),
        headers: JSON_HEADERS,
      }),
      parse: readResponse,
    },
    cancel: {
      build: (handle, context): HttpRequest => ({
        method: 'POST',
        url: `${responseUrl(handle, context)}/cancel`,
        headers: JSON_HEADERS,
      }),
      parse: readCancel,
    },
  },
};

function responseUrl(handle: Handle, { baseUrl }: CallContext): string {
  return `${baseUrl}/responses/${encodeURIComponent(stringAt(handle, 'response') ?? '')}`;
}

function responseFields(request: ImageRequest, { model }: CallContext): JsonObject {
  const extra = Object.entries(request.extra ?? {}).filter(([key]) => !NO_FIELDS.includes(key));
  const ofResponse = extra.filter(([key]) => RESPONSE_FIELDS.includes(key));
  const ofTool = extra.filter(([key]) => !RESPONSE_FIELDS.includes(key));
  const tool: JsonObject = {
    ...Object.fromEntries(ofTool),
    ...defined({
      type: 'image_generation',
      model,
      size: request.size,
      quality: request.quality,
      output_format: request.outputFormat,
      output_compression: request.outputCompression,
      background: request.background,
      moderation: request.moderation,
      input_image_mask: request.mask && { image_url: embedded(request.mask, 'data-url') },
    }),
  };
  return {
    instructions: INSTRUCTIONS,
    ...Object.fromEntries(ofResponse),
    model: stringAt(request.extra, 'mainline_model') ?? MAINLINE_MODEL,
    background: true,
    store: true,
    input: inputOf(request),
    tools: [tool],
    tool_choice: { type: 'image_generation' },
    // A second picture would be paid for and thrown away.
    max_tool_calls: 1,
  };
}

function defined(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function inputOf({ prompt, images = [] }: ImageRequest): JsonValue {
  if (images.length === 0) return prompt;
  const pictures = images.map((asset) => ({
    type: 'input_image',
    image_url: embedded(asset, 'data-url'),
    detail: 'auto',
  }));
  return [{ role: 'user', content: [{ type: 'input_text', text: prompt }, ...pictures] }];
}

function isResponse({ status, body }: HttpResponse): boolean {
  return status >= 200 && status < 300 && stringAt(body, 'id') !== undefined && stringAt(body, 'status') !== undefined;
}

/** A status nobody here knows is a job that is still on its way. */
function readResponse({ body }: HttpResponse, known: Handle | undefined): Progress {
  const status = stringAt(body, 'status') ?? '';
  if (isObject(body) && ENDED.includes(status)) return ended(status, body);
  const id = stringAt(body, 'id');
  const handle = known ?? (id ? { response: id } : undefined);
  if (handle === undefined) return withoutId('OpenAI', 'response');
  const stage = status === 'queued' ? 'queued' : status === 'in_progress' ? 'running' : undefined;
  return { kind: 'waiting', handle, ...(stage && { stage }) };
}

const ENDED: readonly string[] = ['completed', 'incomplete', 'failed', 'cancelled'];

function ended(status: string, body: JsonObject): Progress {
  const output: readonly JsonValue[] = Array.isArray(body.output) ? body.output : [];
  const calls = output.filter(isObject).filter((item) => item.type === 'image_generation_call');
  const [image] = calls.map(pictureOf).filter((picture) => picture !== undefined);
  if (image !== undefined) return { kind: 'done', images: [image], ...usageOf(body) };
  const failure =
    callFailure(calls) ??
    statusFailure(status, body) ??
    refusal(output) ??
    (calls.length > 0 ? unexplained : undefined);
  return failure ? { kind: 'failed', failure } : { kind: 'done', images: [], ...usageOf(body) };
}

const unexplained: FailureReading = {
  kind: 'server',
  certainty: 'failed',
  message: 'the image tool failed and said nothing of why',
  classifiedBy: 'image call without a result',
};

/** The image tool's own tokens; those beside them are the mainline model's, at another price. */
function usageOf(body: JsonObject): { usage?: JsonObject } {
  const used = isObject(body.tool_usage) ? body.tool_usage.image_gen : undefined;
  return isObject(used) ? { usage: used } : {};
}

function pictureOf(call: JsonObject): ProviderImage | undefined {
  const source = call.result === '' ? undefined : imageSource(call.result);
  if (source === undefined) return undefined;
  const [revisedPrompt, background, quality] = ['revised_prompt', 'background', 'quality'].map((k) =>
    stringAt(call, k),
  );
  const resolved = { ...(background !== undefined && { background }), ...(quality !== undefined && { quality }) };
  return {
    source,
    ...(revisedPrompt !== undefined && { revisedPrompt }),
    ...(Object.keys(resolved).length > 0 && { resolved }),
  };
}

function callFailure(calls: readonly JsonObject[]): FailureReading | undefined {
  const error = calls.map((call) => call.error).find(isObject);
  const reading = error && toldFailure(error);
  if (error === undefined || reading?.kind !== 'policy') return reading;
  const details = isObject(error.moderation_details) ? error.moderation_details : {};
  const categories = Array.isArray(details.categories)
    ? details.categories.filter((one) => typeof one === 'string')
    : [];
  const message = categories.length === 0 ? reading.message : `${reading.message} (${categories.join(', ')})`;
  const { stage: _fromWords, ...told } = reading;
  switch (details.moderation_stage) {
    case undefined:
      return { ...reading, message };
    case 'input':
      return { ...told, message, stage: 'input', certainty: 'rejected' };
    case 'output':
      return { ...told, message, stage: 'output', certainty: 'completed' };
    default:
      // Blocked nobody says when: a picture may have been made.
      return { ...told, message, certainty: 'completed' };
  }
}

function toldFailure(error: JsonObject): FailureReading | undefined {
  return classifyOpenai({ status: 200, headers: {}, body: { error }, text: '' });
}

function statusFailure(status: string, body: JsonObject): FailureReading | undefined {
  if (status === 'failed') {
    const told = isObject(body.error) ? toldFailure(body.error) : undefined;
    return told ?? { kind: 'server', certainty: 'failed', message: 'OpenAI says that the response failed' };
  }
  const classifiedBy = `response ${status}`;
  if (status === 'cancelled') {
    const message = 'the response was canceled at OpenAI';
    return { kind: 'canceled', cancel: 'confirmed', certainty: 'ambiguous', message, classifiedBy };
  }
  if (status !== 'incomplete') return undefined;
  const reason = stringAt(body.incomplete_details, 'reason') ?? 'a reason that was not told';
  const told = { certainty: 'completed', message: `the response stopped early: ${reason}`, classifiedBy } as const;
  return reason === 'content_filter' ? { kind: 'policy', stage: 'output', ...told } : { kind: 'empty', ...told };
}

/** Words instead of the picture that was asked for are a refusal, whatever the status says; the words are billed. */
function refusal(output: readonly JsonValue[]): FailureReading | undefined {
  const contents = output.filter(isObject).flatMap((item): readonly JsonValue[] => {
    return item.type === 'message' && Array.isArray(item.content) ? item.content : [];
  });
  const said = contents
    .map((part) => stringAt(part, 'refusal') ?? stringAt(part, 'text') ?? '')
    .filter((text) => text !== '');
  if (said.length === 0) return undefined;
  const message = `the model answered in words instead of a picture: ${said.join(' ')}`;
  return { kind: 'policy', certainty: 'completed', message, classifiedBy: 'text instead of a picture' };
}

function readCancel({ status, body }: HttpResponse): CancelReading {
  const said = stringAt(body, 'status');
  if (status >= 200 && status < 300 && said === 'cancelled') {
    return { confirmed: true, certainty: 'ambiguous', message: 'OpenAI does not say whether what was begun is billed' };
  }
  const message = said === undefined ? `OpenAI answered ${status}` : `the response is ${said}`;
  return { confirmed: false, certainty: 'ambiguous', message };
}
