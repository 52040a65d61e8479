import { createHash } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { CHECKPOINTS, type GraphOrder, readGraph } from './comfyui-graph.ts';
import { readList, readText } from './fields.ts';
import { cancelJob, type JobView, jobOf, openJobsOf, startJob } from './jobs.ts';
import { exceedsMemory, hostsOf } from './local-host.ts';
import { isPicture } from './orders.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal, ProtocolRoute } from './protocol.ts';

const MAX_JOBS = 1000;
const MAX_UPLOADS = 64;

/** What one machine remembers. */
interface Host {
  /** By job, the number in its queue; the oldest are forgotten. */
  readonly jobs: Map<string, number>;
  readonly uploads: Map<string, Buffer>;
  /** Taken from the queue before they ran: their history stays empty. */
  readonly deleted: Set<string>;
  number: number;
}

const hostOf = hostsOf((): Host => ({ jobs: new Map(), uploads: new Map(), deleted: new Set(), number: 0 }));

const ROUTES: readonly ProtocolRoute[] = [
  { method: 'POST', path: '/prompt', bills: true, handle: queuePrompt },
  {
    method: 'GET',
    path: '/prompt',
    handle: (call) => jsonAnswer(200, { exec_info: { queue_remaining: open(call).length } }),
  },
  { method: 'GET', path: '/queue', handle: listQueue },
  { method: 'POST', path: '/queue', handle: changeQueue },
  { method: 'GET', path: '/history/:id', handle: history },
  { method: 'GET', path: '/view', handle: view },
  { method: 'POST', path: '/upload/image', handle: upload },
  { method: 'POST', path: '/interrupt', handle: interrupt },
  { method: 'GET', path: '/system_stats', handle: () => jsonAnswer(200, { system: { os: 'posix' }, devices: [] }) },
  { method: 'GET', path: '/models/checkpoints', handle: () => jsonAnswer(200, CHECKPOINTS) },
];

/**
 * ComfyUI's server: graphs are queued, and a job is in `/queue` until it is in `/history`. Every route stands under
 * `/api` as well. It knows the nodes of its first workflow and of pictures that are loaded; more than 4 megapixels at
 * once do not fit into its memory. Its WebSocket is not imitated, and jobs do not wait for each other.
 */
export const comfyui: Protocol = {
  name: 'comfyui',
  routes: ROUTES.flatMap((route) => [route, { ...route, path: `/api${route.path}` }]),
  refuse,
  // A machine of one's own bills nothing; the bill says what it made.
  jobs: { unbilled: ['failed'] },
};

function queuePrompt(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { values } = call.body;
  const host = hostOf(call);
  const order = readGraph(values.prompt, (name) => host.uploads.has(name));
  const oom = exceedsMemory(order.width, order.height, order.batch);
  const references = order.files.flatMap((name) => host.uploads.get(name) ?? []);
  const pictures = {
    ...{ model: order.checkpoint, prompt: order.prompt, n: order.batch, references },
    ...{ width: order.width, height: order.height, seed: order.seed % 2 ** 32 },
    data: { outputs: order.outputs, oom },
  };
  // What does not fit is found out by the work, after the graph was accepted.
  const played = oom ? { ...call, script: 'failed' } : call;
  return startJob(played, pictures, (job) => {
    host.number += 1;
    host.jobs.set(job.id, host.number);
    const oldest = host.jobs.keys().next().value;
    if (host.jobs.size > MAX_JOBS && oldest !== undefined) host.jobs.delete(oldest);
    return jsonAnswer(200, { prompt_id: job.id, number: host.number, node_errors: {} });
  });
}

/** The jobs of this machine that have not ended. */
function open(call: ProtocolCall): readonly { readonly job: JobView; readonly number: number }[] {
  const { jobs } = hostOf(call);
  // The list is no look at any one of them, so none of them makes it fail.
  return openJobsOf(call).flatMap((job) => {
    const number = jobs.get(job.id);
    return number === undefined ? [] : [{ job, number }];
  });
}

function listQueue(call: ProtocolCall): Answer {
  const items = (isRunning: boolean) =>
    open(call)
      .filter(({ job }) => (job.status === 'running') === isRunning)
      .map(({ job, number }) => [number, job.id, {}, {}, outputsOf(job).map(({ id }) => id)]);
  return jsonAnswer(200, { queue_running: items(true), queue_pending: items(false) });
}

function changeQueue(call: ProtocolCall): Answer {
  const { values } = call.body;
  const named = readList(values, 'delete', MAX_JOBS);
  for (const { job } of open(call)) {
    if (job.status === 'running' || !(values.clear === true || named.includes(job.id))) continue;
    cancelJob(call, job.id);
    forget(hostOf(call), job.id);
  }
  return NO_CONTENT;
}

function forget({ deleted }: Host, id: string): void {
  deleted.add(id);
  const oldest = deleted.values().next().value;
  if (deleted.size > MAX_JOBS && oldest !== undefined) deleted.delete(oldest);
}

/** One job where it is named, else whatever runs. */
function interrupt(call: ProtocolCall): Answer {
  const named = readText(call.body.values, 'prompt_id');
  for (const { job } of open(call)) {
    if (job.status === 'running' && (named === undefined || named === job.id)) cancelJob(call, job.id);
  }
  return NO_CONTENT;
}

