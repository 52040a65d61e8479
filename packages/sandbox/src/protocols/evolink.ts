import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { invalidField, needText, readChoice, readInteger, readLink, readList, readText, sidesOf } from './fields.ts';
import { type JobView, jobOf, startJob } from './jobs.ts';
import { schemeKey } from './keys.ts';
import { referenceOf } from './orders.ts';
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
  readonly ratios: readonly string[];
  /** Takes `WIDTHxHEIGHT` from `least` to `most` pixels a side. */
  readonly sides?: readonly [least: number, most: number];
  readonly quality?: readonly string[];
  readonly most: number;
  readonly references: number;
  readonly mask?: true;
  readonly prompt: number;
}

const LEVELS = ['low', 'medium', 'high', 'auto'];
const GPT: Model = {
  ...{ ratios: ['1:1', '2:3', '3:2'], sides: [1024, 1536], quality: LEVELS, most: 4, references: 14, prompt: 2000 },
};
const GEMINI: Model = {
  ratios: ['auto', '1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'],
  ...{ quality: ['1K', '2K', '4K'], most: 1, references: 10, prompt: 2000 },
};
const SEEDREAM: Model = {
  ratios: ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9', '21:9'],
  ...{ sides: [512, 4096], most: 15, references: 14, prompt: 2000 },
};
const MODELS: Readonly<Record<string, Model>> = {
  'gpt-image-2': {
    ratios: [
      'auto',
      '1:1',
      '1:2',
      '2:1',
      '1:3',
      '3:1',
      '2:3',
      '3:2',
      '3:4',
      '4:3',
      '4:5',
      '5:4',
      '9:16',
      '16:9',
      '21:9',
    ],
    ...{ sides: [16, 3840], quality: LEVELS, most: 4, references: 16, prompt: 32_000 },
  },
  'gpt-image-1.5': GPT,
  'gpt-image-1.5-lite': { ...GPT, most: 1 },
  'gpt-4o-image': { ...GPT, mask: true },
  'gemini-3-pro-image-preview': GEMINI,
  'gemini-3.1-flash-image-preview': {
    ...GEMINI,
    ratios: [...GEMINI.ratios, '1:4', '4:1', '1:8', '8:1'],
    ...{ quality: ['0.5K', '1K', '2K', '4K'], references: 14 },
  },
  'gemini-2.5-flash-image': { ...GEMINI, ratios: GEMINI.ratios.filter((ratio) => !/[45]:[45]|21/u.test(ratio)) },
  'z-image-turbo': {
    ratios: ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9', '1:2', '2:1'],
    ...{ sides: [376, 1536], most: 1, references: 0, prompt: 2000 },
  },
  'doubao-seedream-4.5': SEEDREAM,
  'doubao-seedream-4.0': SEEDREAM,
};
const MAX_SEED = 2_147_483_647;
const MAX_CALLBACK = 2048;

/**
 * EvoLink: tasks whose results are a list of links, errors whose code is the status as a number and whose type may be
 * the business code; a task's own error has a text for a code.
 */
export const evolink: Protocol = {
  name: 'evolink',
  basePath: '/v1',
  routes: [
    { method: 'POST', path: '/v1/images/generations', bills: true, handle: submit },
    { method: 'GET', path: '/v1/tasks/:id', handle: look },
    { method: 'POST', path: '/v1/files/upload/stream', handle: upload },
    { method: 'GET', path: '/v1/files/:id', open: true, handle: uploadedFile },
  ],
  key: schemeKey('Bearer'),
  refuse,
  links: { lifeMs: LINK_LIFE_MS, expiredStatus: 403 },
  jobs: {
    newId: newTaskId,
    unbilled: ['failed', 'moderated'],
    letter: async (job) => ({ body: JSON.stringify(await detailsOf(job)) }),
  },
};

async function submit(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { values } = call.body;
  const name = needText(values, 'model');
  const model = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (!model) {
    const message = `model '${name}' does not exist`;
    throw new RefusedError({ status: 400, reason: 'not-found', param: 'model', message });
  }
  call.bill.model = name;
  const mask = readText(values, 'mask_url');
  if (mask !== undefined && !model.mask) throw invalidField('mask_url', 'choice', 'the model takes no mask');
  if (mask !== undefined) await referenceOf(uploaded(call, mask), 'mask_url');
  const seed = readInteger(values, 'seed', 1, MAX_SEED);
  const callback = readLink(values, 'callback_url', MAX_CALLBACK);
  if (callback !== undefined && !isCallable(callback)) throw invalidField('callback_url', 'type', 'expected https');
  const order = {
    model: name,
    prompt: needText(values, 'prompt', model.prompt),
    n: readInteger(values, 'n', 1, model.most) ?? 1,
    ...(seed !== undefined && { seed }),
    ...readSides(values, model),
    ...(callback !== undefined && { webhookUrl: callback }),
    references: await referencesOf(readList(values, 'image_urls', model.references).map((url) => uploaded(call, url))),
  };
  return startJob(call, order, (job) => jsonAnswer(200, withUsage(job)));
}

