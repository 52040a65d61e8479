import { IMAGE_TYPES, type ImageRequest, isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { z } from 'zod';
import { RequestProblem } from './problem.ts';

/** A request for pictures as the wire tells it, before its files are known. */
export interface ImageWire {
  readonly request: ImageRequest;
  readonly model: string | undefined;
  readonly responseFormat: 'b64_json' | 'url';
  /** The body's `onetake` object, for `readControls`. */
  readonly controlsBody: JsonValue | undefined;
  /** What the fingerprint is made of: spelled one way, defaults left out. */
  readonly canonical: JsonObject;
}

const MAX_PROMPT_CHARS = 32_000;
const MAX_SIDE_PIXELS = 16_384;
const MAX_EXTRA_CHARS = 256 * 1024;
const MAX_EXTRA_DEPTH = 32;
const MAX_BASE64_CHARS = 1_000;
const MAX_WORD_CHARS = 64;
const RATIO = 'WIDTH:HEIGHT such as 16:9';
const WELL_FORMED = { error: 'well-formed Unicode: it holds half of a surrogate pair' };

const WIRE = z.looseObject({
  prompt: text(MAX_PROMPT_CHARS).regex(/\S/, { error: 'a text that says something' }).refine(isWellFormed, WELL_FORMED),
  n: wholeNumber(1, 10).optional(),
  size: z.string({ error: sizeRule() }).refine(isSize, { error: sizeRule() }).optional(),
  aspect_ratio: z
    .string({ error: RATIO })
    .regex(/^[1-9]\d{0,4}:[1-9]\d{0,4}$/, { error: RATIO })
    .optional(),
  resolution: text(MAX_WORD_CHARS).optional(),
  negative_prompt: text(MAX_PROMPT_CHARS).refine(isWellFormed, WELL_FORMED).optional(),
  quality: text(MAX_WORD_CHARS).optional(),
  output_format: oneOf(Object.keys(IMAGE_TYPES), 'others could not be verified').optional(),
  output_compression: wholeNumber(0, 100).optional(),
  background: text(MAX_WORD_CHARS).optional(),
  moderation: text(MAX_WORD_CHARS).optional(),
  seed: wholeNumber(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).optional(),
  response_format: z.enum(['b64_json', 'url'], { error: 'b64_json or url' }).optional(),
  stream: z.boolean({ error: 'true or false' }).optional(),
  partial_images: wholeNumber(0, 3).optional(),
  model: z.string({ error: modelRule() }).max(200, { error: modelRule() }).refine(isWellFormed, WELL_FORMED).optional(),
});

type Wire = z.output<typeof WIRE>;
/** Fields that are read here; others pass to the provider unread. */
export const IMAGE_FIELDS: ReadonlySet<string> = new Set(Object.keys(WIRE.shape));
const FORM_NUMBERS: ReadonlySet<string> = new Set(['n', 'output_compression', 'seed', 'partial_images']);

/**
 * Reads the body of a generation or an edit, in OpenAI's terms. `null` stands for an absent field; fields Onetake does
 * not know go to `extra`. Files and links of an edit must be taken out first. Throws a 400 with the field's path.
 */
export function readImageWire(operation: ImageRequest['operation'], body: unknown): ImageWire {
  const { onetake: controlsBody, ...given } = withoutNulls(objectBody(body));
  const parsed = WIRE.safeParse(given);
  if (!parsed.success) throw problemOf(parsed.error, given);
  const wire = parsed.data;
  const extra = extraOf(given);
  const responseFormat = wire.response_format ?? 'b64_json';
  const request = imageRequest(operation, wire, extra);
  const model = wire.model || undefined;
  return { request, model, responseFormat, controlsBody, canonical: canonicalOf(request, model, responseFormat) };
}

/** Gives the fields of a multipart form, which are all texts, the types their JSON has. */
export function readFormFields(fields: ReadonlyMap<string, string>): JsonObject {
  const nested: Record<string, JsonValue> = {};
  const body: Record<string, JsonValue> = {};
  for (const [name, value] of fields) {
    // SDKs spell an object's fields like this.
    const control = /^onetake\[(\w{1,64})\]$/.exec(name)?.[1];
    if (control !== undefined) nested[control] = value;
    else if (name === 'onetake') Object.assign(nested, jsonField(name, value));
    else if (FORM_NUMBERS.has(name)) body[name] = /^-?\d{1,16}$/.test(value) ? Number(value) : value;
    else if (name === 'stream') body[name] = value === 'true' ? true : value === 'false' ? false : value;
    else body[name] = value;
  }
  return Object.keys(nested).length > 0 ? { ...body, onetake: nested } : body;
}

export function objectBody(body: unknown): JsonObject {
  if (isObject(body)) return body;
  const found =
    body === undefined || body === null
      ? 'there is none'
      : `it is ${Array.isArray(body) ? 'an array' : `a ${typeof body}`}`;
  throw new RequestProblem(
    400,
    'invalid_body',
    `body: ${found}; send one JSON object, such as {"prompt": "a red fox"}`,
  );
}

function imageRequest(operation: ImageRequest['operation'], wire: Wire, extra: JsonObject): ImageRequest {
  return {
    operation,
    prompt: wire.prompt,
    n: wire.n ?? 1,
    ...(wire.size !== undefined && { size: wire.size }),
    ...(wire.aspect_ratio !== undefined && { aspectRatio: wire.aspect_ratio }),
    ...(wire.resolution !== undefined && { resolution: wire.resolution }),
    ...(wire.quality !== undefined && { quality: wire.quality }),
    ...(wire.output_format !== undefined && { outputFormat: wire.output_format }),
    ...(wire.output_compression !== undefined && { outputCompression: wire.output_compression }),
    ...(wire.background !== undefined && { background: wire.background }),
    ...(wire.moderation !== undefined && { moderation: wire.moderation }),
    ...(wire.seed !== undefined && { seed: wire.seed }),
    ...(wire.negative_prompt !== undefined && { negativePrompt: wire.negative_prompt }),
    ...(wire.stream && { stream: true }),
    ...(wire.partial_images !== undefined && { partialImages: wire.partial_images }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

/** Defaults are left out, so that saying them and leaving them out are one request; `n` has its default filled in. */
function canonicalOf(
  request: ImageRequest,
  model: string | undefined,
  responseFormat: ImageWire['responseFormat'],
): JsonObject {
  const { n, images: _images, mask: _mask, source: _source, ...rest } = request;
  return {
    ...rest,
    ...(n !== 1 && { n }),
    ...(model !== undefined && { model }),
    ...(responseFormat !== 'b64_json' && { responseFormat }),
  };
}

function withoutNulls(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

/** Bounded and without pictures, because it is stored with the plan and walked by whoever translates it. */
function extraOf(given: JsonObject): JsonObject {
  const entries = Object.entries(given).filter(([name]) => !IMAGE_FIELDS.has(name));
  for (const [name, value] of entries) {
    if (!isWithinDepth(value, MAX_EXTRA_DEPTH))
      throw extraProblem(name.slice(0, 100), `it is nested deeper than ${MAX_EXTRA_DEPTH} levels`);
  }
  const extra = Object.fromEntries(entries);
  if (JSON.stringify(extra).length > MAX_EXTRA_CHARS) {
    const names = entries
      .map(([name]) => name)
      .join(', ')
      .slice(0, 100);
    throw extraProblem(names, `what passes to the provider unread may have ${MAX_EXTRA_CHARS} characters`);
  }
  const picture = entries.find((entry) => holdsPicture(JSON.stringify(entry)));
  if (picture) throw pictureProblem(picture[0].slice(0, 100));
  return extra;
}

function holdsPicture(json: string): boolean {
  if (/\bdata:(?:[\w.+-]+\/|;)[^\s,"]{0,200},/i.test(json)) return true;
  return json.split(/[^\w+/-]+/).some((run) => run.length > MAX_BASE64_CHARS);
}

function pictureProblem(param: string): RequestProblem {
  const rule = `it holds a data: URL or more than ${MAX_BASE64_CHARS} characters of base64, and pictures do not pass unread`;
  const message = `${param}: ${rule}; send them to /v1/images/edits as "image", a file or a link`;
  return new RequestProblem(400, 'invalid_value', message, { param });
}

function extraProblem(param: string, rule: string): RequestProblem {
  return new RequestProblem(400, 'invalid_value', `${param}: ${rule}; shorten it or leave it out`, { param });
}

function isWithinDepth(value: JsonValue | undefined, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((one: JsonValue | undefined) => isWithinDepth(one, depth - 1));
}

function problemOf({ issues }: z.ZodError, given: JsonObject): RequestProblem {
  const [issue] = issues;
  const param = String(issue?.path[0] ?? 'body');
  const value = given[param];
  if (value === undefined) {
    const message = `${param}: it is missing; send ${issue?.message ?? 'it'}`;
    return new RequestProblem(400, 'missing_required_parameter', message, { param });
  }
  const message = `${param}: ${shown(value)} is not ${issue?.message ?? 'valid'}; change it${param === 'prompt' ? '' : ' or leave it out'}`;
  return new RequestProblem(400, 'invalid_value', message, { param });
}

function shown(value: JsonValue): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'string' && value.length > 60) return `"${value.slice(0, 60)}…" (${value.length} characters)`;
  return JSON.stringify(value);
}

function jsonField(name: string, value: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(value);
    if (isObject(parsed)) return parsed;
  } catch {
    // The message below is all there is to say.
  }
  throw new RequestProblem(
    400,
    'invalid_type',
    `${name}: ${shown(value)} is not a JSON object; write {"payment":"strict"}`,
    { param: name },
  );
}

function text(maxChars: number) {
  const error = `a text of 1 to ${maxChars} characters`;
  return z.string({ error }).min(1, { error }).max(maxChars, { error });
}

function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function isWellFormed(value: string): boolean {
  return value.isWellFormed();
}

function oneOf(values: readonly string[], why: string) {
  return z.enum(values, { error: `one of ${values.join(', ')} (${why})` });
}

function sizeRule(): string {
  return `"auto" or WIDTHxHEIGHT, each from 1 to ${MAX_SIDE_PIXELS} pixels`;
}

function modelRule(): string {
  return 'a model name of at most 200 characters';
}

function isSize(size: string): boolean {
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size) ?? [];
  return size === 'auto' || (Number(width) <= MAX_SIDE_PIXELS && Number(height) <= MAX_SIDE_PIXELS);
}
