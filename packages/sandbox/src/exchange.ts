import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  DEFAULT_MODEL,
  type Draft,
  draftOf,
  keptPrompt,
  placeOf,
  readFields,
  readName,
  takeCue,
  withRefusals,
} from './accept.ts';
import type { Studio } from './draw/studio.ts';
import type { Connection } from './faults/fault.ts';
import { type Cue, readScript, withoutPrefix } from './faults/script.ts';
import type { Files } from './files.ts';
import type { Ledger } from './ledger.ts';
import type { Limiter, Wanted } from './limit.ts';
import { linkTo } from './links.ts';
import { delivered, type Job, makePicture, type Picture } from './pictures.ts';
import { streamJob, streamRefusal } from './stream.ts';
import { wait } from './wait.ts';
import { type Answer, openAiHeaders, pageAnswer, type Refusal, RefusedError, refusalAnswer } from './wire/answer.ts';
import { readBody } from './wire/body.ts';
import { type ImageCall, readCall } from './wire/call.ts';
import { deliver, firstHalf } from './wire/deliver.ts';
import { base64Of, type Item, imagesAnswer, usageOf } from './wire/images.ts';

/** What an image request is answered with. */
export interface ImageContext {
  readonly ledger: Ledger;
  readonly limiter: Limiter;
  readonly studio: Studio;
  readonly files: Files;
  /** Where the sandbox is reached, without a slash at the end. */
  readonly url: string;
}

interface Accepted extends Omit<Job, 'act'> {
  readonly headers: Readonly<Record<string, string>>;
}

/** A request for pictures that was read and checked. */
export interface ImageOrder {
  readonly call: ImageCall;
  readonly model: string;
  readonly script: readonly Cue[];
  /** Whose place in the script it moves on. */
  readonly key: string | undefined;
}

/** How an exchange is dressed where it is not the sandbox's own. */
export interface Dress {
  /** Of every answer. */
  headers(): Readonly<Record<string, string>>;
  /** Writes a refusal, or throws it. */
  refuse(refusal: Refusal): Answer;
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
  const draft = draftOf(operation);
  const accepted = await withRefusals(context.ledger, draft, () => accept(context, request, response, body, draft));
  const headers = () => openAiHeaders(startedAt);
  await perform(context, accepted, response, { headers, refuse: refusalAnswer });
}

/** Admits an order, takes its cue, writes the charge and answers it; a limit that is reached throws. */
export async function answerOrder(
  context: ImageContext,
  order: ImageOrder,
  draft: Draft,
  response: ServerResponse,
  dress: Dress,
): Promise<void> {
  await perform(context, takeOrder(context, order, draft, response), response, dress);
}

/** Reads, checks and admits a request and takes its cue; fills `draft` in as far as the request is understood. */
async function accept(
  context: ImageContext,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  draft: Draft,
): Promise<Accepted> {
  const fields = await readFields(body, request.headers['content-type'] ?? '', draft.operation);
  const name = readName(fields, 'model') ?? DEFAULT_MODEL;
  const model = withoutPrefix(name);
  draft.model = model;
  const call = readCall(draft.operation, fields);
  draft.prompt = keptPrompt(call.prompt);
  const script = readScript(name, readName(fields, 'fault'));
  return takeOrder(context, { call, model, script, key: request.headers.authorization }, draft, response);
}

function takeOrder(
  { limiter, ledger }: ImageContext,
  { call, model, script, key }: ImageOrder,
  draft: Draft,
  response: ServerResponse,
): Accepted {
  const headers = admit(limiter, draft.model, { images: call.n }, response);
  const place = placeOf(key, draft.model, script, call.prompt);
  return { call, model, cue: takeCue(ledger, script, place, draft, call.n), headers };
}

/** Admits a request until its response ends, and gives the headers that say what is left; a limit that is reached throws. */
export function admit(
  limiter: Limiter,
  model: string,
  wanted: Wanted,
  response: ServerResponse,
): Readonly<Record<string, string>> {
  const admission = limiter.admit(model, wanted, performance.now());
  if (!admission.admitted) throw new RefusedError(admission.refusal);
  if (response.closed) admission.leave();
  else response.once('close', admission.leave);
  return admission.headers;
}

async function perform(
  context: ImageContext,
  { call, model, cue, headers: rateHeaders }: Accepted,
  response: ServerResponse,
  dress: Dress,
): Promise<void> {
  const { act } = cue.fault;
  const headers = () => ({ ...dress.headers(), ...rateHeaders });
  const send = (answer: Answer, connection?: Connection) =>
    deliver(response, { ...answer, headers: { ...headers(), ...answer.headers } }, connection);
  if (act.kind === 'page') return send(pageAnswer(act.status, act.html));
  if (act.kind === 'refuse') {
    const refusal = act.refusal({ value: cue.value, model, now: Date.now() });
    if (refusal.status === 200 && call.stream) return streamRefusal(response, headers(), refusal);
    return send(dress.refuse(refusal));
  }
  const job = { call, model, cue, act };
  const streams = call.stream && (call.partialImages > 0 || act.connection?.at !== 'before');
  if (streams) return streamJob(response, headers(), context.studio, job);
  if (act.waits && !(await wait((cue.value ?? 0) * 1000, response))) return;
  const answer = await answerJob(context, job);
  await send(act.cut ? { ...answer, body: firstHalf(answer.body) } : answer, act.connection);
}

async function answerJob(context: ImageContext, job: Job): Promise<Answer> {
  const { call, act } = job;
  const items: Item[] = [];
  let shown: Pick<Picture, 'width' | 'height' | 'format'> = call;
  for (let index = 0; index < delivered(job) && act.list === undefined; index++) {
    const picture = await makePicture(context.studio, job, index);
    const fields = { seed: picture.seed };
    if (call.delivery === 'b64_json') items.push({ base64: base64Of(picture.bytes), fields });
    else items.push({ fields: { url: await linkTo(context, picture, { ...job, at: Date.now() }), ...fields } });
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
