import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Studio } from './draw/studio.ts';
import type { Connection } from './faults/fault.ts';
import { type Cue, readScript, withoutPrefix } from './faults/script.ts';
import type { Files } from './files.ts';
import type { Entry, Ledger } from './ledger.ts';
import type { Limiter } from './limit.ts';
import { type Job, makePicture, type Picture } from './pictures.ts';
import { streamJob, streamRefusal } from './stream.ts';
import { wait } from './wait.ts';
import { type Answer, openAiHeaders, pageAnswer, RefusedError, refusalAnswer } from './wire/answer.ts';
import { type Fields, formFields, jsonFields, readBody } from './wire/body.ts';
import { type ImageCall, readCall } from './wire/call.ts';
import { deliver, firstHalf } from './wire/deliver.ts';
import { base64Of, type Item, imagesAnswer, usageOf } from './wire/images.ts';

const DEFAULT_MODEL = 'gpt-image-2';
const UNREADABLE = '(unreadable)';
const MAX_NAME_CHARACTERS = 1000;
const MAX_KEPT_PROMPT = 200;

/** What an image request is answered with. */
export interface ImageContext {
  readonly ledger: Ledger;
  readonly limiter: Limiter;
  readonly studio: Studio;
  readonly files: Files;
  /** Where the sandbox is reached, without a slash at the end. */
  readonly url: string;
}

/** What is known of a request's line in the bill before anything is played. */
type Draft = Pick<Entry, 'at' | 'operation' | 'model' | 'prompt'>;

interface Accepted extends Omit<Job, 'act'> {
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers one image request: read, check, admit, write the charge, and only then do the work and what goes wrong. */
export async function answerImagePost(
  context: ImageContext,
  operation: ImageCall['operation'],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  const body = await readBody(request);
  const draft: Draft = { at: Date.now(), operation, model: UNREADABLE };
  let accepted: Accepted;
  try {
    accepted = await accept(context, request, response, body, draft);
  } catch (error) {
    if (error instanceof RefusedError) {
      const played = `refused: ${error.refusal.code ?? error.refusal.status}`;
      context.ledger.append({ ...draft, played, images: 0, charged: 0 });
    }
    throw error;
  }
  await perform(context, accepted, response, () => ({ ...openAiHeaders(startedAt), ...accepted.headers }));
}

/** Reads, checks and admits a request and takes its cue; fills `draft` in as far as the request is understood. */
async function accept(
  context: ImageContext,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  draft: { -readonly [Key in keyof Draft]: Draft[Key] },
): Promise<Accepted> {
  const fields = await readFields(request, body, draft.operation);
  const name = readName(fields, 'model') ?? DEFAULT_MODEL;
  const model = withoutPrefix(name);
  draft.model = model;
  const call = readCall(draft.operation, fields);
  draft.prompt = call.prompt.slice(0, MAX_KEPT_PROMPT);
  const script = readScript(name, readName(fields, 'fault'));
  const headers = admit(context.limiter, model, call.n, response);
  const place = script.length > 1 ? placeOf(request.headers.authorization, model, script, call.prompt) : undefined;
  return { call, model, cue: takeCue(context.ledger, script, place, draft, call.n), headers };
}

async function readFields(request: IncomingMessage, body: Buffer, operation: ImageCall['operation']): Promise<Fields> {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) return formFields(body, type);
  if (operation === 'generate') return jsonFields(body);
  const message = `Unsupported content type: '${type.slice(0, 100)}'. Send an edit as 'multipart/form-data'.`;
  throw new RefusedError({ status: 400, code: 'unsupported_content_type', message });
}

function readName({ values }: Fields, param: 'model' | 'fault'): string | undefined {
  const value = values[param];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS) return value;
  const message = `Invalid '${param}': expected a string of at most ${MAX_NAME_CHARACTERS} characters.`;
  throw new RefusedError({ status: 400, param, code: 'invalid_type', message });
}

function admit(
  limiter: Limiter,
  model: string,
  images: number,
  response: ServerResponse,
): Readonly<Record<string, string>> {
  const admission = limiter.admit(model, images, performance.now());
  if (!admission.admitted) throw new RefusedError(admission.refusal);
  if (response.closed) admission.leave();
  else response.once('close', admission.leave);
  return admission.headers;
}

/** Takes the next cue of the script and writes the charge, in one turn of the event loop. */
function takeCue(ledger: Ledger, script: readonly Cue[], place: string | undefined, draft: Draft, n: number): Cue {
  const cue = script[place === undefined ? 0 : Math.min(ledger.position(place), script.length - 1)];
  if (!cue) throw new Error('a script has at least one entry');
  const made = cue.fault.charges ? n : 0;
  const played = cue.value === undefined ? cue.fault.name : `${cue.fault.name}:${cue.value}`;
  ledger.append({ ...draft, played, images: made, charged: made, ...(place !== undefined && { position: place }) });
  return cue;
}

/** A place in a script belongs to (Authorization key, model, script, prompt); the key itself is not kept. */
function placeOf(authorization = '', model: string, script: readonly Cue[], prompt: string): string {
  const parts = [authorization, model, script.map(({ fault, value }) => [fault.name, value]), prompt];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}

async function perform(
  context: ImageContext,
  { call, model, cue }: Accepted,
  response: ServerResponse,
  headers: () => Readonly<Record<string, string>>,
): Promise<void> {
  const { act } = cue.fault;
  const send = (answer: Answer, connection?: Connection) =>
    deliver(response, { ...answer, headers: { ...headers(), ...answer.headers } }, connection);
  if (act.kind === 'page') return send(pageAnswer(act.status, act.html));
  if (act.kind === 'refuse') {
    const refusal = act.refusal({ value: cue.value, model, now: Date.now() });
    if (refusal.status === 200 && call.stream) return streamRefusal(response, headers(), refusal);
    return send(refusalAnswer(refusal));
  }
  const job = { call, model, cue, act };
  const streams = call.stream && (call.partialImages > 0 || act.connection?.at !== 'before');
  if (streams) return streamJob(response, headers(), context.studio, job);
  if (act.waits && !(await wait((cue.value ?? 0) * 1000, response))) return;
  const answer = await answerJob(context, job);
  await send(act.cut ? { ...answer, body: firstHalf(answer.body) } : answer, act.connection);
}

async function answerJob({ studio, files, url }: ImageContext, job: Job): Promise<Answer> {
  const { call, act } = job;
  const items: Item[] = [];
  let shown: Pick<Picture, 'width' | 'height' | 'format'> = call;
  for (let index = 0; index < call.n && act.list === undefined; index++) {
    const picture = await makePicture(studio, job, index);
    const fields = { seed: picture.seed };
    if (call.delivery === 'b64_json') items.push({ base64: base64Of(picture.bytes), fields });
    else items.push({ fields: { url: `${url}/files/${await files.keep(picture.bytes, picture.format)}`, ...fields } });
    shown = picture;
  }
  return imagesAnswer(act.list === 'absent' ? undefined : items, {
    background: call.background,
    output_format: shown.format,
    quality: call.quality,
    size: `${shown.width}x${shown.height}`,
    usage: usageOf(call),
  });
}
