/**
 * Midjourney through midjourney-proxy's API, which several servers and resellers speak. Midjourney itself has no public
 * API: these servers automate Discord accounts, which its terms forbid, and an account may be blocked for it. Whoever
 * configures this provider takes that on.
 *
 * Answers are HTTP 200 with a code inside. One picture is a grid of four; a variation or an upscale takes one of them by
 * the grid's job and its place. Midjourney's parameters go in the prompt, so a version or a style is set there
 * (`--v 7`, `--niji 6`), and one that the prompt already sets is left alone.
 *
 * The secret goes in `mj-api-secret`, which every server reads; one that begins with `Bearer ` goes in `authorization`
 * instead, for resellers that read only that. Never both: a server of trueai-org takes `authorization` first, and
 * compares it as it stands.
 * Facts: novicezk/midjourney-proxy@0be95a9, trueai-org/midjourney-proxy@ed32197, read 2026-11. Unverified: the words of
 * resellers, and what a failed job costs the account. Cancellation exists at trueai-org's server and is not confirmed.
 */
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import { type JsonObject, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/midjourney.json' with { type: 'json' };
import { classifyMidjourney, codeFailure, jobFailure, jobIn, lostJob } from './midjourney-errors.ts';
import { readModelFile } from './model-data.ts';
import type { CallContext, CancelReading, Credential, Handle, Progress, Provider, Stage } from './provider.ts';
import { withoutId } from './undecided.ts';

export const midjourney: Provider = {
  id: 'midjourney',
  access: {
    keyVariables: ['MIDJOURNEY_PROXY_SECRET', 'MJ_API_SECRET'],
    baseUrlVariables: ['MIDJOURNEY_PROXY_URL', 'MJ_PROXY_URL'],
    keyless: true,
  },
  models: readModelFile(file).models,
  model: (id) => midjourney.models.find((model) => model.id === id),
  authorize,
  classify: classifyMidjourney,
  image: {
    submit: { build: submit, parse: readSubmitted },
    poll: {
      build: (handle, { baseUrl }) => ({ method: 'GET', url: `${jobUrl(handle, baseUrl)}/fetch`, headers: HEADERS }),
      parse: readJob,
      verdict: lostJob,
    },
    cancel: {
      build: (handle, { baseUrl }) => ({ method: 'POST', url: `${jobUrl(handle, baseUrl)}/cancel`, headers: HEADERS }),
      parse: readCancel,
    },
  },
};

const HEADERS = { accept: 'application/json' };

function authorize(request: HttpRequest, { secret }: Credential): HttpRequest {
  if (secret === '') return request;
  const header = /^Bearer /i.test(secret) ? 'authorization' : 'mj-api-secret';
  return { ...request, headers: { ...request.headers, [header]: secret } };
}

function jobUrl(handle: Handle, baseUrl: string): string {
  return `${baseUrl}/task/${encodeURIComponent(stringAt(handle, 'task') ?? '')}`;
}

function submit(request: ImageRequest, context: CallContext): HttpRequest {
  const { operation, source, extra } = request;
  const isChange = operation === 'variation' || operation === 'upscale';
  const own = isChange
    ? { taskId: stringAt(source?.handle, 'task') ?? '', action: operation.toUpperCase(), index: source?.index ?? 1 }
    : imagineFields(request);
  const fields: JsonObject = {
    ...extra,
    ...own,
    // The server repeats it with every look, so that its operator finds whose job it is.
    state: context.runId,
    notifyHook: context.webhookUrl,
  };
  const value = Object.fromEntries(Object.entries(fields).filter(([, given]) => given !== undefined));
  const url = `${context.baseUrl}/submit/${isChange ? 'change' : 'imagine'}`;
  return { method: 'POST', url, headers: HEADERS, body: { kind: 'json', value } };
}

function imagineFields(request: ImageRequest): JsonObject {
  const images = request.images?.map((asset) => embedded(asset, 'data-url'));
  return { prompt: promptWithParameters(request), base64Array: images };
}

function promptWithParameters({ prompt, aspectRatio, negativePrompt, seed }: ImageRequest): string {
  const wanted: readonly (readonly [name: RegExp, parameter: string | undefined])[] = [
    [/\s--(?:ar|aspect)\s/, aspectRatio && `--ar ${aspectRatio}`],
    [/\s--seed\s/, seed === undefined ? undefined : `--seed ${seed}`],
    [/\s--no\s/, negativePrompt && `--no ${negativePrompt}`],
  ];
  const missing = wanted.flatMap(([name, parameter]) => (parameter && !name.test(prompt) ? [parameter] : []));
  return [prompt.trim(), ...missing].join(' ');
}

/** Submitted, already there, waiting in a queue: all three have a job's id. */
const ACCEPTED: readonly number[] = [1, 21, 22];

function readSubmitted({ body }: HttpResponse): Progress {
  const code = numberAt(body, 'code');
  const task = jobIn(body);
  if (task !== undefined) {
    return { kind: 'waiting', handle: { task }, stage: 'queued' };
  }
  const failure = code === undefined || ACCEPTED.includes(code) ? undefined : codeFailure(code, body);
  return failure ? { kind: 'failed', failure } : withoutId('the server', 'job');
}

const STAGES: ReadonlyMap<string, Stage> = new Map([
  ['NOT_START', 'queued'],
  ['SUBMITTED', 'queued'],
  ['IN_PROGRESS', 'running'],
]);

/** What a prompt and a variation make; an upscale is one picture. */
const PICTURES_IN_GRID = 4;

/** While it is in progress a job has an `imageUrl` as well, of a preview. */
function readJob({ body }: HttpResponse, handle: Handle): Progress {
  const status = stringAt(body, 'status') ?? '';
  if (status === 'SUCCESS') {
    const url = stringAt(body, 'imageUrl') ?? '';
    const pictures = stringAt(body, 'action') === 'UPSCALE' ? 1 : PICTURES_IN_GRID;
    return { kind: 'done', images: /^https?:/i.test(url) ? [{ source: { kind: 'url', url }, pictures }] : [] };
  }
  const failure = jobFailure(status, stringAt(body, 'failReason'));
  if (failure) return { kind: 'failed', failure };
  const stage = STAGES.get(status);
  const share = Number.parseInt(stringAt(body, 'progress') ?? '', 10);
  return {
    kind: 'waiting',
    handle,
    ...(stage !== undefined && { stage }),
    ...(share >= 0 && { progress: Math.min(100, share) }),
  };
}

/** The server says nothing but 200 to any id; the look after it shows whether the job was given up. */
function readCancel({ status }: HttpResponse): CancelReading {
  const taken = status >= 200 && status < 300;
  const message = taken ? 'the server took the request and says nothing of the job' : `the server answered ${status}`;
  return { confirmed: false, certainty: 'ambiguous', message };
}
