import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { invalidField, needText, readChoice, readInteger, readList, readText, sidesOf } from './fields.ts';
import { type JobView, jobOf, startJob } from './jobs.ts';
import { schemeKey } from './keys.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';
import {
  errorAnswer,
  keepUpload,
  LINK_LIFE_MS,
  linksOf,
  newTaskId,
  referencesOf,
  taskOf,
  uploaded,
  uploadedFile,
} from './unified.ts';

interface Model {
  readonly ratios?: readonly string[];
  readonly resolutions?: Readonly<Record<string, number>>;
  /** It has names for its sizes. */
  readonly sizes?: Readonly<Record<string, string>>;
  readonly most: number;
  readonly references: number;
}

const GEMINI: Model = {
  ratios: ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9', 'match_input_image'],
  resolutions: { '1K': 1024, '2K': 2048, '4K': 4096 },
  most: 1,
  references: 14,
};
const WAN: Model = {
  sizes: {
    ...{ square: '1:1', square_hd: '1:1', portrait_4_3: '3:4', portrait_16_9: '9:16' },
    ...{ landscape_4_3: '4:3', landscape_16_9: '16:9' },
  },
  most: 5,
  references: 4,
};
const MODELS: Readonly<Record<string, Model>> = {
  'gemini-3-pro-image-preview': GEMINI,
  'gemini-3.1-flash-image-preview': {
    ...GEMINI,
    ratios: [...(GEMINI.ratios ?? []), '1:4', '1:8', '4:1', '8:1'],
  },
  'grok-imagine-image': {
    ratios: ['2:1', '20:9', '19.5:9', '16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16', '9:19.5', '9:20', '1:2'],
    most: 4,
    references: 1,
  },
  'phota-image': {
    ratios: ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9'],
    resolutions: { '1K': 1024, '4K': 4096 },
    most: 4,
    references: 0,
  },
  'wan-2.7-image': WAN,
  'wan-2.7-image-pro': WAN,
};
const FORMATS = ['jpg', 'jpeg', 'png', 'webp'] as const;
const MAX_PROMPT = 2000;

/**
 * FoxAPI: tasks whose results are a list of objects, errors in OpenAI's envelope, wrong fields as 422. A blocked picture
 * is in the disguise that its documentation prints: `generation_failed` with a message that tells.
 */
export const foxapi: Protocol = {
  name: 'foxapi',
  basePath: '/v1',
  routes: [
    { method: 'POST', path: '/v1/images/generations', bills: true, handle: submit },
    { method: 'GET', path: '/v1/tasks/:id', handle: look },
    { method: 'POST', path: '/v1/files/upload/stream', handle: (call) => jsonAnswer(200, keepUpload(call)) },
    { method: 'GET', path: '/v1/files/:id', open: true, handle: uploadedFile },
  ],
  key: schemeKey('Bearer'),
  refuse,
  links: { lifeMs: LINK_LIFE_MS, expiredStatus: 403 },
  jobs: { newId: newTaskId, unbilled: ['failed', 'moderated', 'moderated-output'] },
};

async function submit(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { values } = call.body;
  const name = needText(values, 'model');
  const model = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (!model) throw new RefusedError({ status: 422, reason: 'not-found', message: `The model ${name} does not exist` });
  call.bill.model = name;
  const seed = readInteger(values, 'seed', 0, 0xffff_ffff);
  const format = readChoice(values, 'output_format', FORMATS) ?? 'png';
  const urls = readList(values, 'image_urls', model.references);
  const order = {
    model: name,
    prompt: needText(values, 'prompt', MAX_PROMPT),
    n: readInteger(values, 'num_outputs', 1, model.most) ?? 1,
    format: format === 'jpg' ? 'jpeg' : format,
    ...(seed !== undefined && { seed }),
    ...readSides(values, model),
    references: await referencesOf(urls.map((url) => uploaded(call, url))),
  } as const;
  return startJob(call, order, (job) => jsonAnswer(200, taskOf(job)));
}

function readSides(values: ProtocolCall['body']['values'], { ratios = [], resolutions, sizes }: Model) {
  const size = readText(values, 'image_size');
  if (size !== undefined && !sizes?.[size]) throw invalidField('image_size', 'choice', 'expected the name of a size');
  const ratio = sizes?.[size ?? ''] ?? readChoice(values, 'aspect_ratio', ratios) ?? '1:1';
  const resolution = readChoice(values, 'resolution', Object.keys(resolutions ?? {})) ?? '1K';
  return sidesOf(ratio === 'match_input_image' ? '1:1' : ratio, (resolutions?.[resolution] ?? 1024) ** 2) ?? {};
}

async function look(call: ProtocolCall): Promise<Answer> {
  const job = jobOf(call, call.params.id ?? '');
  if (!job) throw new RefusedError({ status: 404, message: 'Task not found' });
  const links = await linksOf(job);
  return jsonAnswer(200, {
    ...taskOf(job),
    results: links?.map((url) => ({ url })) ?? null,
    error: errorOf(job),
    usage: { credits_reserved: 5, user_group: 'default' },
  });
}

function errorOf({ status, stage }: JobView): object | null {
  const error = { type: 'task_error' };
  const generationFailed = { ...error, code: 'generation_failed' };
  if (status === 'failed') return { ...generationFailed, message: 'Image generation failed, please retry' };
  if (status !== 'moderated') return null;
  if (stage === 'output') {
    return { ...generationFailed, message: 'Image generation failed due to content policy violation' };
  }
  return { ...error, code: 'content_policy_violation', message: 'The prompt violates the content policy' };
}

function refuse({ reason, status, message, headers, code }: ProtocolRefusal): Answer {
  switch (reason) {
    case 'key':
      return errorAnswer(401, { message: 'Invalid or missing API key', type: 'authentication_error' });
    case 'billing':
    case 'quota':
      return errorAnswer(402, { message: 'Insufficient account balance, please top up', type: 'insufficient_quota' });
    case 'permission':
      return errorAnswer(403, { message: 'This key may not use the model', type: 'permission_error' });
    case 'not-found':
    case 'retired':
      return errorAnswer(status, { message, type: status === 422 ? 'invalid_request_error' : 'not_found' });
    case 'rate':
    case 'concurrency':
      return errorAnswer(
        429,
        { message: 'Rate limit exceeded, please retry later', type: 'rate_limit_error' },
        headers,
      );
    case 'policy':
    case 'policy-output':
      return errorAnswer(400, {
        ...{ message: 'Your request was rejected by content review', type: 'invalid_request_error' },
        code: 'content_policy_violation',
      });
    case 'overloaded':
      return errorAnswer(503, { message: 'No available channels for the current model', type: 'server_error' });
    case 'server':
      return errorAnswer(status, { message: 'Internal server error', type: 'server_error' });
    case 'too-large':
      return errorAnswer(413, { message, type: 'file_too_large_error' });
    default:
      return errorAnswer(FIELD_FAULTS.has(code ?? '') ? 422 : status, { message, type: 'invalid_request_error' });
  }
}

const FIELD_FAULTS: ReadonlySet<string> = new Set(['missing', 'type', 'range', 'choice']);
