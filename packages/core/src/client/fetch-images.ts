import type { Failure } from '../failure.ts';
import { type Asset, IMAGE_TYPES } from '../images/asset.ts';
import { createIntake } from '../images/intake.ts';
import type { GeneratedImage } from '../journal.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import { answeredBy } from './answer-headers.ts';
import type { Asking } from './asking.ts';
import { readControls } from './controls.ts';
import type { Engine } from './engine.ts';
import { errorAnswer, failureFacts } from './error-answer.ts';
import { formFields, type ImageFields, readImageFields, refusedField } from './image-fields.ts';
import { bytesOf, type Made, makeImages } from './images.ts';

/**
 * A request for pictures as an answer in OpenAI's shape; `url` is a data URL, because a library serves no links.
 * Rejects only with the reason of the caller's signal.
 */
export async function fetchImages(
  engine: Engine,
  operation: 'generate' | 'edit',
  { bytes, headers, policy, signal }: Asking,
): Promise<Response> {
  const { now } = engine.io;
  const read = await readImages(engine, operation, bytes, headers.get('content-type') ?? '');
  if (!read.ok) return errorAnswer(read.failure, 'images', now());
  const { fields, references } = read;
  const controls = readControls(fields.controls);
  if (!controls.ok) return errorAnswer(controls.failure, 'images', now());
  const settings = { ...controls.settings, ...policy };
  const params = { ...fields.params, ...references, operation, policy: settings };
  const made = await makeImages(engine, { ...params, ...(signal && { signal }) });
  signal?.throwIfAborted();
  if (!made.ok) return errorAnswer(made.failure, 'images', now());
  return picturesAnswer(engine, operation, fields, made);
}

type References = Pick<ImageRequest, 'images' | 'mask'>;
type Read =
  | { readonly ok: true; readonly fields: ImageFields; readonly references: References }
  | { readonly ok: false; readonly failure: Failure };

async function readImages(
  engine: Engine,
  operation: string,
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<Read> {
  if (contentType.startsWith('multipart/form-data')) return readForm(engine, bytes, contentType);
  if (operation === 'edit') return refusedField('image', 'the files of an edit are sent as multipart/form-data here');
  const body = parseJson(Buffer.from(bytes).toString());
  if (!isObject(body))
    return refusedField('body', 'it is no JSON object, such as {"prompt": "a red fox"}', 'invalid_body');
  const read = readImageFields(body);
  return read.ok ? { ...read, references: {} } : read;
}

/** As many as the models that take most. */
const MAX_FILES = 16;

/** Its files are `image`, `image[]` or `image[0]`, in their order, and `mask`. */
async function readForm(engine: Engine, bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<Read> {
  let entries: [string, string | File][];
  try {
    entries = [...(await new Response(bytes, { headers: { 'content-type': contentType } }).formData())];
  } catch {
    return refusedField('body', 'it is no whole form of multipart/form-data', 'invalid_body');
  }
  const texts = entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
  const read = readImageFields(formFields(texts));
  if (!read.ok) return read;
  const images: Asset[] = [];
  let mask: Asset | undefined;
  for (const [name, file] of entries) {
    if (typeof file === 'string') continue;
    if (images.length === MAX_FILES)
      return refusedField(name, `there are more than the ${MAX_FILES} files that are taken`);
    const isMask = name === 'mask';
    if (!isMask && !/^image(?:\[\d{0,2}\])?$/.test(name)) return refusedField(name, 'an edit has no file of this name');
    const stored = await store(engine, file);
    if (!stored.ok) return refusedField(name, `"${file.name.slice(0, 60)}" is no picture that opens: ${stored.detail}`);
    if (isMask) mask = stored.asset;
    else images.push(stored.asset);
  }
  if (images.length === 0) return refusedField('image', 'it is missing', 'missing_required_parameter');
  return { ...read, references: { images, ...(mask && { mask }) } };
}

async function store({ assets }: Engine, file: File) {
  const intake = createIntake(assets);
  try {
    const blob = intake.openBlob();
    await blob.write(Buffer.from(await file.arrayBuffer()));
    return await intake.settle(await blob.end());
  } finally {
    await intake.discardAll();
  }
}

async function picturesAnswer(
  engine: Engine,
  operation: 'generate' | 'edit',
  { responseFormat, stream }: ImageFields,
  { plan, generation, outcome }: Made & { ok: true },
): Promise<Response> {
  const { now } = engine.io;
  const data = await Promise.all(outcome.images.map((image) => itemOf(engine, image, responseFormat))).catch(String);
  if (typeof data === 'string') return errorAnswer(notKept(data), 'images', now());
  const created = Math.floor(plan.createdAt / 1000);
  const missing = (outcome.missing ?? []).map((failure) => ({
    message: failure.message,
    ...failureFacts(failure, 'images', now()),
  }));
  const settled = settledOn(outcome.images[0], plan.request);
  const rest = {
    ...(outcome.usage && { usage: outcome.usage }),
    ...(missing.length > 0 && { onetake: { missing } }),
  };
  const headers = {
    ...answeredBy(generation.targets[0] ?? ''),
    'x-onetake-attempts': String(generation.attempts),
    'x-onetake-paid-attempts': String(generation.paidAttempts),
  };
  if (!stream) return Response.json({ created, data, ...settled, ...rest }, { headers });
  const type = operation === 'edit' ? 'image_edit.completed' : 'image_generation.completed';
  // Of all of them together, so told once: whoever adds up the events would count it for each picture.
  const events = data.map((one, index) => ({
    ...{ type, created_at: created, ...one, ...settled },
    ...(index === data.length - 1 && rest),
  }));
  const body = events.map((event) => `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  return new Response(body, { headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' } });
}

async function itemOf(
  { assets }: Engine,
  { asset, revisedPrompt }: GeneratedImage,
  form: ImageFields['responseFormat'],
): Promise<JsonObject> {
  const base64 = Buffer.from(await bytesOf(asset, assets)).toString('base64');
  const url = `data:${IMAGE_TYPES[asset.type].mime};base64,${base64}`;
  const revised = revisedPrompt !== undefined && { revised_prompt: revisedPrompt };
  return { ...(form === 'url' ? { url } : { b64_json: base64 }), ...revised };
}

/** Made, billed, and pushed out of memory by others that came after it. */
function notKept(why: string): Failure {
  const message = `the pictures were made and could not be kept until they were answered: ${why}; raise maxImageBytes`;
  return { kind: 'storage', certainty: 'completed', message };
}

/** What the provider settled on; format and size are those of the true bytes. */
function settledOn(image: GeneratedImage | undefined, request: ImageRequest): JsonObject {
  const background = image?.resolved?.background ?? request.background;
  const quality = image?.resolved?.quality ?? request.quality;
  return {
    ...(background !== undefined && { background }),
    ...(quality !== undefined && { quality }),
    ...(image && { output_format: image.asset.type, size: `${image.asset.width}x${image.asset.height}` }),
  };
}
