/**
 * ComfyUI's own server: a workflow with the request in its placeholders (see comfyui-workflow.ts) is queued with
 * `POST /prompt`; pictures it works from are uploaded before. A job is in `/queue` until, at the same instant, it is in
 * `/history/{id}`: one that is in neither is gone, as after a restart. `/queue` is asked first, because an empty history
 * says nothing. The model is `local`, a configured workflow, or the file name of a checkpoint.
 *
 * An unchanged graph is not run again by old versions and has no output then, so a seed is always sent. Versions before
 * 2025 take no `prompt_id` at `/interrupt` and stop whatever runs; it is used only where our job was last seen running.
 * Progress is told by WebSocket alone, which is not spoken; nor is Comfy's API v2 (`/api/v2/jobs`, Comfy Cloud).
 * Facts: server.py and execution.py, a stored copy of 2024; docs.comfy.org, read 2026-11.
 */
import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponse } from '../http.ts';
import type { Asset } from '../images/asset.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import { classifyComfyui } from './comfyui-errors.ts';
import { giveUp, lookAt, readCancel, readLook } from './comfyui-jobs.ts';
import {
  filledWorkflow,
  ownValues,
  readWorkflow,
  TEXT_TO_IMAGE,
  type Workflow,
  workflowAbilities,
} from './comfyui-workflow.ts';
import data from './data/comfyui.json' with { type: 'json' };
import { filePart } from './form.ts';
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, Model, PaidRequest, Progress, Provider } from './provider.ts';
import { sidesOf } from './sides.ts';

export interface ComfyuiSettings {
  /** By model id; one named `local` takes the place of the built-in one. */
  readonly workflows?: Readonly<Record<string, Workflow>>;
  /** The file name of the checkpoint for `{{checkpoint}}`, where a request names none. */
  readonly checkpoint?: string;
}

const [FACTS] = readModelFile(data).models;
const CHECKPOINT_FILE = /\.(?:safetensors|ckpt|sft|gguf)$/i;
const BUILT_IN = workflowOf(TEXT_TO_IMAGE);
const HEADERS = { accept: 'application/json' };

export const comfyui: Provider = comfyuiProvider({});

/** ComfyUI with workflows of its owner's. */
export function comfyuiProvider({ workflows = {}, checkpoint }: ComfyuiSettings): Provider {
  const named: ReadonlyMap<string, Workflow> = new Map([['local', BUILT_IN], ...Object.entries(workflows)]);
  const find = (id: string) => named.get(id) ?? (CHECKPOINT_FILE.test(id) ? BUILT_IN : undefined);
  const wanted = ({ model }: CallContext): Wanted => {
    const file = named.has(model) ? checkpoint : model;
    return { workflow: find(model) ?? BUILT_IN, ...(file !== undefined && { checkpoint: file }) };
  };
  return {
    id: 'comfyui',
    access: {
      keyless: true,
      keyVariables: ['COMFYUI_API_KEY'],
      baseUrlVariables: ['COMFYUI_BASE_URL', 'COMFYUI_URL'],
    },
    models: [...named].map(([id, workflow]) => modelOf(id, workflow)),
    model: (id) => {
      const workflow = find(id);
      return workflow && modelOf(id, workflow);
    },
    resubmit: 'safe',
    drawsSeeds: true,
    authorize: bearer,
    classify: classifyComfyui,
    results: { hosts: [] },
    // Every checkpoint it has is a model by its file name; older servers have no such list.
    catalog: {
      build: ({ baseUrl }) => ({ method: 'GET', url: `${baseUrl}/models/checkpoints`, headers: HEADERS }),
      parse: ({ body }) =>
        (Array.isArray(body) ? body : []).flatMap((id: JsonValue) =>
          typeof id === 'string' && CHECKPOINT_FILE.test(id) ? [{ id }] : [],
        ),
    },
    image: {
      submit: {
        build: (request, context) => firstRequest(request, context, wanted(context)),
        parse: (response, request, context, state) => readStep(response, request, context, wanted(context), state),
        paid: (request, context) => paidRequest(request, context, wanted(context)),
      },
      poll: { build: lookAt, parse: readLook },
      cancel: { build: giveUp, parse: readCancel },
      queue: {
        build: ({ baseUrl }) => ({ method: 'GET', url: `${baseUrl}/prompt`, headers: HEADERS }),
        parse: ({ body }) => numberAt(isObject(body) ? body.exec_info : undefined, 'queue_remaining'),
      },
    },
  };
}

/** Which graph, with which checkpoint. */
interface Wanted {
  readonly workflow: Workflow;
  readonly checkpoint?: string;
}

function workflowOf(graph: JsonObject): Workflow {
  const read = readWorkflow(graph);
  if ('workflow' in read) return read.workflow;
  throw new TypeError(`expected ${read.expected}, got ${read.got}`);
}

function modelOf(id: string, workflow: Workflow): Model {
  return { ...FACTS, id, streams: false, ...workflowAbilities(workflow) };
}

/** Throws where the workflow needs a picture that the request does not have. */
function firstRequest(request: ImageRequest, context: CallContext, wanted: Wanted): HttpRequest {
  const { inputs } = wanted.workflow;
  const lacking = [...inputs].find(([name, { required }]) => required && isLacking(name, request));
  if (lacking) throw new TypeError(`${context.model}: its workflow needs {{${lacking[0]}}}, and the request has none`);
  const [first] = filesOf(request, wanted.workflow);
  return first === undefined ? promptRequest(request, context, wanted, []) : uploadRequest(first, context);
}