/** 200 without a body, whatever it did. */
const NO_CONTENT: Answer = { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: [] };

async function history(call: ProtocolCall): Promise<Answer> {
  const { id = '' } = call.params;
  const { jobs, deleted } = hostOf(call);
  const job = jobs.has(id) && !deleted.has(id) ? jobOf(call, id) : undefined;
  if (!job?.ended) return jsonAnswer(200, {});
  return jsonAnswer(200, { [id]: { prompt: [jobs.get(id), id, {}, {}, []], ...(await endOf(job)), meta: {} } });
}

async function endOf(job: JobView): Promise<object> {
  const start = ['execution_start', { prompt_id: job.id, timestamp: job.createdAt }];
  const ended = (status_str: string, name: string, details: object) => ({
    status: { status_str, completed: status_str === 'success', messages: [start, [name, details]] },
  });
  if (job.status === 'succeeded') {
    const count = (await job.pictures())?.length ?? 0;
    const images = (saved: boolean) =>
      Array.from({ length: count }, (_, index) => ({
        ...{
          filename: `${job.id}_${String(index).padStart(5, '0')}_.png`,
          subfolder: '',
          type: saved ? 'output' : 'temp',
        },
      }));
    const outputs = Object.fromEntries(outputsOf(job).map(({ id, saved }) => [id, { images: images(saved) }]));
    return { outputs, ...ended('success', 'execution_success', { prompt_id: job.id }) };
  }
  const told = { prompt_id: job.id, node_id: '3', node_type: 'KSampler', executed: [] };
  if (job.status === 'canceled') return { outputs: {}, ...ended('error', 'execution_interrupted', told) };
  const oom = {
    exception_type: 'torch.OutOfMemoryError',
    exception_message: 'Allocation on device \nThis error means you ran out of memory on your GPU.',
  };
  const failed = { exception_type: 'RuntimeError', exception_message: job.error?.message ?? 'failed' };
  const error = { ...told, ...(job.data.oom === true ? oom : failed), traceback: [], current_inputs: {} };
  return { outputs: {}, ...ended('error', 'execution_error', error) };
}

function outputsOf(job: JobView): GraphOrder['outputs'] {
  return Array.isArray(job.data.outputs) ? job.data.outputs : [];
}

async function view(call: ProtocolCall): Promise<Answer> {
  const name = call.query.get('filename') ?? '';
  const uploaded = hostOf(call).uploads.get([call.query.get('subfolder'), name].filter(Boolean).join('/'));
  if (call.query.get('type') === 'input' && uploaded) return bytesAnswer(uploaded, 'image/png');
  const [, id = '', index = ''] = /^(.+)_(\d{5})_\.png$/u.exec(name) ?? [];
  const job = hostOf(call).jobs.has(id) ? jobOf(call, id) : undefined;
  const picture = (await job?.pictures())?.[Number(index)];
  if (!picture) return { status: 404, headers: {}, body: [] };
  // A link that goes wrong does so where the sandbox keeps its files.
  const link = await picture.link();
  if (new URL(link).search !== '') return { status: 302, headers: { location: link }, body: [] };
  return bytesAnswer(picture.bytes, picture.mime);
}

function bytesAnswer(bytes: Buffer, type: string): Answer {
  return { status: 200, headers: { 'content-type': type }, body: [bytes] };
}

/** Under the hash of its bytes, where the original keeps the caller's name. */
function upload(call: ProtocolCall): Answer {
  const { values, files } = call.body;
  const file = files.find(({ field }) => field === 'image');
  if (!call.form || !file) return { status: 400, headers: {}, body: [] };
  if (!isPicture(file.bytes)) throw new RefusedError({ status: 400, reason: 'invalid', message: 'no picture' });
  const subfolder = readText(values, 'subfolder') ?? '';
  if (/\.\.|^\//u.test(subfolder)) return { status: 400, headers: {}, body: [] };
  const name = `${createHash('sha256').update(file.bytes).digest('hex')}.png`;
  const { uploads } = hostOf(call);
  uploads.set(subfolder === '' ? name : `${subfolder}/${name}`, file.bytes);
  const oldest = uploads.keys().next().value;
  if (uploads.size > MAX_UPLOADS && oldest !== undefined) uploads.delete(oldest);
  return jsonAnswer(200, { name, subfolder, type: readText(values, 'type') ?? 'input' });
}

function refuse({ status, reason, code, param, message }: ProtocolRefusal): Answer {
  if (reason !== 'invalid') {
    const text = status >= 500 ? '500 Internal Server Error\n\nServer got itself in trouble' : `${status}: ${message}`;
    return { status, headers: { 'content-type': 'text/plain' }, body: [Buffer.from(text)] };
  }
  const [said = message, details = ''] = message.split('\n');
  if (param === undefined) {
    return jsonAnswer(400, {
      error: { type: code ?? 'invalid_prompt', message: said, details, extra_info: {} },
      node_errors: {},
    });
  }
  const [id = '', class_type = ''] = param.split('/');
  const errors = [{ type: code, message: said, details, extra_info: {} }];
  const error = {
    type: 'prompt_outputs_failed_validation',
    message: 'Prompt outputs failed validation',
    details: '',
    extra_info: {},
  };
  return jsonAnswer(400, { error, node_errors: { [id]: { errors, dependent_outputs: [], class_type } } });
}
