import { randomUUID } from 'node:crypto';
import { placeOf, takeCue } from '../accept.ts';
import type { ImageContext } from '../exchange.ts';
import { madeBy } from '../faults/fault.ts';
import { delivered } from '../pictures.ts';
import type { TaskContext } from '../tasks/submit.ts';
import { courseOf, type Imitation, type State, stateOf, type Task } from '../tasks/task.ts';
import type { Letter } from '../tasks/webhook.ts';
import { wait } from '../wait.ts';
import { type Answer, pageAnswer, RefusedError } from '../wire/answer.ts';
import { callOf, draftFor, type PictureOrder } from './orders.ts';
import { brokenOff, paintedPicture } from './paint.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall } from './protocol.ts';
import { reasoned } from './routing.ts';
import type { JobView, PaintedPicture } from './views.ts';
import { jobScript } from './words.ts';

export type { JobView } from './views.ts';

/** What an order for a job has beside the pictures. */
export interface JobOrder extends PictureOrder {
  readonly webhookUrl?: string;
  /** Plain JSON that the protocol's answers say again later. */
  readonly data?: Readonly<Record<string, unknown>>;
}

const POLL_FAILED = { status: 500, reason: 'server', message: 'The look at the job failed; the job goes on.' } as const;
const STEP_MS = 25;

/**
 * Takes a job on: admits it, takes the cue, writes charge and job, then answers with `write`, or plays what goes wrong
 * with the submit. What refuses throws, for the protocol's `refuse`. `write` is not called for a page of a proxy.
 */
export async function startJob(
  call: ProtocolCall,
  order: JobOrder,
  write: (job: JobView) => Answer | Promise<Answer>,
): Promise<ProtocolAnswer | undefined> {
  const { protocol, context, response } = call;
  const { webhookUrl, data = {}, ...pictures } = order;
  const image = callOf(pictures);
  const draft = draftFor(call, pictures, image);
  const script = jobScript(protocol, call.script);
  const leave = admitJob(context, draft.model, image.n);
  const place = placeOf(call.key, draft.model, script, order.prompt);
  const cue = takeCue(context.ledger, script, place, draft, image.n);
  call.bill.written = true;

  const { act } = cue.fault;
  if (act.kind !== 'pictures') {
    if (response.closed) leave();
    else response.once('close', leave);
    if (act.kind === 'page') return pageAnswer(act.status, act.html);
    throw new RefusedError(reasoned(act.refusal({ value: cue.value, model: order.model, now: Date.now() })));
  }
  const imitation: Imitation = { protocol: protocol.name, path: call.basePath, data };
  const made = { id: protocol.jobs?.newId?.() ?? randomUUID(), at: Date.now(), model: draft.model, cue, act };
  const charged = madeBy(cue.fault, image.n);
  const task: Task = { ...made, call: image, charged, imitation, ...(webhookUrl !== undefined && { webhookUrl }) };
  context.tasks.add(task, leave);
  return brokenOff(await write(viewOf(call, task, stateOf(task, task.at))), act);
}

/** A job is in the concurrency until it ends, not only while its submit is answered. */
function admitJob({ tasks, limiter }: TaskContext, model: string, images: number): () => void {
  if (!tasks.makeRoom(Date.now())) {
    const message = 'Too many jobs are open in this sandbox; cancel some, or wait until they end.';
    throw new RefusedError({ status: 429, reason: 'concurrency', message });
  }
  const admission = limiter.admit(model, { images }, performance.now());
  if (!admission.admitted) throw new RefusedError(reasoned(admission.refusal));
  return admission.leave;
}

/** Looks a job up; undefined where nobody knows it, or not any more. Throws a 500 where the look is to fail. */
export function jobOf(call: ProtocolCall, id: string): JobView | undefined {
  const found = findJob(call, id);
  if (!found) return undefined;
  const flaky = courseOf(found.task).quirk === 'every other look answers 500';
  if (flaky && call.context.tasks.countLook(id) % 2 === 1) throw new RefusedError(POLL_FAILED);
  return viewOf(call, found.task, found.state);
}

