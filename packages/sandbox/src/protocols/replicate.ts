import { createHmac, randomBytes } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { invalidField, needText, readInteger, readLink, readList, readObject, readText, sidesOf } from './fields.ts';
import { cancelJob, type JobView, jobOf, settledJob, startJob } from './jobs.ts';
import { schemeKey } from './keys.ts';
import { isPicture, referenceOf } from './orders.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';
import { checkInput, SCHEMAS, type Schema, VERSIONS } from './replicate-models.ts';

type Values = Readonly<Record<string, unknown>>;

const ID_CHARACTERS = 26;
const MAX_DATA_URL_CHARACTERS = 256_000;
const MAX_ECHOED_CHARACTERS = 1_000;
const DEFAULT_WAIT_SECONDS = 60;
/** What `GET /webhooks/default/secret` tells, and webhooks are signed with. */
const WEBHOOK_KEY = Buffer.from('the webhook secret of the sandbox');

/**
 * Replicate's API: predictions of models and of versions, whose failures are a 200 with `failed` and a text, blocks
 * among them; limits told in prose; files uploaded before they are used; webhooks signed.
 */
export const replicate: Protocol = {
  name: 'replicate',
  basePath: '/v1',
  routes: [
    { method: 'POST', path: '/v1/models/:owner/:name/predictions', bills: true, handle: predict },
    { method: 'POST', path: '/v1/predictions', bills: true, handle: predictVersion },
    { method: 'GET', path: '/v1/predictions/:id', handle: (call) => lookUp(call, jobOf) },
    { method: 'POST', path: '/v1/predictions/:id/cancel', handle: (call) => lookUp(call, cancelJob) },
    { method: 'POST', path: '/v1/files', handle: upload },
    { method: 'GET', path: '/v1/account', handle: () => jsonAnswer(200, { type: 'user', username: 'sandbox' }) },
    {
      method: 'GET',
      path: '/v1/webhooks/default/secret',
      handle: () => jsonAnswer(200, { key: `whsec_${WEBHOOK_KEY.toString('base64')}` }),
    },
  ],
  key: schemeKey('Bearer'),
  refuse,
  jobs: { newId, aliases: { policy: 'moderated' }, letter: writeLetter },
};

function newId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return [...randomBytes(ID_CHARACTERS)].map((byte) => letters[byte % letters.length]).join('');
}

function predict(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { owner = '', name = '' } = call.params;
  const model = `${owner}/${name}`;
  // Community models have no such path; they are called by their version.
  if (!SCHEMAS.has(model))
    throw new RefusedError({ status: 404, message: 'The requested resource could not be found.' });
  return start(call, model, SCHEMAS.get(model));
}

function predictVersion(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const version = /^(?:[\w.-]+\/[\w.-]+:)?([0-9a-f]{64})$/u.exec(needText(call.body.values, 'version'))?.[1];
  if (version === undefined) throw new RefusedError({ status: 422, reason: 'not-found', message: 'version' });
  const model = VERSIONS.get(version);
  return start(
    call,
    model ?? `version-${version.slice(0, 8)}`,
    model === undefined ? undefined : SCHEMAS.get(model),
    version,
  );
}

async function start(
  call: ProtocolCall,
  model: string,
  schema: Schema | undefined,
  version = 'hidden',
): Promise<ProtocolAnswer | undefined> {
  call.bill.model = model;
  const { values } = call.body;
  const webhookUrl = readLink(values, 'webhook');
  const input = readObject(values, 'input');
  if (values.input === undefined) throw invalidField('input', 'missing', 'input is required');
  const fields = checkInput(input, schema);
  const seed = readInteger(input, 'seed', 0, 0xffff_ffff);
  const [width, height] = [readInteger(input, 'width', 1, 4096), readInteger(input, 'height', 1, 4096)];
  const format = readText(input, 'output_format') ?? 'webp';
  const order = {
    ...{ model, prompt: readText(input, 'prompt') ?? '', n: readInteger(input, fields.count, 1, 8) ?? 1 },
    format: format === 'jpg' ? ('jpeg' as const) : format === 'png' ? ('png' as const) : ('webp' as const),
    ...(seed !== undefined && { seed }),
    ...sidesOf(readText(input, 'aspect_ratio') ?? readText(input, 'size') ?? ''),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    references: await readPictures(input, fields.pictures),
    ...(webhookUrl !== undefined && { webhookUrl }),
    data: { input: echoOf(input), version, list: fields.list },
  };
  return startJob(call, order, async (job) => {
    const waitMs = patience(call);
    const settled = waitMs === undefined ? job : ((await settledJob(call, job.id, waitMs)) ?? job);
    return jsonAnswer(201, await predictionOf(settled));
  });
}

async function readPictures(input: Values, names: readonly string[]): Promise<Buffer[]> {
  const pictures: Buffer[] = [];
  for (const name of names) {
    const given = Array.isArray(input[name]) ? readList(input, name) : [input[name] ?? undefined];
    for (const one of given) {
      if (one === undefined) continue;
      const isUri = typeof one === 'string' && /^(?:https?:\/\/|data:)/u.test(one);
      if (!isUri) throw invalidField(`input.${name}`, 'type', 'Does not match format uri');
      if (one.startsWith('data:') && one.length > MAX_DATA_URL_CHARACTERS)
        throw invalidField(`input.${name}`, 'range', 'a data URI of more than 256kB; upload the file instead');
      pictures.push(await referenceOf(one, `input.${name}`));
    }
  }
  return pictures;
}

