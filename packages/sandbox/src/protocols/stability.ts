import { randomBytes } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import type { Fields } from '../wire/body.ts';
import { invalidField, needText, readChoice, readInteger, readNumber, readText, sidesOf } from './fields.ts';
import { jobOf, startJob } from './jobs.ts';
import { schemeKey } from './keys.ts';
import { isPicture, type PictureOrder } from './orders.ts';
import { type Painted, type PaintedPicture, paint } from './paint.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

const RATIOS = ['16:9', '1:1', '21:9', '2:3', '3:2', '4:5', '5:4', '9:16', '9:21'] as const;
const SD3 = ['sd3.5-large', 'sd3.5-large-turbo', 'sd3.5-medium', 'sd3.5-flash'] as const;
const FORMATS = ['png', 'jpeg', 'webp'] as const;
const MAX_PROMPT = 10_000;
const MAX_SEED = 4_294_967_294;
const MAX_UPLOAD_BYTES = 10 * 1024 * 1024;
/** Take a picture and change it; the prompt is optional where nothing is to be described. */
const EDITS = ['erase', 'inpaint', 'outpaint', 'search-and-replace', 'search-and-recolor', 'remove-background'];
const PROMPTLESS = new Set(['erase', 'outpaint', 'remove-background', 'fast']);

/**
 * Stability AI's v2beta: forms also for text alone, one picture a request, whose `Accept` decides between bytes and
 * JSON. A blocked prompt is a 403; a blocked picture a 200 with CONTENT_FILTERED and the picture.
 */
export const stability: Protocol = {
  name: 'stability',
  routes: [
    { method: 'POST', path: '/v2beta/stable-image/generate/:model', bills: true, handle: generate },
    { method: 'POST', path: '/v2beta/stable-image/edit/replace-background-and-relight', bills: true, handle: submit },
    { method: 'POST', path: '/v2beta/stable-image/edit/:model', bills: true, handle: edit },
    { method: 'POST', path: '/v2beta/stable-image/control/:model', bills: true, handle: edit },
    { method: 'POST', path: '/v2beta/stable-image/upscale/creative', bills: true, handle: submit },
    { method: 'POST', path: '/v2beta/stable-image/upscale/:model', bills: true, handle: edit },
    { method: 'GET', path: '/v2beta/results/:id', handle: result },
    { method: 'GET', path: '/v1/user/balance', handle: () => jsonAnswer(200, { credits: 1000 }) },
  ],
  key: schemeKey('Bearer'),
  headers: () => ({ 'x-request-id': newId() }),
  refuse,
  jobs: { newId },
};

function newId(): string {
  return randomBytes(32).toString('hex');
}

function generate(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { model = '' } = call.params;
  if (!['core', 'ultra', 'sd3'].includes(model)) throw new RefusedError({ status: 404, message: 'not found' });
  needForm(call);
  const { values, files } = call.body;
  const image = files.find(({ field }) => field === 'image');
  if (image && model === 'core') throw invalidField('image', 'type', 'core takes no image');
  const mode = model === 'sd3' ? readChoice(values, 'mode', ['text-to-image', 'image-to-image'] as const) : undefined;
  const ratio = readChoice(values, 'aspect_ratio', RATIOS);
  if (mode === 'image-to-image') {
    if (!image) throw invalidField('image', 'missing', 'image-to-image needs an image');
    if (ratio) throw invalidField('aspect_ratio', 'choice', 'not allowed with image-to-image');
  }
  const strength = readNumber(values, 'strength', 0, 1);
  if (image && strength === undefined) throw invalidField('strength', 'missing', 'required with an image');
  readNumber(values, 'cfg_scale', 1, 10);
  const name = model === 'sd3' ? (readChoice(values, 'model', SD3) ?? 'sd3.5-large') : model;
  call.bill.model = name;
  return answer(call, {
    ...readOrder(call.body, name, needText(values, 'prompt', MAX_PROMPT)),
    ...sidesOf(ratio ?? '1:1', 1024 ** 2, 64),
  });
}

function edit(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  return answer(call, readEdit(call));
}

function submit(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  return startJob(call, readEdit(call), (job) => jsonAnswer(200, { id: job.id }));
}

function readEdit(call: ProtocolCall): PictureOrder {
  const last = call.params.model ?? call.request.url?.split(/[?/]/u).findLast((part) => part !== '') ?? '';
  const known = [...EDITS, 'sketch', 'structure', 'style', 'fast', 'conservative', 'creative'];
  if (call.params.model && !known.includes(last)) throw new RefusedError({ status: 404, message: 'not found' });
  needForm(call);
  call.bill.model = last;
  const { values, files } = call.body;
  const images = files.filter(({ field }) => /image$/u.test(field));
  if (images.length === 0) throw invalidField('image', 'missing', 'cannot be blank');
  const prompt = PROMPTLESS.has(last)
    ? (readText(values, 'prompt', MAX_PROMPT) ?? '')
    : needText(values, 'prompt', MAX_PROMPT);
  return readOrder(call.body, last, prompt);
}

