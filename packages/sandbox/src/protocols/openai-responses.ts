import { randomBytes } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import type { ImageCall } from '../wire/call.ts';
import { readCall } from '../wire/call.ts';
import { usageOf } from '../wire/images.ts';
import { invalidField, needText, readBoolean, readList } from './fields.ts';
import { cancelJob, type JobView, jobOf, settledJob, startJob } from './jobs.ts';
import { answerChatCall, readChatWords } from './openai-chat.ts';
import { isPicture, referenceOf } from './orders.ts';
import type { ProtocolAnswer, ProtocolCall, ProtocolRoute } from './protocol.ts';
import { jobScript } from './words.ts';

const TOOL_DEFAULT = 'gpt-image-2';
/** A response that is not in the background is waited for. */
const MAX_FOREGROUND_MS = 600_000;
const REFUSAL = "I'm sorry, but I can't help with creating that image.";

/** OpenAI's Responses API: with the image tool a response is a job, without it chat. */
export const RESPONSE_ROUTES: readonly ProtocolRoute[] = [
  { method: 'POST', path: '/v1/responses', bills: true, handle: create, readScript },
  { method: 'GET', path: '/v1/responses/:id', handle: retrieve },
  { method: 'POST', path: '/v1/responses/:id/cancel', handle: cancel },
];

export function newResponseId(): string {
  return `resp_${randomBytes(24).toString('hex')}`;
}

function readScript(call: ProtocolCall): unknown {
  return draws(call) ? jobScript(call.protocol, call.script) : readChatWords(call);
}

function draws({ body: { values } }: ProtocolCall): boolean {
  return Array.isArray(values.tools) && values.tools.some((tool) => isObject(tool) && tool.type === 'image_generation');
}

async function create(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const { values } = call.body;
  if (!draws(call)) {
    if (!readBoolean(values, 'background')) return answerChatCall(call, 'responses');
    throw invalidField(
      'background',
      'choice',
      'this imitation has only responses with the image tool in the background',
    );
  }
  const mainline = needText(values, 'model');
  if (readBoolean(values, 'stream')) throw invalidField('stream', 'choice', 'this imitation does not stream responses');
  const background = readBoolean(values, 'background');
  if (background && values.store === false) {
    throw invalidField('background', 'choice', 'background responses must be stored');
  }
  const tool = readList(values, 'tools')
    .filter(isObject)
    .find(({ type }) => type === 'image_generation');
  const model = typeof tool?.model === 'string' ? tool.model : TOOL_DEFAULT;
  call.bill.model = model;
  const { prompt, references } = await readInput(values.input);
  const { type: _type, model: _model, action: _action, input_image_mask: _mask, ...fields } = tool ?? {};
  const image = readCall('generate', { values: { ...fields, prompt }, files: [] });
  const order = { ...image, model, n: 1, references, operation: references.length > 0 ? 'edit' : 'generate' } as const;
  // Without the mask, which is as large as a picture.
  const told = { type: 'image_generation', model, ...fields };
  const data = { mainline, background, tools: [told], metadata: values.metadata ?? {} };
  return startJob(call, { ...order, data }, async (job) => {
    const seen = background ? job : await settledJob(call, job.id, MAX_FOREGROUND_MS);
    return jsonAnswer(200, await responseOf(seen ?? job));
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text, or messages whose content is text and pictures. */
async function readInput(input: unknown): Promise<{ prompt: string; references: Buffer[] }> {
  if (typeof input === 'string' && input !== '') return { prompt: input, references: [] };
  const messages = Array.isArray(input) ? input.filter(isObject) : [];
  const parts = messages.flatMap(({ content }) =>
    Array.isArray(content) ? content.filter(isObject) : [{ text: content }],
  );
  const texts = parts.map(({ text }) => text).filter((text) => typeof text === 'string');
  if (texts.length === 0) throw invalidField('input', 'missing', 'expected a text');
  const references: Buffer[] = [];
  for (const { type, image_url } of parts) {
    if (type === 'input_image') references.push(await readInputImage(image_url));
  }
  return { prompt: texts.join('\n'), references };
}

async function readInputImage(value: unknown): Promise<Buffer> {
  const bytes = await referenceOf(value, 'input');
  if (isPicture(bytes) || /^https?:/iu.test(`${value}`)) return bytes;
  const message = 'The image data you provided does not represent a valid image.';
  throw new RefusedError({ status: 400, code: 'invalid_image_format', param: 'input', message });
}

async function retrieve(call: ProtocolCall): Promise<Answer> {
  const { id = '' } = call.params;
  const job = jobOf(call, id);
  if (!job) throw notFound(id);
  return jsonAnswer(200, await responseOf(job));
}

async function cancel(call: ProtocolCall): Promise<Answer> {
  const { id = '' } = call.params;
  const known = jobOf(call, id);
  if (!known) throw notFound(id);
  if (!known.data.background) {
    const message = 'Only responses created with background set to true can be cancelled.';
    throw new RefusedError({ status: 400, message });
  }
  return jsonAnswer(200, await responseOf(cancelJob(call, id) ?? known));
}

function notFound(id: string): RefusedError {
  return new RefusedError({ status: 404, message: `Response with id '${id.slice(0, 100)}' not found.` });
}

const STATUSES: Readonly<Record<JobView['status'], string>> = {
  queued: 'queued',
  cold_start: 'queued',
  running: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  // The model goes on without its tool and says so.
  moderated: 'completed',
  canceled: 'cancelled',
};

async function responseOf(job: JobView): Promise<object> {
  const used = usageOf(job.call);
  return {
    id: job.id,
    object: 'response',
    created_at: Math.floor(job.createdAt / 1000),
    status: STATUSES[job.status],
    background: job.data.background,
    error: job.status === 'failed' ? { code: 'server_error', message: job.error?.message } : null,
    incomplete_details: null,
    instructions: null,
    metadata: job.data.metadata,
    model: job.data.mainline,
    output: await outputOf(job),
    parallel_tool_calls: true,
    store: true,
    tool_choice: 'auto',
    tools: job.data.tools,
    usage: job.ended ? { input_tokens: 100, output_tokens: 20, total_tokens: 120 } : null,
    ...(job.status === 'succeeded' && { tool_usage: { image_gen: used } }),
  };
}

async function outputOf(job: JobView): Promise<readonly object[]> {
  const id = `ig_${job.id.slice('resp_'.length)}`;
  const item = { id, type: 'image_generation_call', ...toldOf(job.call) };
  if (job.status === 'moderated')
    return [{ ...item, status: 'failed', result: null, error: blocked(job) }, message(job)];
  if (job.status !== 'succeeded') return [];
  const pictures = await job.pictures();
  if (!pictures) return [{ ...item, status: 'failed', result: null }];
  const [picture] = pictures;
  // Asked for a picture, the model may answer in words alone.
  if (!picture) return [message(job)];
  return [{ ...item, status: 'completed', result: picture.base64, revised_prompt: job.call.prompt }];
}

function toldOf({ width, height, quality, background, format }: ImageCall): object {
  return { size: `${width}x${height}`, quality, background, output_format: format };
}

function blocked({ stage }: JobView): object {
  return {
    code: 'moderation_blocked',
    message: 'Your request was rejected by the safety system. safety_violations=[violence].',
    type: 'image_generation_user_error',
    param: null,
    moderation_details: { categories: ['violence'], moderation_stage: stage },
  };
}

function message({ id }: JobView): object {
  const content = [{ type: 'output_text', text: REFUSAL, annotations: [] }];
  return { id: `msg_${id.slice('resp_'.length)}`, type: 'message', status: 'completed', role: 'assistant', content };
}
