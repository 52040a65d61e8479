import type { ImageContext } from '../exchange.ts';
import { linkTo } from '../links.ts';
import { delivered, makePicture } from '../pictures.ts';
import { courseOf, type State, type Task } from './task.ts';

const MIN_LOOK_MS = 50;
const MAX_LOOK_MS = 1000;

/** A job as its caller and its webhook see it: pictures once it succeeded, an error where it went wrong. */
export async function describeTask(context: ImageContext, task: Task, state: State, now: number): Promise<object> {
  const { status, progress, ended, endsAt } = state;
  const { end } = courseOf(task);
  return {
    id: task.id,
    status,
    progress,
    created_at: new Date(task.at).toISOString(),
    poll_url: `${context.url}/tasks/${task.id}`,
    ...(!ended && { retry_after_ms: Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, Math.ceil(endsAt - now))) }),
    ...(status === 'succeeded' && task.act.list !== 'absent' && { output: await outputOf(context, task) }),
    ...(status === end.status && 'code' in end && { error: { code: end.code, message: end.message } }),
    ...(task.canceled && { billed: task.canceled.billed }),
  };
}

async function outputOf(context: ImageContext, task: Task): Promise<readonly object[]> {
  if (task.act.list === 'empty') return [];
  const output: object[] = [];
  for (let index = 0; index < delivered(task); index++) {
    const picture = await makePicture(context.studio, task, index);
    const { bytes, seed } = picture;
    if (task.call.delivery === 'b64_json') output.push({ b64_json: bytes.toString('base64'), seed });
    else output.push({ url: await linkTo(context, picture, { ...task, token: `${task.id}-${index}` }), seed });
  }
  return output;
}