/** The sandbox has no address with a certificate to be called at, so it calls this machine, too. */
function isCallable(callback: string): boolean {
  const { protocol, hostname } = new URL(callback);
  return protocol === 'https:' || hostname === '127.0.0.1' || hostname === 'localhost';
}

function readSides(values: ProtocolCall['body']['values'], { ratios, sides, quality }: Model) {
  const resolution = readChoice(values, 'quality', quality ?? []);
  const pixels = /^(\d?\.?\d)K$/u.test(resolution ?? '')
    ? (Number.parseFloat(resolution ?? '') * 1024) ** 2
    : undefined;
  readChoice(values, 'resolution', ['1K', '2K', '4K']);
  const size = readText(values, 'size') ?? '1:1';
  if (ratios.includes(size)) return sidesOf(size === 'auto' ? '1:1' : size, pixels) ?? {};
  const [, width = 0, height = 0] = (/^(\d+)x(\d+)$/u.exec(size) ?? []).map(Number);
  const [least, most] = sides ?? [1, 0];
  const fits = (side: number) => side >= least && side <= most;
  if (!fits(width) || !fits(height)) throw invalidField('size', 'choice', `'${size}' is no size of the model`);
  return { width, height };
}

function upload(call: ProtocolCall): Answer {
  const { id, url, size } = keepUpload(call);
  const data = { file_id: id, file_url: url, download_url: url, file_size: size };
  return jsonAnswer(200, { success: true, code: 200, msg: 'success', data });
}

async function look(call: ProtocolCall): Promise<Answer> {
  const id = call.params.id ?? '';
  if (!id.startsWith('task-unified-')) {
    const message = 'Invalid task ID format';
    return errorAnswer(400, { code: 'invalid_task_id', message, type: 'invalid_request_error' });
  }
  const job = jobOf(call, id);
  if (!job) throw new RefusedError({ status: 404, message: 'Task not found or expired' });
  return jsonAnswer(200, await detailsOf(job));
}

function withUsage(job: JobView) {
  return { ...taskOf(job), usage: { billing_rule: 'per_call', credits_reserved: 1.6, user_group: 'default' } };
}

async function detailsOf(job: JobView): Promise<object> {
  const links = await linksOf(job);
  const error = errorOf(job);
  return {
    ...withUsage(job),
    ...(links && { results: links, result_data: links.map((image_url) => ({ image_url })) }),
    ...(error && { error }),
  };
}

function errorOf({ status, stage }: JobView): object | undefined {
  if (status === 'failed') return { code: 'service_error', message: 'Internal service error. Please retry later.' };
  if (status !== 'moderated') return undefined;
  const code = 'content_policy_violation';
  if (stage === 'output') return { code, message: 'The generated image was blocked by safety filters.' };
  return { code, message: 'Content policy violation.\nYour request was blocked by safety filters.' };
}

const TYPES: {
  readonly [Reason in ProtocolRefusal['reason']]?: readonly [status: number, type: string, message: string];
} = {
  key: [401, 'authentication_error', 'Invalid or expired API key'],
  billing: [402, 'insufficient_quota', 'Insufficient balance, please top up'],
  quota: [429, 'insufficient_quota', 'Insufficient account balance'],
  permission: [403, 'permission_error', 'Access denied'],
  rate: [429, 'rate_limit_error', 'Rate limit exceeded, please retry later'],
  concurrency: [429, 'rate_limit_error', 'Too many requests, please retry later'],
  policy: [400, 'content_policy_violation', 'Prompt triggered content safety review'],
  'policy-output': [400, 'content_policy_violation', 'Prompt triggered content safety review'],
  overloaded: [503, 'service_unavailable_error', 'Service temporarily unavailable'],
};

function refuse({ reason, status, message, headers, param }: ProtocolRefusal): Answer {
  const [code, type, words] = TYPES[reason] ?? [status, status >= 500 ? 'api_error' : 'invalid_request_error', message];
  return errorAnswer(code, { code, message: words, type, ...(param !== undefined && { param }) }, headers);
}
