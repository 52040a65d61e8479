import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  DEFAULT_MODEL,
  type Draft,
  draftOf,
  isForm,
  keptPrompt,
  placeOf,
  readFields,
  readName,
  takeCue,
  withRefusals,
} from '../accept.ts';
import type { ImageContext } from '../exchange.ts';
import { madeBy } from '../faults/fault.ts';
import { type Cue, readCues, withoutPrefix } from '../faults/script.ts';
import type { Uploads } from '../uploads.ts';
import { jsonAnswer, openAiHeaders, pageAnswer, RefusedError, refusalAnswer } from '../wire/answer.ts';
import { type Fields, readBody } from '../wire/body.ts';
import { type ImageCall, readCall } from '../wire/call.ts';
import { deliver, firstHalf } from '../wire/deliver.ts';
import { TASK_WORDS, type TaskFault } from './behaviours.ts';
import { describeTask } from './describe.ts';
import { newTaskId, stateOf, type Task } from './task.ts';
import type { Tasks } from './tasks.ts';

/** What a request about a job is answered with. */
export interface TaskContext extends ImageContext {
  readonly tasks: Tasks;
  readonly uploads: Uploads;
}

/** Models of jobs stand on the bill under this prefix, apart from those of the Images API. */
const BILL_PREFIX = 'sandbox-task/';

interface Accepted {
  readonly cue: Cue<TaskFault>;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent where the cue refuses. */
  readonly task?: Task;
}

/** Answers `POST /tasks`: the charge and the job are written before a byte of the answer. */
export async function submitTask(
  context: TaskContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<undefined> {
  const startedAt = performance.now();
  const body = await readBody(request);
  const form = isForm(request.headers['content-type'] ?? '');
  const draft = draftOf(form ? 'edit' : 'generate');
  const accepted = await withRefusals(context.ledger, draft, () => accept(context, request, response, body, draft));
  const { act } = accepted.cue.fault;
  const answer = await answerOf(context, accepted);
  const sent = { ...answer, headers: { ...openAiHeaders(startedAt), ...accepted.headers, ...answer.headers } };
  if (act.kind !== 'pictures') await deliver(response, sent);
  else await deliver(response, act.cut ? { ...sent, body: firstHalf(sent.body) } : sent, act.connection);
  return undefined;
}

async function accept(
  context: TaskContext,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  draft: Draft,
): Promise<Accepted> {
  const fields = await readFields(body, request.headers['content-type'] ?? '', draft.operation);
  const name = readName(fields, 'model') ?? DEFAULT_MODEL;
  draft.model = `${BILL_PREFIX}${withoutPrefix(name, TASK_WORDS)}`;
  const call = readTaskCall(draft.operation, fields);
  draft.prompt = keptPrompt(call.prompt);
  const webhookUrl = readWebhookUrl(fields);
  const script = readCues(TASK_WORDS, name, readName(fields, 'fault'));
  const place = placeOf(request.headers.authorization, draft.model, script, call.prompt);
  const { leave, headers } = admit(context, draft.model, call.n);
  const cue = takeCue(context.ledger, script, place, draft, call.n);
  const { act } = cue.fault;
  const common = { cue, model: draft.model, headers };
  if (act.kind !== 'pictures') {
    if (response.closed) leave();
    else response.once('close', leave);
    return common;
  }
  const charged = madeBy(cue.fault, call.n);
  const made = { id: newTaskId(), at: Date.now(), model: draft.model, cue, act, call, charged };
  const task: Task = { ...made, ...(webhookUrl !== undefined && { webhookUrl }) };
  context.tasks.add(task, leave);
  return { ...common, task };
}

/** The fields of an image request; a job's pictures are links unless base64 is asked for, and it never streams. */
function readTaskCall(operation: ImageCall['operation'], { values, files }: Fields): ImageCall {
  const { response_format = 'url', stream: _stream, ...rest } = values;
  return readCall(operation, { values: { ...rest, response_format }, files });
}

function readWebhookUrl(fields: Fields): string | undefined {
  const url = readName(fields, 'webhook_url');
  if (url === undefined) return undefined;
  if (URL.canParse(url) && /^https?:$/u.test(new URL(url).protocol)) return url;
  const message = `Invalid 'webhook_url': expected an http or https URL, but got '${url.slice(0, 100)}'.`;
  throw new RefusedError({ status: 400, param: 'webhook_url', code: 'invalid_value', message });
}

/** A job is in the concurrency until it ends, not only while its submit is answered. */
function admit({ tasks, limiter }: TaskContext, model: string, images: number) {
  if (!tasks.makeRoom(Date.now())) {
    const message = 'Too many jobs are open in this sandbox; cancel some, or wait until they end.';
    throw new RefusedError({ status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', message });
  }
  const admission = limiter.admit(model, { images }, performance.now());
  if (!admission.admitted) throw new RefusedError(admission.refusal);
  return admission;
}

async function answerOf(context: TaskContext, { cue, task, model }: Accepted) {
  const { act } = cue.fault;
  if (act.kind === 'page') return pageAnswer(act.status, act.html);
  if (act.kind === 'refuse') return refusalAnswer(act.refusal({ value: cue.value, model, now: Date.now() }));
  if (!task) throw new Error('what is not refused is a job');
  return jsonAnswer(202, await describeTask(context, task, stateOf(task, task.at), task.at));
}
