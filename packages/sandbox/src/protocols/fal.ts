import { randomUUID } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { invalidField, needText, readBoolean, readChoice, readInteger, readList, readText, sidesOf } from './fields.ts';
import { cancelJob, type JobView, jobOf, startJob } from './jobs.ts';
import { schemeKey } from './keys.ts';
import { referenceOf } from './orders.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

type Values = Readonly<Record<string, unknown>>;

const OWNERS: ReadonlySet<string> = new Set(['fal-ai', 'bria', 'xai', 'workflows']);
const MAX_SEED = 0xffff_ffff;
const MAX_IMAGES = 8;
const MAX_SIDE = 14_142;
/** The presets of `image_size`, as fal draws them. */
const SIZES: Readonly<Record<string, readonly [number, number]>> = {
  ...{ square_hd: [1024, 1024], square: [512, 512], portrait_4_3: [768, 1024], portrait_16_9: [576, 1024] },
  ...{ landscape_4_3: [1024, 768], landscape_16_9: [1024, 576] },
};
/** Apps that need a picture. */
const EDITS = /\/(?:edit|image-to-image|inpainting)$|^fal-ai\/flux-pro\/kontext(?:\/max)?$/u;
const REQUESTS = '/:owner/:alias/requests/:id';

/**
 * fal's queue: a request is known under the first two parts of its app; COMPLETED says only that it ended, and its
 * result is a picture or the error; unsafe pictures are a success with a flag; failures are not billed.
 */
export const fal: Protocol = {
  name: 'fal',
  routes: [
    { method: 'GET', path: `${REQUESTS}/status`, handle: status },
    { method: 'GET', path: REQUESTS, handle: result },
    { method: 'PUT', path: `${REQUESTS}/cancel`, handle: cancel },
    { method: 'POST', path: '/:app*', bills: true, handle: submit },
  ],
  key: schemeKey('Key'),
  headers: () => ({ 'x-fal-request-id': randomUUID() }),
  refuse,
  jobs: {
    unbilled: ['failed'],
    aliases: { policy: 'moderated' },
    cancelBills: 'begun',
    letter: async (job) => {
      const { status: code, body } = await outcomeOf(job);
      const payload: unknown = JSON.parse(Buffer.concat(body).toString('utf8'));
      const ids = { request_id: job.id, gateway_request_id: job.id };
      const good = code === 200;
      return {
        body: JSON.stringify({
          ...ids,
          status: good ? 'OK' : 'ERROR',
          payload,
          ...(!good && { error: `Unexpected status code: ${code}` }),
        }),
      };
    },
  },
};

async function submit(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { app = '' } = call.params;
  const [owner = '', alias] = app.split('/');
  if (!OWNERS.has(owner) || !alias)
    throw new RefusedError({ status: 404, message: `Application '${alias ?? ''}' not found` });
  call.bill.model = app;
  const { values } = call.body;
  const webhookUrl = call.query.get('fal_webhook') ?? undefined;
  const seed = readInteger(values, 'seed', 0, MAX_SEED);
  const order = {
    ...{ model: app, prompt: needText(values, 'prompt'), n: readInteger(values, 'num_images', 1, MAX_IMAGES) ?? 1 },
    format: readChoice(values, app === 'fal-ai/fast-sdxl' ? 'format' : 'output_format', FORMATS) ?? ('jpeg' as const),
    ...(seed !== undefined && { seed }),
    ...readSize(values),
    references: await readPictures(values, app),
    ...(webhookUrl !== undefined && { webhookUrl }),
    data: { app, ...(readBoolean(values, 'sync_mode') && { inline: true }) },
  };
  return startJob(call, order, (job) => jsonAnswer(200, { ...linksOf(job), status: 'IN_QUEUE', queue_position: 0 }));
}

const FORMATS = ['jpeg', 'png', 'webp'] as const;

function readSize(values: Values): { width?: number; height?: number } {
  const { image_size: size } = values;
  if (typeof size === 'object' && size !== null) {
    const sides: Values = { ...size };
    const [width, height] = [readInteger(sides, 'width', 1, MAX_SIDE), readInteger(sides, 'height', 1, MAX_SIDE)];
    return { ...(width !== undefined && { width }), ...(height !== undefined && { height }) };
  }
  const preset = readChoice(values, 'image_size', Object.keys(SIZES));
  const [width, height] = SIZES[preset ?? ''] ?? [];
  if (width !== undefined && height !== undefined) return { width, height };
  const ratio = readText(values, 'aspect_ratio');
  if (ratio === undefined || ratio === 'auto') return {};
  const sides = sidesOf(ratio);
  if (!sides) throw invalidField('aspect_ratio', 'choice', 'unexpected value');
  return sides;
}

