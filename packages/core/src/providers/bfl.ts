/**
 * Black Forest Labs: `POST /v1/{model}` answers an id and a `polling_url`, which must be used as it is given, because it
 * names the cluster that has the job. One picture per job; no cancellation. 429 means too many jobs at a time.
 * A refusal, of the prompt or of the picture, is a status inside a 200 and is not charged; the `cost` of a submit's
 * answer, in US cents, is what is.
 *
 * No webhook is asked for, because a submit with one is answered without a `polling_url`, and a job whose webhook is lost
 * could not be looked up any more. 1.1, ultra and dev take `image_prompt` as an unknown field: it steers a new picture
 * and edits none. The same goes for `safety_tolerance`, `steps`, `guidance`, `prompt_upsampling`, `raw`.
 * Facts: @ai-sdk/black-forest-labs 2.0.41, docs.bfl.ai, ComfyUI. Unverified: the status of a bad key (401 and 403 are
 * read), the hosts that pictures come from (any public https one), how long they stay there.
 */
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import data from './data/bfl.json' with { type: 'json' };
import { trustedUrl } from './links.ts';
import { readModelFile } from './model-data.ts';
import type { CallContext, Credential, FailureReading, Handle, Progress, Provider } from './provider.ts';
import { sidesOf } from './sides.ts';
import { withoutId } from './undecided.ts';

const { models: MODELS } = readModelFile(data);
/** Its clusters, such as `api.eu2.bfl.ai`. */
const POLLING_HOSTS: readonly string[] = ['bfl.ai'];
const FIRST_POLL_MS = 500;
const JSON_HEADERS = { accept: 'application/json' };

export const bfl: Provider = {
  id: 'bfl',
  access: { baseUrl: 'https://api.bfl.ai', keyVariables: ['BFL_API_KEY'] },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize,
  classify: classifyBfl,
  image: {
    submit: {
      build: (request, context): HttpRequest => ({
        method: 'POST',
        url: `${versionOne(context)}/${encodeURIComponent(context.model)}`,
        headers: JSON_HEADERS,
        body: { kind: 'json', value: jobFields(request, context) },
      }),
      parse: readSubmit,
    },
    poll: {
      build: (handle, context): HttpRequest => ({
        method: 'GET',
        url: pollingUrl(handle, context),
        headers: JSON_HEADERS,
      }),
      parse: readPoll,
    },
  },
};

function authorize(request: HttpRequest, { secret }: Credential): HttpRequest {
  return secret === '' ? request : { ...request, headers: { ...request.headers, 'x-key': secret } };
}

function versionOne({ baseUrl }: CallContext): string {
  return baseUrl.endsWith('/v1') ? baseUrl : `${baseUrl}/v1`;
}

