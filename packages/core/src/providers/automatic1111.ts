/**
 * The API of AUTOMATIC1111's Stable Diffusion WebUI, Forge and SD.Next, started with `--api`; stable-diffusion.cpp speaks
 * it too, with an empty `info`. One picture at a time: a call waits for those before it, so the limit is one, and
 * `/progress`, which speaks of the server and not of a call, is then about ours.
 *
 * The model is `default`, what the server has loaded, or the name of a checkpoint. The server silently uses another one
 * where it does not have it; the answer's `info` tells. A white mask marks what is edited, which is set explicitly.
 * Unverified: maps of extensions after the pictures, the words of an interrupted call (it answers what it has).
 * Facts: modules/api/api.py and processing.py, read 2026-11.
 */
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, parseJson, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import { classifyAutomatic1111 } from './automatic1111-errors.ts';
import data from './data/automatic1111.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import { withoutExtraArguments } from './prompt-controls.ts';
import type { CallContext, Credential, FailureReading, Model, Progress, Provider, ProviderImage } from './provider.ts';
import { sidesOf } from './sides.ts';

const DEFAULT = 'default';
const { models } = readModelFile(data);

export const automatic1111: Provider = {
  id: 'automatic1111',
  access: {
    keyless: true,
    keyVariables: ['AUTOMATIC1111_API_AUTH'],
    baseUrlVariables: ['AUTOMATIC1111_BASE_URL', 'SD_WEBUI_URL'],
  },
  models,
  model: (id) => models.map((known): Model => ({ ...known, id }))[0],
  resubmit: 'safe',
  authorize,
  classify: classifyAutomatic1111,
  results: { hosts: [] },
  catalog: {
    build: ({ baseUrl }) => get(`${baseUrl}/sdapi/v1/sd-models`),
    parse: ({ body }) =>
      (Array.isArray(body) ? body : []).flatMap((entry: JsonValue) => {
        const id = stringAt(entry, 'model_name') ?? stringAt(entry, 'title');
        return id === undefined ? [] : [{ id }];
      }),
  },
  image: {
    submit: { build, parse },
    watch: {
      build: ({ baseUrl }) => get(`${baseUrl}/sdapi/v1/progress?skip_current_image=true`),
      // 0 is an idle server, also just before and just after our picture.
      parse: ({ body }) => {
        const share = numberAt(body, 'progress') ?? 0;
        return share > 0 ? { progress: Math.min(100, share * 100) } : {};
      },
    },
  },
};

/** `user:password`, as `--api-auth` has it; anything else is a token for a proxy in front. */
function authorize(request: HttpRequest, credential: Credential): HttpRequest {
  if (!credential.secret.includes(':')) return bearer(request, credential);
  const basic = Buffer.from(credential.secret, 'utf8').toString('base64');
  return { ...request, headers: { ...request.headers, authorization: `Basic ${basic}` } };
}

function get(url: string): HttpRequest {
  return { method: 'GET', url, headers: { accept: 'application/json' } };
}

/**
 * Not a caller's to set: what writes files or runs scripts on that machine, fetches addresses for them, or multiplies
 * the pictures of a call.
 */
const CLOSED: readonly string[] = [
  ...['override_settings', 'override_settings_restore_afterwards', 'save_images', 'send_images', 'include_init_images'],
  ...['script_name', 'script_args', 'alwayson_scripts', 'infotext', 'n_iter', 'init_images', 'mask', 'force_task_id'],
];

