import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import type { Fields } from '../wire/body.ts';
import {
  invalidField,
  needText,
  readBoolean,
  readChoice,
  readInteger,
  readLink,
  readNumber,
  readText,
  sidesOf,
} from './fields.ts';
import { type JobView, jobOf, startJob } from './jobs.ts';
import { headerKey } from './keys.ts';
import { referenceOf } from './orders.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

type Family = 'flux-2' | 'flux-1' | 'ratio' | 'fill';

const MODELS: Readonly<Record<string, Family>> = {
  'flux-2-pro': 'flux-2',
  'flux-2-max': 'flux-2',
  'flux-2-flex': 'flux-2',
  'flux-2-klein-4b': 'flux-2',
  'flux-2-klein-9b': 'flux-2',
  'flux-pro-1.1': 'flux-1',
  'flux-dev': 'flux-1',
  'flux-pro-1.1-ultra': 'ratio',
  'flux-kontext-pro': 'ratio',
  'flux-kontext-max': 'ratio',
  'flux-pro-1.0-fill': 'fill',
};
const CENTS = 4;
const LINK_LIFE_MS = 10 * 60_000;
const MAX_SEED = 0xffff_ffff;
const MAX_INPUTS = 8;
/** Widest and tallest ratio. */
const MAX_RATIO = 21 / 9;
/** Jobs are known at the cluster that took them, not at the address they were sent to. */
const CLUSTER = '/eu2';

/**
 * Black Forest Labs' API of jobs: `x-key`, a `polling_url` at another cluster, outcomes as statuses in a 200, errors
 * in FastAPI's `detail`; a blocked prompt or picture is not charged.
 */
export const bfl: Protocol = {
  name: 'bfl',
  routes: [
    { method: 'POST', path: '/v1/:model', bills: true, handle: submit },
    { method: 'GET', path: `${CLUSTER}/v1/get_result`, handle: poll },
    { method: 'GET', path: '/v1/get_result', handle: pollElsewhere },
    { method: 'GET', path: '/v1/credits', handle: () => jsonAnswer(200, { credits: 1000 }) },
  ],
  key: headerKey('x-key'),
  refuse,
  links: { lifeMs: LINK_LIFE_MS, expiredStatus: 403 },
  jobs: {
    unbilled: ['failed', 'moderated', 'moderated-output'],
    aliases: { policy: 'moderated' },
    letter: async (job) => {
      const secret = job.data.webhook_secret;
      return {
        body: JSON.stringify({ task_id: job.id, ...(await resultOf(job)) }),
        ...(typeof secret === 'string' && { headers: { 'x-webhook-secret': secret } }),
      };
    },
  },
};

async function submit(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { model = '' } = call.params;
  const family = Object.hasOwn(MODELS, model) ? MODELS[model] : undefined;
  if (!family) throw new RefusedError({ status: 404, message: 'Not Found' });
  call.bill.model = model;
  const { values } = call.body;
  const webhookUrl = readLink(values, 'webhook_url');
  const secret = readText(values, 'webhook_secret');
  readInteger(values, 'safety_tolerance', 0, family === 'flux-2' ? 5 : 6);
  readBoolean(values, 'prompt_upsampling');
  readInteger(values, 'steps', 1, 50);
  readNumber(values, 'guidance', 1.5, family === 'fill' ? 100 : 10);
  const seed = readInteger(values, 'seed', 0, MAX_SEED);
  const order = {
    model,
    prompt: family === 'fill' ? (readText(values, 'prompt') ?? '') : needText(values, 'prompt'),
    format: readChoice(values, 'output_format', ['jpeg', 'png'] as const) ?? 'jpeg',
    ...(seed !== undefined && { seed }),
    ...readSides(values, family),
    references: await readInputs(values, family),
    ...(webhookUrl !== undefined && { webhookUrl }),
    data: { ...(secret !== undefined && { webhook_secret: secret }), ...(webhookUrl && { at_base: true }) },
  };
  return startJob(call, order, (job) => {
    const price = { cost: CENTS, input_mp: 0, output_mp: (job.call.width * job.call.height) / 1e6 };
    if (webhookUrl) return jsonAnswer(200, { id: job.id, status: 'Pending', webhook_url: webhookUrl, ...price });
    const polling_url = `${call.base}${CLUSTER}/v1/get_result?id=${job.id}`;
    return jsonAnswer(200, { id: job.id, polling_url, ...price });
  });
}