function needForm({ form, body }: ProtocolCall): void {
  const message = 'content-type: must be multipart/form-data';
  if (!form) throw new RefusedError({ status: 400, reason: 'invalid', message });
  const size = body.files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (size > MAX_UPLOAD_BYTES) throw new RefusedError({ status: 413, message: 'body: payload is larger than 10MiB' });
}

function readOrder({ values, files }: Fields, model: string, prompt: string): PictureOrder {
  readText(values, 'negative_prompt', MAX_PROMPT);
  readText(values, 'style_preset');
  const seed = readInteger(values, 'seed', 0, MAX_SEED);
  for (const { field, bytes } of files) {
    // A form of text alone is sent with an empty file, whose name is `none`.
    if (bytes.length > 0 && !isPicture(bytes)) throw invalidField(field, 'type', 'expected a JPEG, PNG or WebP');
  }
  return {
    model,
    prompt,
    format: readChoice(values, 'output_format', FORMATS) ?? 'png',
    // Zero, the default, is a random one.
    ...(seed ? { seed } : {}),
    references: files.filter(({ bytes }) => bytes.length > 0).map(({ bytes }) => bytes),
  };
}

function answer(call: ProtocolCall, order: PictureOrder): Promise<ProtocolAnswer | undefined> {
  const accept = call.headers.accept ?? '*/*';
  if (!/image\/\*|application\/json|\*\/\*/u.test(accept)) {
    throw new RefusedError({
      status: 400,
      reason: 'invalid',
      message: "accept: must be 'image/*' or 'application/json'",
    });
  }
  const json = accept.includes('application/json');
  const write = (reason: string) => (painted: Painted) => writePicture(painted.pictures[0], json, reason);
  return paint(call, order, write('SUCCESS'), write('CONTENT_FILTERED'));
}

function writePicture(picture: PaintedPicture | undefined, json: boolean, finish_reason: string): Answer {
  if (json) {
    const image = picture && { image: picture.base64, seed: picture.seed };
    return jsonAnswer(200, { ...image, finish_reason });
  }
  const seed = picture && { seed: String(picture.seed) };
  const headers = { 'content-type': picture?.mime ?? 'image/png', 'finish-reason': finish_reason, ...seed };
  return { status: 200, headers, body: picture ? [picture.bytes] : [] };
}

async function result(call: ProtocolCall): Promise<Answer> {
  const { id = '' } = call.params;
  const job = jobOf(call, id);
  if (!job) throw new RefusedError({ status: 404, message: 'id: not found or expired' });
  if (!job.ended) return jsonAnswer(202, { id, status: 'in-progress' });
  if (job.status === 'failed') throw new RefusedError({ status: 500, message: job.error?.message ?? '' });
  if (job.stage === 'input') throw new RefusedError({ status: 403, reason: 'policy', message: '' });
  const json = (call.headers.accept ?? '').includes('application/json');
  if (job.stage === 'output') return writePicture(undefined, json, 'CONTENT_FILTERED');
  return writePicture((await job.pictures())?.[0], json, 'SUCCESS');
}

function refuse({ reason, status, message, headers }: ProtocolRefusal): Answer {
  const said = (code: number, name: string, ...errors: string[]) =>
    jsonAnswer(code, { id: newId(), name, errors }, code === 429 ? headers : {});
  switch (reason) {
    case 'invalid':
      return said(400, 'bad_request', message.replace(/^Invalid '([^']+)'/u, '$1'));
    case 'policy':
    case 'policy-output':
      return said(403, 'content_moderation', 'Your request was flagged by our content moderation system.');
    case 'key':
      return said(401, 'unauthorized', 'authorization: invalid or missing header value');
    case 'permission':
      return said(403, 'forbidden', 'Your organization does not have access to this resource.');
    case 'billing':
    case 'quota':
      return said(402, 'payment_required', 'You lack sufficient credits to make this request.');
    case 'rate':
    case 'concurrency':
      return said(429, 'rate_limit_exceeded', 'You have exceeded the rate limit of 150 requests within 10 seconds.');
    case 'not-found':
    case 'retired':
      return said(404, 'not_found', message);
    case 'too-large':
      return said(413, 'payload_too_large', message);
    case 'overloaded':
      return said(503, 'service_unavailable', 'The service is overloaded; try again later.');
    case 'server':
      return said(status, 'internal_error', 'An unexpected error occurred.');
    default:
      return said(status, reason, message);
  }
}
