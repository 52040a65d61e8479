import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { readInteger, readList, readNumber, readObject, readText } from './fields.ts';
import { exceedsMemory, hostsOf } from './local-host.ts';
import { type PictureOrder, referenceOf } from './orders.ts';
import { type Painted, paint } from './paint.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

const CHECKPOINTS = [
  { title: 'v1-5-pruned-emaonly.safetensors [6ce0161689]', model_name: 'v1-5-pruned-emaonly', hash: '6ce0161689' },
  { title: 'sd_xl_base_1.0.safetensors [31e35c80fc]', model_name: 'sd_xl_base_1.0', hash: '31e35c80fc' },
] as const;
const SAMPLERS = ['DPM++ 2M', 'Euler a', 'Euler', 'DDIM'] as const;
const DEFAULT_SIDE = 512;
const STEPS = 20;
/** After so long the imitated work is half done; it never tells of the end before it is there. */
const HALF_DONE_MS = 2000;
const MAX_BATCH = 16;
const MAX_SEED = 2 ** 53 - 1;

/** The work that is going on at one machine, and the end of the queue for it. */
interface Host {
  queue: Promise<void>;
  working?: { readonly since: number; readonly standsStill: boolean };
}

const hostOf = hostsOf((): Host => ({ queue: Promise.resolve() }));

/**
 * AUTOMATIC1111's WebUI: no key, one call at a time, the others wait. Bad input is a 500 or a 404 as often as a 422; a
 * checkpoint it does not have is silently replaced; more than 4 megapixels at once do not fit into its memory.
 */
export const automatic1111: Protocol = {
  name: 'automatic1111',
  routes: [
    { method: 'POST', path: '/sdapi/v1/txt2img', bills: true, handle: (call) => draw(call, false) },
    { method: 'POST', path: '/sdapi/v1/img2img', bills: true, handle: (call) => draw(call, true) },
    { method: 'GET', path: '/sdapi/v1/progress', handle: progress },
    { method: 'POST', path: '/sdapi/v1/interrupt', handle: () => jsonAnswer(200, {}) },
    { method: 'POST', path: '/sdapi/v1/skip', handle: () => jsonAnswer(200, null) },
    { method: 'GET', path: '/sdapi/v1/sd-models', handle: () => jsonAnswer(200, CHECKPOINTS) },
    {
      method: 'GET',
      path: '/sdapi/v1/samplers',
      handle: () =>
        jsonAnswer(
          200,
          SAMPLERS.map((name) => ({ name, aliases: [], options: {} })),
        ),
    },
    {
      method: 'GET',
      path: '/sdapi/v1/options',
      handle: () => jsonAnswer(200, { samples_format: 'png', sd_model_checkpoint: CHECKPOINTS[0].title }),
    },
    { method: 'GET', path: '/sdapi/v1/memory', handle: () => jsonAnswer(200, { ram: {}, cuda: {} }) },
  ],
  headers: () => ({ 'x-process-time': '0.1' }),
  refuse,
};

async function draw(call: ProtocolCall, fromPicture: boolean): Promise<ProtocolAnswer | undefined> {
  const { values } = call.body;
  const checkpoint = servedCheckpoint(readObject(values, 'override_settings').sd_model_checkpoint);
  call.bill.model = checkpoint.model_name;
  const sampler = readText(values, 'sampler_name') ?? readText(values, 'sampler_index') ?? 'Euler';
  if (!SAMPLERS.some((known) => known === sampler)) throw plain(404, 'Sampler not found');
  const references = fromPicture ? await readPictures(values) : [];
  const order = readOrder(values, checkpoint.model_name, references);
  if (!(await turnAt(hostOf(call), call))) return undefined;
  return paint(call, order, (painted) => write(values, painted, checkpoint));
}

/** Waits for the calls before; false when the caller has left meanwhile. A call is over when its answer is, or its caller. */
async function turnAt(host: Host, { response, script }: ProtocolCall): Promise<boolean> {
  const before = host.queue;
  const over = new Promise<void>((resolve) => {
    if (response.closed) resolve();
    else response.once('close', () => resolve());
  });
  host.queue = before.then(() => over);
  await before;
  if (response.closed) return false;
  const working = { since: performance.now(), standsStill: /hang|stall|stuck/u.test(script ?? '') };
  host.working = working;
  void over.then(() => {
    if (host.working === working) delete host.working;
  });
  return true;
}

