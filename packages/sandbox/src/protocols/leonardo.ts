import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import type { Fields } from '../wire/body.ts';
import { invalidField, needText, readInteger, readList, readNumber, readText } from './fields.ts';
import { type JobView, jobOf, startJob } from './jobs.ts';
import { schemeKey } from './keys.ts';
import { isPicture } from './orders.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

const API = '/api/rest/v1';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;
const DEFAULT_MODEL = 'b24e16ff-06e3-43eb-8d33-4416c2d75876';
const FLAGS = ['alchemy', 'enhancePrompt', 'photoReal', 'promptMagic', 'public', 'tiling', 'ultra'];
const CONTRASTS = [1, 1.3, 1.8, 2.5, 3, 3.5, 4, 4.5];
const EXTENSIONS = ['png', 'jpg', 'jpeg', 'webp'];
const MAX_SIDE = 1920;
const MAX_SEED = 9_999_999_998;
const CREDITS_PER_PICTURE = 6;
/** A generation cannot be looked up for this long after its submit. */
const UNSEEN_MS = 100;
const ID = '3f1b2c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d';

/**
 * Leonardo.ai: generations that cannot be seen at once, uploads by a signed form that takes no key, errors in Hasura's
 * shape whose code says little. A blocked picture is delivered with a flag (`flagged`), or flagged without a link.
 */
export const leonardo: Protocol = {
  name: 'leonardo',
  basePath: API,
  routes: [
    { method: 'POST', path: `${API}/generations`, bills: true, handle: submit },
    { method: 'GET', path: `${API}/generations/:id`, handle: look },
    { method: 'POST', path: `${API}/init-image`, handle: openUpload },
    { method: 'POST', path: '/storage/:id', open: true, handle: upload },
    { method: 'GET', path: `${API}/platformModels`, handle: listModels },
    { method: 'GET', path: `${API}/me`, handle: () => jsonAnswer(200, { user_details: [{ user: { id: ID } }] }) },
  ],
  key: schemeKey('Bearer'),
  refuse,
  jobs: { unbilled: ['failed', 'moderated'] },
};

function submit(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { values } = call.body;
  const model = readText(values, 'modelId') ?? DEFAULT_MODEL;
  if (!UUID.test(model)) throw invalidField('modelId', 'type', 'invalid input syntax for type uuid');
  call.bill.model = model;
  for (const flag of FLAGS) needBoolean(values, flag);
  const contrast = readNumber(values, 'contrast', 1, 4.5);
  if (contrast !== undefined && !CONTRASTS.includes(contrast))
    throw invalidField('contrast', 'choice', 'invalid value');
  if (readText(values, 'negative_prompt') === '') throw invalidField('negative_prompt', 'range', 'must not be empty');
  const width = readSide(values, 'width') ?? 1024;
  const height = readSide(values, 'height') ?? 768;
  const n = readInteger(values, 'num_images', 1, width > 768 || height > 768 ? 4 : 8) ?? 4;
  const seed = readInteger(values, 'seed', 0, MAX_SEED);
  const order = {
    ...{ model, prompt: needText(values, 'prompt'), n, width, height, format: 'jpeg' as const },
    ...(seed !== undefined && { seed }),
    references: readUploads(call),
  };
  return startJob(call, order, (job) =>
    jsonAnswer(200, { sdGenerationJob: { generationId: job.id, apiCreditCost: n * CREDITS_PER_PICTURE } }),
  );
}

function needBoolean(values: Fields['values'], param: string): void {
  const value = values[param] ?? false;
  if (typeof value === 'boolean') return;
  const message = `expected a boolean for type 'Boolean', but found a ${typeof value}`;
  throw new RefusedError({ status: 400, reason: 'invalid', code: 'validation-failed', param, message });
}

function readSide(values: Fields['values'], param: 'width' | 'height'): number | undefined {
  const pixels = readInteger(values, param, 32, MAX_SIDE);
  if (pixels !== undefined && pixels % 8 !== 0) throw invalidField(param, 'range', 'must be a multiple of 8');
  return pixels;
}

function readUploads({ body: { values }, context }: ProtocolCall): Buffer[] {
  const first = readText(values, 'init_image_id');
  const others = readList(values, 'contextImages', 4).map((item) => Object(item).id);
  return [...(first === undefined ? [] : [first]), ...others].map((id) => {
    const bytes = typeof id === 'string' ? context.uploads.get('leonardo', id) : undefined;
    if (!bytes) throw invalidField('init_image_id', 'missing', 'invalid init image: it was not uploaded');
    return bytes;
  });
}