function isLacking(name: string, { images = [], mask }: ImageRequest): boolean {
  if (name === 'mask') return mask === undefined;
  return name.startsWith('image_') && images.length === 0;
}

/** What is uploaded, in this order: the pictures that the workflow has a place for, then the mask. */
function filesOf({ operation, images = [], mask }: ImageRequest, workflow: Workflow): readonly Asset[] {
  if (operation !== 'edit') return [];
  const { max = 0 } = workflowAbilities(workflow).capabilities.references ?? {};
  return [...images.slice(0, max), ...(mask !== undefined && workflow.inputs.has('mask') ? [mask] : [])];
}

/** Named by its content, so that the same picture sent twice is one file. */
function uploadRequest(asset: Asset, { baseUrl }: CallContext): HttpRequest {
  const parts = [
    { name: 'type', value: 'input' },
    { name: 'subfolder', value: 'onetake' },
    { name: 'overwrite', value: 'true' },
    filePart('image', asset, asset.hash),
  ];
  const body = { kind: 'multipart', parts } as const;
  return { method: 'POST', url: `${baseUrl}/upload/image`, headers: HEADERS, free: true, body };
}

/** A server calls a file what it was uploaded as. */
function paidRequest(request: ImageRequest, context: CallContext, wanted: Wanted): PaidRequest {
  const files = filesOf(request, wanted.workflow).map((asset) => filePart('image', asset, asset.hash));
  const names = files.map(({ filename }) => `onetake/${filename}`);
  return { request: promptRequest(request, context, wanted, names), standIns: [] };
}

function promptRequest(
  request: ImageRequest,
  context: CallContext,
  { workflow, checkpoint }: Wanted,
  uploads: readonly string[],
): HttpRequest {
  const { images = [], mask, size } = request;
  const hasMask = mask !== undefined && workflow.inputs.has('mask') && uploads.length > 0;
  const pictures = hasMask ? uploads.slice(0, -1) : uploads;
  // A workflow with more places than there are pictures shows the last one again.
  const shown = [...workflow.inputs.keys()].flatMap((name): [string, string][] => {
    const picture = pictures[Math.min(Number(/^image_(\d+)$/.exec(name)?.[1]), images.length) - 1];
    return picture === undefined ? [] : [[name, picture]];
  });
  const graph = filledWorkflow(workflow, {
    ...(checkpoint !== undefined && { checkpoint }),
    ...ownValues(workflow, request.extra ?? {}),
    ...Object.fromEntries(shown),
    ...(hasMask && { mask: uploads.at(-1) ?? '' }),
    ...sidesOf(size),
    prompt: request.prompt,
    ...(request.negativePrompt !== undefined && { negative_prompt: request.negativePrompt }),
    seed: seedOf(request, context),
    batch_size: request.n,
  });
  const value = { prompt: graph, client_id: 'onetake' };
  return { method: 'POST', url: `${context.baseUrl}/prompt`, headers: HEADERS, body: { kind: 'json', value } };
}

/** One of our own where none is asked for: the same for the same attempt, another for every other. */
function seedOf({ seed }: ImageRequest, { runId, attempt }: CallContext): number {
  return seed ?? createHash('sha256').update(`${runId} ${attempt}`).digest().readUIntBE(0, 6);
}

function readStep(
  response: HttpResponse,
  request: ImageRequest,
  context: CallContext,
  wanted: Wanted,
  state: JsonValue | undefined,
): Progress {
  const files = filesOf(request, wanted.workflow);
  if (files.length === 0 || (isObject(state) && state.queued === true)) {
    const seed = wanted.workflow.inputs.has('seed') ? seedOf(request, context) : undefined;
    return readQueued(response.body, request.n, seed);
  }
  const name = uploadedName(response.body);
  if (name === undefined) {
    const message = 'the server took a picture without saying under which name';
    return { kind: 'failed', failure: { kind: 'server', certainty: 'rejected', message } };
  }
  const before: readonly JsonValue[] = isObject(state) && Array.isArray(state.uploaded) ? state.uploaded : [];
  const uploaded = [...before.filter((one) => typeof one === 'string'), name];
  const next = files[uploaded.length];
  if (next) return { kind: 'next', request: uploadRequest(next, context), state: { uploaded } };
  return { kind: 'next', request: promptRequest(request, context, wanted, uploaded), state: { queued: true } };
}

function uploadedName(body: JsonValue | undefined): string | undefined {
  const name = stringAt(body, 'name');
  const subfolder = stringAt(body, 'subfolder') ?? '';
  return name === undefined || subfolder === '' ? name : `${subfolder}/${name}`;
}

function readQueued(body: JsonValue | undefined, n: number, seed: number | undefined): Progress {
  const job = stringAt(body, 'prompt_id') ?? '';
  if (job !== '') return { kind: 'waiting', handle: { job, n, ...(seed !== undefined && { seed }) } };
  const message = 'the server answered without a prompt_id; it may be working on the job';
  return { kind: 'failed', failure: { kind: 'server', certainty: 'ambiguous', message } };
}