const MAX_LISTED = 1000;

/** The jobs that have not ended, oldest first, at most the latest 1000. */
export function openJobsOf(call: ProtocolCall): readonly JobView[] {
  const now = Date.now();
  const views: JobView[] = [];
  for (const task of call.context.tasks.all()) {
    const state = stateOf(task, now);
    if (task.imitation?.protocol === call.protocol.name && !state.ended) views.push(viewOf(call, task, state));
  }
  return views.slice(-MAX_LISTED);
}

/** Waits until the job has ended, at most `ms`; undefined where nobody knows it, or the caller has left. */
export async function settledJob(call: ProtocolCall, id: string, ms: number): Promise<JobView | undefined> {
  const until = performance.now() + ms;
  for (;;) {
    const left = until - performance.now();
    const found = findJob(call, id);
    if (!found) return undefined;
    if (found.state.ended || left <= 0) return viewOf(call, found.task, found.state);
    if (!(await wait(Math.min(STEP_MS, left), call.response))) return undefined;
  }
}

/** Gives a job up and returns it as it is then; one that has ended is left as it is. */
export function cancelJob(call: ProtocolCall, id: string): JobView | undefined {
  const now = Date.now();
  const found = findJob(call, id);
  if (!found || found.state.ended) return found && viewOf(call, found.task, found.state);
  const { cancelBills = 'begun' } = call.protocol.jobs ?? {};
  const billed = cancelBills === 'begun' ? found.state.status === 'running' : cancelBills === 'always';
  const task = call.context.tasks.cancel(found.task, now, billed);
  return viewOf(call, task, stateOf(task, now));
}

function findJob({ context, protocol }: ProtocolCall, id: string): { task: Task; state: State } | undefined {
  const task = context.tasks.get(id);
  if (task?.imitation?.protocol !== protocol.name) return undefined;
  const state = stateOf(task, Date.now());
  return state.status === 'gone' ? undefined : { task, state };
}

/** Writes a job's webhook in the words of its protocol. */
export async function writeImitatedLetter(
  protocols: readonly Protocol[],
  context: ImageContext,
  task: Task,
  state: State,
): Promise<Letter> {
  const protocol = protocols.find(({ name }) => name === task.imitation?.protocol);
  if (!protocol?.jobs?.letter) throw new Error(`no webhook is known for the job ${task.id}`);
  const base = `${context.url}${task.imitation?.path}`;
  return protocol.jobs.letter(viewOf({ context, protocol, base }, task, state));
}

interface Viewer {
  readonly context: ImageContext;
  readonly protocol: Protocol;
  readonly base: string;
}

function viewOf({ context, protocol, base }: Viewer, task: Task, { status, progress, ended, endsAt }: State): JobView {
  const { end } = courseOf(task);
  if (status === 'gone') throw new Error('a job that is gone has no view');
  const at = { base, status, progress, ended, createdAt: task.at, endsAt };
  const failed = status === end.status && 'code' in end;
  return {
    ...{ id: task.id, model: task.model.slice(protocol.name.length + 1), call: task.call, ...at },
    data: task.imitation?.data ?? {},
    ...(task.canceled && { billed: task.canceled.billed }),
    ...(failed && { error: { code: end.code, message: end.message } }),
    ...(failed && status === 'moderated' && { stage: end.code === 'content_moderated' ? 'output' : 'input' }),
    flagged: task.act.flagged === true,
    charged: task.charged,
    async pictures() {
      if (status !== 'succeeded' || task.act.list === 'absent') return undefined;
      const count = task.act.list === 'empty' ? 0 : delivered(task);
      const job = { ...task, model: task.model.slice(protocol.name.length + 1) };
      const made: PaintedPicture[] = [];
      for (let index = 0; index < count; index++) {
        made.push(await paintedPicture({ context, protocol }, job, index, endsAt, `${task.id}-${index}`));
      }
      return made;
    },
  };
}