function openUpload(call: ProtocolCall): Answer {
  const extension = needText(call.body.values, 'extension');
  if (!EXTENSIONS.includes(extension)) {
    throw new RefusedError({ status: 400, reason: 'invalid', message: 'invalid file extension' });
  }
  const id = call.context.uploads.open('leonardo');
  const key = `users/${ID}/initImages/${id}.${extension}`;
  const fields = {
    'Content-Type': `image/${extension}`,
    bucket: 'image-uploads',
    key,
    Policy: 'e30=',
    'X-Amz-Signature': id,
  };
  return jsonAnswer(200, {
    uploadInitImage: { id, key, fields: JSON.stringify(fields), url: `${call.base}/storage/${id}` },
  });
}

/** The storage behind it knows one way to be authorized, and that is the form. */
function upload({ body, context, headers, params }: ProtocolCall): Answer {
  const { id = '' } = params;
  if (headers.authorization !== undefined) return storageError(400, 'Only one auth mechanism allowed');
  if (body.values['X-Amz-Signature'] !== id) return storageError(403, 'SignatureDoesNotMatch');
  const sent = body.files.find(({ field }) => field === 'file');
  if (!sent || !isPicture(sent.bytes)) return storageError(400, 'POST requires exactly one file upload');
  if (!context.uploads.put('leonardo', id, sent.bytes)) return storageError(403, 'Policy expired');
  return { status: 204, headers: {}, body: [] };
}

function storageError(status: number, message: string): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body: [Buffer.from(xml)] };
}

async function look(call: ProtocolCall): Promise<Answer> {
  const job = jobOf(call, call.params.id ?? '');
  const isSeen = job !== undefined && Date.now() - job.createdAt >= UNSEEN_MS;
  return jsonAnswer(200, { generations_by_pk: isSeen ? await generationOf(job) : null });
}

async function generationOf(job: JobView): Promise<object> {
  const { call } = job;
  return {
    ...{ id: job.id, status: statusOf(job), generated_images: await imagesOf(job), modelId: job.model },
    ...{ prompt: call.prompt, negativePrompt: '', seed: call.seed, imageWidth: call.width, imageHeight: call.height },
    ...{ inferenceSteps: 15, guidanceScale: 7, initStrength: null, public: false, scheduler: 'EULER_DISCRETE' },
    ...{ sdVersion: 'SDXL_LIGHTNING', presetStyle: 'DYNAMIC', photoReal: false, promptMagic: false },
    ...{ createdAt: new Date(job.createdAt).toISOString(), generation_elements: [] },
  };
}

function statusOf({ status, stage }: JobView): string {
  if (status === 'succeeded' || (status === 'moderated' && stage === 'output')) return 'COMPLETE';
  return status === 'failed' || status === 'moderated' || status === 'canceled' ? 'FAILED' : 'PENDING';
}

async function imagesOf(job: JobView): Promise<readonly object[]> {
  const image = { likeCount: 0, motionMP4URL: null, generated_image_variation_generics: [] };
  if (job.stage === 'output') {
    return Array.from({ length: job.call.n }, (_, index) => ({ id: `${job.id}-${index}`, nsfw: true, ...image }));
  }
  const pictures = (await job.pictures()) ?? [];
  return Promise.all(
    pictures.map(async (picture, index) => {
      return { id: `${job.id}-${index}`, url: await picture.link(), nsfw: job.flagged, ...image };
    }),
  );
}

function listModels(): Answer {
  const models = [
    { id: 'de7d3faf-762f-48e0-b3b7-9d0ac3a3fcf3', name: 'Leonardo Phoenix 1.0' },
    { id: '7b592283-e8a7-4c5a-9ba6-d18c31f258b9', name: 'Lucid Origin' },
    { id: DEFAULT_MODEL, name: 'Leonardo Lightning XL' },
  ].map((model) => ({ ...model, description: '', featured: true, nsfw: false, generated_image: null }));
  return jsonAnswer(200, { custom_models: models });
}

const WORDS: {
  readonly [Reason in ProtocolRefusal['reason']]?: readonly [status: number, error: string, code: string];
} = {
  key: [500, 'Invalid response from authorization hook', 'unexpected'],
  billing: [400, 'not enough api tokens', 'unexpected'],
  quota: [400, 'not enough api tokens', 'unexpected'],
  permission: [403, 'this key may not do that', 'permission-error'],
  rate: [429, 'Too many requests', 'unexpected'],
  concurrency: [429, 'Pending limit reached: too many jobs in the queue', 'unexpected'],
  policy: [400, 'prompt was blocked by content moderation', 'unexpected'],
  'policy-output': [400, 'prompt was blocked by content moderation', 'unexpected'],
  overloaded: [503, 'service is temporarily unavailable', 'unexpected'],
};

function refuse({ reason, status, message, headers, code }: ProtocolRefusal): Answer {
  const known = WORDS[reason];
  const words = status >= 500 || status < 300 ? 'internal error' : message;
  const [answered, error, said] = known ?? [status, words, code === 'validation-failed' ? code : 'unexpected'];
  return jsonAnswer(answered, { error, path: '$', code: said }, headers);
}