/** Only our own picture may be what is fetched or called: no webhook of the request's. */
function jobFields(request: ImageRequest, { model }: CallContext): JsonObject {
  const { webhook_url: _url, webhook_secret: _secret, ...extra } = request.extra ?? {};
  const sides = sidesOf(request.size);
  const known: JsonObject = {
    prompt: request.prompt,
    width: sides?.width,
    height: sides?.height,
    aspect_ratio: request.aspectRatio,
    output_format: request.outputFormat,
    seed: request.seed,
    ...referenceFields(request, model),
  };
  const fields = Object.entries({ ...extra, ...known });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** The tools that work on one picture name it otherwise. */
function referenceFields({ images = [], mask }: ImageRequest, model: string): JsonObject {
  const isTool = model.endsWith('-fill') || model.endsWith('-expand');
  const stem = isTool ? 'image' : 'input_image';
  const pictures = images.map((asset, index) => {
    return [index === 0 ? stem : `${stem}_${index + 1}`, embedded(asset, 'base64')] as const;
  });
  return { ...Object.fromEntries(pictures), ...(mask && { mask: embedded(mask, 'base64') }) };
}

function readSubmit({ body }: HttpResponse): Progress {
  const id = stringAt(body, 'id');
  if (id === undefined || id === '') return withoutId('Black Forest Labs', 'job');
  const url = stringAt(body, 'polling_url');
  const costCents = numberAt(body, 'cost');
  const handle = { id, ...(url !== undefined && { url }), ...(costCents !== undefined && { costCents }) };
  return { kind: 'waiting', handle, pollAfterMs: FIRST_POLL_MS };
}

/** The key goes to its own hosts alone, whatever the answer said. */
function pollingUrl(handle: Handle, context: CallContext): string {
  const trusted = trustedUrl(stringAt(handle, 'url'), context, POLLING_HOSTS);
  const url = new URL(trusted ?? `${versionOne(context)}/get_result`);
  if (!url.searchParams.has('id')) url.searchParams.set('id', stringAt(handle, 'id') ?? '');
  return url.href;
}

/** A status nobody here knows is a job that is still on its way. */
function readPoll({ body }: HttpResponse, handle: Handle): Progress {
  const status = stringAt(body, 'status') ?? stringAt(body, 'state') ?? '';
  if (status === 'Ready') return readResult(body, handle);
  const failure = failureOf(status, body);
  if (failure) return { kind: 'failed', failure: { classifiedBy: `status ${status}`, ...failure } };
  const share = numberAt(body, 'progress');
  return {
    kind: 'waiting',
    handle,
    ...(share !== undefined && { progress: Math.min(100, Math.max(0, share * 100)) }),
  };
}

function readResult(body: JsonValue | undefined, handle: Handle): Progress {
  const result = isObject(body) && isObject(body.result) ? body.result : {};
  const source = imageSource(result.sample);
  const seed = numberAt(result, 'seed');
  const cents = numberAt(handle, 'costCents');
  return {
    kind: 'done',
    images: source === undefined ? [] : [{ source, ...(seed !== undefined && { seed }) }],
    ...(cents !== undefined && { costUsd: cents / 100 }),
  };
}

function failureOf(status: string, body: JsonValue | undefined): FailureReading | undefined {
  const why = reasons(body);
  switch (status) {
    case 'Request Moderated':
      return { kind: 'policy', stage: 'input', certainty: 'rejected', message: `the request was refused${why}` };
    case 'Content Moderated':
      return { kind: 'policy', stage: 'output', certainty: 'rejected', message: `the picture was withheld${why}` };
    case 'Error':
    case 'Failed':
      return { kind: 'server', certainty: 'failed', message: `Black Forest Labs says that the job failed${why}` };
    case 'Task not found':
      return {
        kind: 'not_found',
        certainty: 'ambiguous',
        message: 'the job was accepted, and Black Forest Labs does not know it any more',
      };
    default:
      return undefined;
  }
}

/** `details` is an object of texts and lists of texts, such as `Moderation Reasons`. */
function reasons(body: JsonValue | undefined): string {
  const details = isObject(body) ? (body.details ?? body.error) : undefined;
  if (typeof details === 'string' && details !== '') return `: ${details}`;
  const words = isObject(details) ? Object.values(details).flat() : [];
  const texts = words.filter((word) => typeof word === 'string');
  return texts.length === 0 ? '' : `: ${texts.join(', ')}`;
}

function classifyBfl({ status, body }: HttpResponse): FailureReading | undefined {
  const message = detailOf(body);
  if (status === 403 && (!message || /authenticat|credential|api[ -]?key/i.test(message))) {
    return { kind: 'authentication', message: message || 'Black Forest Labs answered 403; check the key' };
  }
  if (status === 429) {
    const said = message || 'too many jobs at a time';
    return { kind: 'throttled', throttle: 'concurrency', message: said };
  }
  if (status !== 422) return undefined;
  const param = paramOf(body);
  return { kind: 'invalid', message: message || 'a field is refused', ...(param !== undefined && { param }) };
}

/** FastAPI's `detail`: a text, or a list of `{loc, msg, type}`. */
function detailOf(body: JsonValue | undefined): string | undefined {
  if (!isObject(body)) return undefined;
  const { detail } = body;
  if (!Array.isArray(detail)) return stringAt(body, 'detail') ?? stringAt(body, 'message');
  const faults = detail.map((one: JsonValue) => `${pathOf(one) ?? 'a field'}: ${stringAt(one, 'msg') ?? 'refused'}`);
  return faults.length === 0 ? undefined : faults.join('; ');
}

function paramOf(body: JsonValue | undefined): string | undefined {
  return isObject(body) && Array.isArray(body.detail) ? pathOf(body.detail[0]) : undefined;
}

function pathOf(fault: JsonValue | undefined): string | undefined {
  const path =
    isObject(fault) && Array.isArray(fault.loc) ? fault.loc.filter((part: JsonValue) => part !== 'body') : [];
  return path.length === 0 ? undefined : path.join('.');
}