function servedCheckpoint(asked: unknown): (typeof CHECKPOINTS)[number] {
  const named = (known: (typeof CHECKPOINTS)[number]) =>
    typeof asked === 'string' && [known.title, known.model_name, known.hash, known.title.split(' ')[0]].includes(asked);
  return CHECKPOINTS.find(named) ?? CHECKPOINTS[0];
}

async function readPictures(values: Readonly<Record<string, unknown>>): Promise<Buffer[]> {
  const pictures = readList(values, 'init_images');
  if (pictures.length === 0) throw plain(404, 'Init image not found');
  const all = [...pictures, ...(typeof values.mask === 'string' ? [values.mask] : [])];
  return Promise.all(all.map((picture) => referenceOf(picture, 'init_images')));
}

function readOrder(values: Readonly<Record<string, unknown>>, model: string, references: Buffer[]): PictureOrder {
  const width = readInteger(values, 'width', 1, 16_384) ?? DEFAULT_SIDE;
  const height = readInteger(values, 'height', 1, 16_384) ?? DEFAULT_SIDE;
  const n = readInteger(values, 'batch_size', 1, MAX_BATCH) ?? 1;
  readInteger(values, 'steps', 1, 150);
  readNumber(values, 'cfg_scale', 0, 100);
  readNumber(values, 'denoising_strength', 0, 1);
  readText(values, 'negative_prompt');
  const seed = readInteger(values, 'seed', -1, MAX_SEED) ?? -1;
  if (exceedsMemory(width, height, n)) {
    const message = 'CUDA out of memory. Tried to allocate 9.00 GiB (GPU 0; 8.00 GiB total capacity)';
    throw new RefusedError({ status: 500, reason: 'server', code: 'OutOfMemoryError', message });
  }
  // Sides are cut to what the model's latent picture can hold.
  const sides = { width: width - (width % 8), height: height - (height % 8) };
  return { model, prompt: readText(values, 'prompt') || ' ', n, ...sides, references, ...(seed >= 0 && { seed }) };
}

function write(
  values: Readonly<Record<string, unknown>>,
  { pictures, listAbsent, call }: Painted,
  checkpoint: (typeof CHECKPOINTS)[number],
): Answer {
  const info = {
    ...{ prompt: call.prompt, seed: pictures[0]?.seed ?? -1, all_seeds: pictures.map(({ seed }) => seed) },
    ...{ width: call.width, height: call.height, steps: STEPS, batch_size: call.n, index_of_first_image: 0 },
    ...{ sd_model_name: checkpoint.model_name, sd_model_hash: checkpoint.hash },
  };
  const images = pictures.map(({ base64 }) => base64);
  const parameters = { ...values, init_images: null, mask: null };
  return jsonAnswer(200, { ...(!listAbsent && { images }), parameters, info: JSON.stringify(info) });
}

function progress(call: ProtocolCall): Answer {
  const { working } = hostOf(call);
  const elapsedMs = working === undefined ? 0 : performance.now() - working.since;
  const share = working?.standsStill ? 0.5 : elapsedMs / (elapsedMs + HALF_DONE_MS);
  const step = Math.floor(share * STEPS);
  return jsonAnswer(200, {
    progress: working === undefined ? 0 : Math.max(0.01, step / STEPS),
    eta_relative: 0,
    state: { job_count: working === undefined ? 0 : 1, sampling_step: step, sampling_steps: STEPS, interrupted: false },
    current_image: null,
    textinfo: null,
  });
}

function plain(status: number, message: string): RefusedError {
  return new RefusedError({ status, message, code: 'HTTPException' });
}

function refuse({ status, reason, code, param, message, headers }: ProtocolRefusal): Answer {
  const raised = (at: number, detail: string) =>
    jsonAnswer(at, { error: 'HTTPException', detail, body: '', errors: '' }, at === 401 ? BASIC : (headers ?? {}));
  if (code === 'HTTPException') return raised(status, message);
  if (code === 'unknown_url') return jsonAnswer(404, { detail: 'Not Found' });
  if (code === 'invalid_image') return raised(500, 'Invalid encoded image');
  if (reason === 'key') return raised(401, 'Incorrect username or password');
  if (reason === 'invalid') {
    const loc = ['body', ...(param === undefined ? [] : [param])];
    return jsonAnswer(422, { detail: [{ loc, msg: message, type: 'value_error' }] });
  }
  if (reason !== 'server') return raised(status, message);
  const error = code === 'OutOfMemoryError' ? code : 'RuntimeError';
  return jsonAnswer(500, { error, detail: '', body: '', errors: message });
}

const BASIC = { 'www-authenticate': 'Basic' };