function readSides(values: Fields['values'], family: Family): { width?: number; height?: number } {
  if (family === 'fill') return {};
  if (family === 'ratio') {
    const ratio = readText(values, 'aspect_ratio') ?? '1:1';
    const sides = sidesOf(ratio);
    if (!sides) throw invalidField('aspect_ratio', 'type', "expected a ratio such as '16:9'");
    const [w = 1, h = 1] = ratio.split(':').map(Number);
    if (Math.max(w / h, h / w) > MAX_RATIO) throw invalidField('aspect_ratio', 'range', 'expected 21:9 to 9:21');
    return sides;
  }
  const width = readSide(values, 'width', family) ?? 1024;
  const height = readSide(values, 'height', family) ?? (family === 'flux-1' ? 768 : 1024);
  if (width * height > 4 * 1024 ** 2) throw invalidField('width', 'range', 'expected at most 4 megapixels');
  return { width, height };
}

function readSide(values: Fields['values'], param: 'width' | 'height', family: Family): number | undefined {
  const [least, most, step] = family === 'flux-2' ? [0, 4096, 16] : [256, 1440, 32];
  const pixels = readInteger(values, param, least, most);
  // Zero lets the provider choose.
  if (pixels === undefined || pixels === 0) return undefined;
  if (pixels < 64) throw invalidField(param, 'range', 'expected at least 64');
  if (pixels % step !== 0) throw invalidField(param, 'range', `expected a multiple of ${step}`);
  return pixels;
}

async function readInputs(values: Fields['values'], family: Family): Promise<Buffer[]> {
  if (family === 'fill') return [await referenceOf(values.image, 'image')];
  const names = ['image_prompt', 'input_image'];
  for (let count = 2; count <= MAX_INPUTS; count++) names.push(`input_image_${count}`);
  const inputs: Buffer[] = [];
  for (const name of names) {
    if (values[name] !== undefined && values[name] !== null) inputs.push(await referenceOf(values[name], name));
  }
  return inputs;
}

async function poll(call: ProtocolCall): Promise<Answer> {
  const id = call.query.get('id') ?? '';
  const job = jobOf(call, id);
  return job ? jsonAnswer(200, await resultOf(job)) : notFound(id);
}

async function pollElsewhere(call: ProtocolCall): Promise<Answer> {
  const id = call.query.get('id') ?? '';
  const job = jobOf(call, id);
  return job?.data.at_base ? jsonAnswer(200, await resultOf(job)) : notFound(id);
}

function notFound(id: string): Answer {
  return jsonAnswer(404, { id, status: 'Task not found', result: null, progress: null, details: null });
}

async function resultOf(job: JobView): Promise<object> {
  const answer = { id: job.id, progress: job.progress / 100, details: null, preview: null, result: null };
  if (job.status === 'succeeded') {
    const [picture] = (await job.pictures()) ?? [];
    const seconds = { start_time: job.createdAt / 1000, end_time: job.endsAt / 1000 };
    const duration = seconds.end_time - seconds.start_time;
    const sample = picture && { sample: await picture.link(), seed: picture.seed };
    return { ...answer, status: 'Ready', result: { ...sample, prompt: job.call.prompt, ...seconds, duration } };
  }
  if (job.status === 'failed') return { ...answer, status: 'Error', details: { error: job.error?.message } };
  if (job.status !== 'moderated') return { ...answer, status: 'Pending' };
  const status = job.stage === 'output' ? 'Content Moderated' : 'Request Moderated';
  return { ...answer, status, details: { 'Moderation Reasons': ['Safety Filter'] } };
}

const PYDANTIC = { missing: 'missing', type: 'value_error', range: 'value_error', choice: 'literal_error' } as const;

function refuse(refusal: ProtocolRefusal): Answer {
  const { reason, param, code, message, headers, status } = refusal;
  switch (reason) {
    case 'invalid': {
      const type = PYDANTIC[code as keyof typeof PYDANTIC] ?? 'value_error';
      return jsonAnswer(422, { detail: [{ loc: ['body', ...(param ? [param] : [])], msg: message, type }] });
    }
    case 'key':
      return jsonAnswer(403, { detail: 'Not authenticated - Invalid Authentication' });
    case 'permission':
      return jsonAnswer(403, { detail: 'Forbidden' });
    case 'billing':
    case 'quota':
      return jsonAnswer(402, { detail: 'Insufficient credits. Please add credits to your account.' });
    case 'rate':
      return jsonAnswer(429, { detail: 'Rate limit exceeded' }, headers);
    case 'concurrency':
      return jsonAnswer(429, { detail: 'Too many active tasks. Please wait for one of them to finish.' });
    case 'not-found':
    case 'retired':
      return jsonAnswer(404, { detail: 'Not Found' });
    case 'server':
    case 'overloaded':
      return jsonAnswer(status, { detail: status === 503 ? 'Service Unavailable' : 'Internal Server Error' });
    default:
      return jsonAnswer(status, { detail: message });
  }
}
