import { type Answer, envelopeOf, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { describeTask } from './describe.ts';
import type { TaskContext } from './submit.ts';
import { courseOf, type State, stateOf, type Task } from './task.ts';

const CANCEL = '/cancel';

/** Answers `GET /tasks/{id}`. */
export async function getTask(context: TaskContext, id: string): Promise<Answer> {
  const now = Date.now();
  const { task, state } = find(context, id, now);
  const flaky = courseOf(task).quirk === 'every other look answers 500';
  if (flaky && context.tasks.countLook(id) % 2 === 1) return lookFailed(id);
  return jsonAnswer(200, await describeTask(context, task, state, now));
}

/** Answers `POST /tasks/{id}/cancel`, in one turn of the event loop; asked again, it says the same. */
export function cancelTask(context: TaskContext, path: string): Answer {
  if (!path.endsWith(CANCEL)) {
    const message = `Unknown request URL: POST /tasks/${path}. There are: POST /tasks, POST /tasks/{id}${CANCEL}.`;
    throw new RefusedError({ status: 404, code: 'unknown_url', message });
  }
  const now = Date.now();
  const { task, state } = find(context, path.slice(0, -CANCEL.length), now);
  const { id } = task;
  if (state.ended && !task.canceled) {
    const message = `The job has ended (${state.status}) and cannot be canceled.`;
    return jsonAnswer(409, { id, status: state.status, ...envelopeOf({ message, code: 'job_ended' }) });
  }
  const { canceled } = task.canceled ? task : context.tasks.cancel(task, now);
  return jsonAnswer(200, { id, status: 'canceled', billed: canceled?.billed ?? false });
}

function find({ tasks }: TaskContext, id: string, now: number): { task: Task; state: State } {
  const known = tasks.get(id);
  const task = known?.imitation ? undefined : known;
  const state = task && stateOf(task, now);
  if (state && state.status !== 'gone') return { task, state };
  const message = `No job is named '${id.slice(0, 100)}'; the oldest ended jobs are forgotten first.`;
  throw new RefusedError({ status: 404, code: 'job_not_found', message });
}

/** An error that names the job speaks of the look at it; the job goes on. */
function lookFailed(id: string): Answer {
  const message = 'The server had an error while looking the job up. Sorry about that! You can retry your request.';
  return jsonAnswer(500, { id, ...envelopeOf({ message, type: 'server_error' }) });
}