function build(request: ImageRequest, { model, baseUrl }: CallContext): HttpRequest {
  const { operation, prompt, negativePrompt, n, seed } = request;
  const edit = operation === 'edit' ? editFields(request) : undefined;
  const extra = Object.entries(request.extra ?? {}).filter(([key]) => !CLOSED.includes(key));
  const known: JsonObject = {
    prompt: withoutExtraArguments(prompt),
    ...(negativePrompt !== undefined && { negative_prompt: withoutExtraArguments(negativePrompt) }),
    ...sizeOf(request),
    ...(seed !== undefined && { seed }),
    batch_size: n,
    ...(model !== DEFAULT && { override_settings: { sd_model_checkpoint: model } }),
  };
  return {
    method: 'POST',
    url: `${baseUrl}/sdapi/v1/${edit ? 'img2img' : 'txt2img'}`,
    headers: { accept: 'application/json' },
    body: { kind: 'json', value: { ...edit?.preset, ...Object.fromEntries(extra), ...edit?.known, ...known } },
  };
}

/** A picture of another shape is cropped; the server's own preset would stretch it. */
function editFields({ images = [], mask }: ImageRequest): { preset: JsonObject; known: JsonObject } {
  return {
    preset: { resize_mode: 1 },
    known: {
      init_images: images.slice(0, 1).map((asset) => embedded(asset, 'base64')),
      ...(mask && { mask: embedded(mask, 'base64'), inpainting_mask_invert: 0 }),
    },
  };
}

const [SIDE_STEP, MIN_SIDE, MAX_SIDE] = [8, 64, 2048];

/** Without a size an edit is as large as its picture; the server would make 512x512 of it. */
function sizeOf({ size, operation, images = [] }: ImageRequest): ReturnType<typeof sidesOf> {
  const sides = sidesOf(size);
  if (sides) return sides;
  const [picture] = images;
  if (operation !== 'edit' || picture === undefined) return undefined;
  const scale = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  const side = (pixels: number) => Math.max(MIN_SIDE, Math.round((pixels * scale) / SIDE_STEP) * SIDE_STEP);
  return { width: side(picture.width), height: side(picture.height) };
}

function parse(response: HttpResponse, { n }: ImageRequest, { model }: CallContext): Progress {
  const { body } = response;
  const info = infoOf(body);
  const failure = otherCheckpoint(model, info);
  if (failure) return { kind: 'failed', failure };
  const list: readonly JsonValue[] = isObject(body) && Array.isArray(body.images) ? body.images : [];
  // A grid of all pictures may come first, and maps of extensions last.
  const first = Math.max(0, Math.trunc(numberAt(info, 'index_of_first_image') ?? 0));
  const seeds: readonly JsonValue[] = Array.isArray(info.all_seeds) ? info.all_seeds : [];
  const images = list.slice(first, first + n).flatMap((value, index): ProviderImage[] => {
    const source = imageSource(value);
    const seed = seeds[index];
    // A link would be fetched from wherever the server says; this API answers bytes.
    if (source === undefined || source.kind === 'url') return [];
    return [{ source, ...(typeof seed === 'number' && { seed }) }];
  });
  return { kind: 'done', images };
}

/** JSON inside a string, or an empty string. */
function infoOf(body: JsonValue | undefined): JsonObject {
  const info = parseJson(stringAt(body, 'info') ?? '');
  return isObject(info) ? info : {};
}

function otherCheckpoint(asked: string, info: JsonObject): FailureReading | undefined {
  const served = stringAt(info, 'sd_model_name') ?? '';
  const hash = stringAt(info, 'sd_model_hash') ?? '';
  if (asked === DEFAULT || served === '' || stem(asked) === stem(served)) return undefined;
  // A checkpoint may also be named by its hash.
  if (hash !== '' && asked.toLowerCase().includes(hash.toLowerCase())) return undefined;
  const message = `the server has no checkpoint "${asked}" and made the picture with "${served}"; GET /sdapi/v1/sd-models lists those it has`;
  return { kind: 'not_found', certainty: 'completed', message, classifiedBy: 'info.sd_model_name' };
}

/** `folder/name.safetensors [hash]` is called `name` in the answer. */
function stem(checkpoint: string): string {
  const name = checkpoint.replace(/\s*\[[^\]]*\]$/, '').replace(/^.*[\\/]/, '');
  return name.replace(/\.(?:safetensors|ckpt|gguf|sft|pt)$/i, '').toLowerCase();
}