/** Replicate repeats the input, pictures too; the sandbox keeps no more of it than it needs. */
function echoOf(input: Values): Values {
  const shorten = (value: unknown): unknown =>
    typeof value === 'string'
      ? value.slice(0, MAX_ECHOED_CHARACTERS)
      : Array.isArray(value)
        ? value.map(shorten)
        : value;
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, shorten(value)]));
}

/** `Prefer: wait` and `Prefer: wait=5`: hold the answer until the prediction has ended, or time is up. */
function patience({ headers }: ProtocolCall): number | undefined {
  const wait = /^wait(?:=(\d{1,2}))?$/u.exec(String(headers.prefer ?? ''));
  return wait ? 1000 * Number(wait[1] ?? DEFAULT_WAIT_SECONDS) : undefined;
}

async function lookUp(call: ProtocolCall, look: typeof jobOf): Promise<Answer> {
  const job = look(call, call.params.id ?? '');
  if (!job) throw new RefusedError({ status: 404, message: 'The requested resource could not be found.' });
  return jsonAnswer(200, await predictionOf(job));
}

const STATUSES = {
  ...{ queued: 'starting', cold_start: 'starting', running: 'processing', succeeded: 'succeeded', failed: 'failed' },
  ...{ moderated: 'failed', canceled: 'canceled' },
} as const;
const FLAGGED = 'The input or output was flagged as sensitive. Please try again with different inputs. (E005)';

async function predictionOf(job: JobView): Promise<object> {
  const { id, base, data } = job;
  const url = `${base}/v1/predictions/${id}`;
  const neverBegan = job.billed === false;
  const pictures = (await job.pictures()) ?? [];
  // A safety checker keeps back what it flags, and the prediction succeeds.
  const links = job.flagged ? [] : await Promise.all(pictures.map((picture) => picture.link()));
  const output = data.list === true ? links : (links[0] ?? null);
  const begun = job.status !== 'queued' && job.status !== 'cold_start' && !neverBegan;
  const nsfw = job.flagged && job.ended ? pictures.map((_, index) => `NSFW content detected in image ${index}\n`) : [];
  return {
    ...{ id, model: job.model, version: data.version, input: data.input },
    logs: begun ? `Using seed: ${job.call.seed}\n ${job.progress}%|###| ${job.progress}/100\n${nsfw.join('')}` : '',
    output: job.status === 'succeeded' ? output : null,
    data_removed: false,
    error: job.status === 'moderated' ? FLAGGED : (job.error?.message ?? null),
    status: neverBegan ? 'aborted' : STATUSES[job.status],
    created_at: new Date(job.createdAt).toISOString(),
    started_at: begun ? new Date(job.createdAt).toISOString() : null,
    completed_at: job.ended ? new Date(job.endsAt).toISOString() : null,
    urls: { get: url, cancel: `${url}/cancel`, web: `https://replicate.com/p/${id}` },
    ...(job.ended && begun && { metrics: { predict_time: (job.endsAt - job.createdAt) / 1000 } }),
  };
}

async function upload({ context, body }: ProtocolCall): Promise<Answer> {
  const content = body.files.find(({ field }) => field === 'content')?.bytes;
  if (!content) throw invalidField('content', 'missing', 'a file is required');
  if (!isPicture(content)) throw invalidField('content', 'type', 'the sandbox keeps pictures only');
  const format = content[0] === 0x89 ? 'png' : content[0] === 0xff ? 'jpeg' : 'webp';
  const name = await context.files.keep(content, format);
  const get = new URL(`/files/${name}`, context.url).href;
  return jsonAnswer(201, { id: newId(), name, content_type: `image/${format}`, size: content.length, urls: { get } });
}

async function writeLetter(job: JobView) {
  const body = JSON.stringify(await predictionOf(job));
  const [id, timestamp] = [`msg_${job.id}`, String(Math.floor(Date.now() / 1000))];
  const signature = createHmac('sha256', WEBHOOK_KEY).update(`${id}.${timestamp}.${body}`).digest('base64');
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  return { body, headers };
}

function refuse({ reason, status, param, message, waitMs }: ProtocolRefusal): Answer {
  const say = (code: number, detail: string, title?: string, more: object = {}) =>
    jsonAnswer(code, { ...(title && { title }), detail, status: code, ...more });
  switch (reason) {
    case 'invalid': {
      const description = message.replace(/^Invalid '[^']+': /u, '');
      const invalid_fields = [{ type: 'invalid', field: param ?? '', description }];
      return say(422, `- ${param ?? 'input'}: ${description}\n`, 'Input validation failed', { invalid_fields });
    }
    case 'key':
      return say(401, 'You did not pass a valid authentication token', 'Unauthenticated');
    case 'billing':
    case 'quota':
      return say(402, 'You have insufficient credit to run this model.', 'Insufficient credit');
    case 'permission':
      return say(403, 'You do not have permission to perform this action.', 'Permission denied');
    case 'not-found':
    case 'retired':
      if (status === 422)
        return say(
          422,
          "The specified version does not exist (or perhaps you don't have permission to use it?)",
          'Invalid version or not permitted',
        );
      return say(404, 'The requested resource could not be found.');
    case 'rate':
    case 'concurrency': {
      const seconds = Math.ceil((waitMs ?? 1000) / 1000);
      return say(429, `Request was throttled. Your rate limit resets in ~${seconds}s.`, undefined, {
        retry_after: seconds,
      });
    }
    case 'server':
      return say(status, 'Internal server error');
    case 'overloaded':
      return say(503, 'Service unavailable');
    default:
      return say(status, message);
  }
}
