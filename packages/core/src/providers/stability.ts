/**
 * Stability AI's v2beta pictures: one multipart form, even without a file, and one picture as base64 in JSON. Sizes are
 * ratios. An edit starts from one picture and says by `strength` (0 to 1) how far to leave it; a mask is for the model
 * `inpaint`, which has an address and a price of its own. A prompt that is refused is a 403 `content_moderation`; a
 * picture that is refused is a 200 with `finish_reason: CONTENT_FILTERED` and a blurred picture, which is none.
 * `style_preset`, `cfg_scale`, `grow_mask` and the like pass as unknown fields.
 *
 * Facts: ComfyUI's client, third parties; there is no official SDK. Unverified: whether a filtered picture is billed (it
 * is counted as billed), webp from the sd3 models (not asked for), the request's id in a header.
 */

import type { FailureKind } from '../failure.ts';
import type { HttpRequest, HttpResponse, Part } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import data from './data/stability.json' with { type: 'json' };
import { filePart, formParts } from './form.ts';
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, FailureReading, Progress, Provider } from './provider.ts';

const { models: MODELS } = readModelFile(data);
/** Where an edit does not say it, and the API will not go without: more of the prompt than of the picture. */
const EDIT_STRENGTH = 0.65;

export const stability: Provider = {
  id: 'stability',
  access: { baseUrl: 'https://api.stability.ai', keyVariables: ['STABILITY_API_KEY', 'STABILITY_KEY'] },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  authorize: bearer,
  classify: classifyStability,
  requestId: ({ headers, body }) => headers['x-request-id'] ?? stringAt(body, 'id'),
  image: {
    submit: {
      build: (request, context): HttpRequest => ({
        method: 'POST',
        url: `${context.baseUrl}/v2beta/stable-image/${pathOf(context)}`,
        headers: { accept: 'application/json' },
        body: { kind: 'multipart', parts: partsOf(request, context) },
      }),
      parse: readPicture,
    },
  },
};

function pathOf({ model }: CallContext): string {
  if (model === 'inpaint') return 'edit/inpaint';
  return isSd3(model) ? 'generate/sd3' : `generate/${encodeURIComponent(model)}`;
}

function isSd3(model: string): boolean {
  return model.startsWith('sd3');
}

function partsOf(request: ImageRequest, { model }: CallContext): readonly Part[] {
  const { extra = {}, images = [], mask } = request;
  const files = [
    ...images.slice(0, 1).map((source) => filePart('image', source)),
    ...(mask ? [filePart('mask', mask)] : []),
  ];
  return formParts(Object.entries({ ...extra, ...knownFields(request, model, extra) }), files);
}

function knownFields(request: ImageRequest, model: string, extra: JsonObject): JsonObject {
  const isEdit = (request.images ?? []).length > 0 && model !== 'inpaint';
  return {
    prompt: request.prompt,
    negative_prompt: request.negativePrompt,
    seed: request.seed,
    output_format: request.outputFormat,
    // An sd3 edit keeps the ratio of its picture, and a ratio beside it is refused.
    aspect_ratio: isEdit && isSd3(model) ? undefined : request.aspectRatio,
    ...(isSd3(model) && model !== 'sd3' && { model }),
    ...(isSd3(model) && { mode: isEdit ? 'image-to-image' : 'text-to-image' }),
    ...(isEdit && { strength: extra.strength ?? EDIT_STRENGTH }),
  };
}

function readPicture({ headers, body }: HttpResponse): Progress {
  const reason = stringAt(body, 'finish_reason') ?? headers['finish-reason'] ?? '';
  if (reason === 'CONTENT_FILTERED') {
    const message = 'the picture was made and filtered; what came is a blurred one';
    return { kind: 'failed', failure: { ...FILTERED, message } };
  }
  const source = imageSource(isObject(body) ? (body.image ?? body) : undefined);
  if (source === undefined) return { kind: 'done', images: [] };
  const seed = numberAt(body, 'seed') ?? Number(headers.seed ?? Number.NaN);
  return { kind: 'done', images: [{ source, ...(Number.isSafeInteger(seed) && { seed }) }] };
}

const FILTERED = {
  kind: 'policy',
  stage: 'output',
  certainty: 'completed',
  code: 'CONTENT_FILTERED',
  classifiedBy: 'finish_reason CONTENT_FILTERED',
} as const;

const KINDS: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries({
    bad_request: 'invalid',
    invalid_language: 'invalid',
    unauthorized: 'authentication',
    forbidden: 'permission',
    payment_required: 'billing',
    content_moderation: 'policy',
    not_found: 'not_found',
    payload_too_large: 'too_large',
    rate_limit_exceeded: 'throttled',
    internal_error: 'server',
  } as const),
);

/** `{id, name, errors: [text]}`; the name decides, because a 403 is moderation as often as it is the key. */
function classifyStability({ status, body }: HttpResponse): FailureReading | undefined {
  const name = stringAt(body, 'name');
  if (name === undefined || UNDECIDED.includes(status)) return undefined;
  // A picture has no errors beside it.
  if (status < 400 && !(isObject(body) && Array.isArray(body.errors))) return undefined;
  const kind = KINDS.get(name) ?? (status === 500 ? 'server' : undefined);
  if (kind === undefined) return undefined;
  const requestId = stringAt(body, 'id');
  return {
    kind,
    code: name,
    message: wordsOf(body) ?? name,
    classifiedBy: `status ${status}, name ${name}`,
    ...(requestId !== undefined && { requestId }),
    ...(kind === 'policy' && { stage: 'input' }),
    ...(kind === 'throttled' && { throttle: 'requests' }),
  };
}

/** A proxy's guess may stand in anybody's envelope. */
const UNDECIDED: readonly number[] = [408, 409, 502, 504];

function wordsOf(body: JsonValue | undefined): string | undefined {
  const errors: readonly JsonValue[] = isObject(body) && Array.isArray(body.errors) ? body.errors : [];
  const texts = errors.filter((one) => typeof one === 'string');
  return texts.length === 0 ? stringAt(body, 'message') : texts.join('; ');
}