async function readPictures(values: Values, app: string): Promise<Buffer[]> {
  const pictures: Buffer[] = [];
  const several = /nano-banana|flux-2|seedream/u.test(app);
  const [used, unused] = several ? ['image_urls', 'image_url'] : ['image_url', 'image_urls'];
  if (EDITS.test(app) && values[used] === undefined) throw invalidField(used, 'missing', 'Field required');
  // An app reads its own field and no other, without a word.
  if (values[unused] !== undefined && values[used] === undefined) return [];
  const given = several ? readList(values, used) : [values[used] ?? undefined];
  for (const one of given) if (one !== undefined) pictures.push(await referenceOf(one, used));
  if (/\/inpainting$/u.test(app)) pictures.push(await referenceOf(values.mask_url, 'mask_url'));
  return pictures;
}

function linksOf({ id, base, data }: JobView) {
  const [owner, alias] = String(data.app).split('/');
  const url = `${base}/${owner}/${alias}/requests/${id}`;
  return { request_id: id, response_url: url, status_url: `${url}/status`, cancel_url: `${url}/cancel` };
}

function known(call: ProtocolCall, look: typeof jobOf): JobView {
  const { owner, alias, id = '' } = call.params;
  const job = look(call, id);
  if (job && String(job.data.app).startsWith(`${owner}/${alias}`)) return job;
  throw new RefusedError({ status: 404, message: 'Request not found' });
}

function status(call: ProtocolCall): Answer {
  const job = known(call, jobOf);
  const links = linksOf(job);
  if (job.ended)
    return jsonAnswer(200, { ...links, status: 'COMPLETED', logs: null, metrics: { inference_time: 0.1 } });
  if (job.status === 'running') return jsonAnswer(202, { ...links, status: 'IN_PROGRESS', logs: null });
  return jsonAnswer(202, { ...links, status: 'IN_QUEUE', queue_position: 0 });
}

function result(call: ProtocolCall): Answer | Promise<Answer> {
  const job = known(call, jobOf);
  return job.ended ? outcomeOf(job) : jsonAnswer(400, { detail: 'Request is still in progress' });
}

function cancel(call: ProtocolCall): Answer {
  const before = known(call, jobOf);
  if (before.ended) return jsonAnswer(400, { status: 'ALREADY_COMPLETED' });
  known(call, cancelJob);
  return jsonAnswer(202, { status: 'CANCELLATION_REQUESTED' });
}

async function outcomeOf(job: JobView): Promise<Answer> {
  const error = (code: number, type: string, msg: string, headers: Readonly<Record<string, string>>) => {
    const url = `https://docs.fal.ai/errors#${type}`;
    const detail = [{ loc: ['body', 'prompt'], msg, type, url, input: job.call.prompt }];
    return jsonAnswer(code, { detail }, { 'x-fal-error-type': type, ...headers });
  };
  if (job.status === 'canceled')
    return jsonAnswer(499, { detail: 'The request was cancelled by the client', error_type: 'client_cancelled' });
  if (job.status === 'moderated') {
    const units = job.stage === 'output' ? String(job.charged) : '0';
    const flagged = 'The content could not be processed because it contained material flagged by a content checker.';
    return error(422, 'content_policy_violation', flagged, {
      'x-fal-billable-units': units,
      'x-fal-retryable': 'false',
    });
  }
  if (job.status === 'failed')
    return error(500, 'internal_server_error', job.error?.message ?? '', {
      'x-fal-billable-units': '0',
      'x-fal-retryable': 'true',
    });
  const pictures = (await job.pictures()) ?? [];
  const images = pictures.map(async (picture) => ({
    url: job.data.inline ? `data:${picture.mime};base64,${picture.base64}` : await picture.link(),
    ...{ width: picture.width, height: picture.height, content_type: picture.mime, file_size: picture.bytes.length },
  }));
  const body = {
    images: await Promise.all(images),
    timings: { inference: 0.1 },
    ...{ seed: job.call.seed, has_nsfw_concepts: pictures.map(() => job.flagged), prompt: job.call.prompt },
  };
  return jsonAnswer(200, body, { 'x-fal-billable-units': String(job.charged) });
}

function refuse({ reason, status: code, param, message, code: fault }: ProtocolRefusal): Answer {
  const say = (httpStatus: number, detail: string, more: object = {}) => jsonAnswer(httpStatus, { detail, ...more });
  switch (reason) {
    case 'invalid': {
      const type = fault === 'missing' ? 'missing' : fault === 'invalid_image' ? 'image_load_error' : 'value_error';
      const detail = [{ loc: ['body', ...(param ? [param] : [])], msg: message, type, input: 'what was sent' }];
      return jsonAnswer(422, { detail }, { 'x-fal-error-type': type, 'x-fal-billable-units': '0' });
    }
    case 'key':
      return say(401, 'Cannot access application: Authentication is required to access this application');
    case 'billing':
    case 'quota':
      return say(403, 'User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.');
    case 'permission':
      return say(403, 'You do not have access to this application');
    case 'rate':
    case 'concurrency':
      return say(429, 'You have exceeded the limit of concurrent requests', {});
    case 'not-found':
    case 'retired':
      return say(404, message);
    case 'server':
      return say(code, 'Internal error', { error_type: 'internal_error' });
    default:
      return say(code, message);
  }
}
