import type { Done, Failed, Intended, PictureFile, Unknown } from './events.ts';
import type { TaskView } from './task-calls.ts';

/** Why the pictures of a finished task could not be had. */
export interface PictureFault {
  readonly code: string;
  readonly message: string;
}

const FREE = { price_usd: 0, possible_usd: 0 } as const;

/** How a line ends whose task ended: with its pictures as files, or with what came in their place. */
export function endOf(
  line: number,
  task: TaskView,
  got: readonly PictureFile[] | PictureFault,
  at: number,
): Done | Failed | Unknown {
  const told = toldBy(line, task, at);
  if (!('code' in got) && task.status === 'completed' && got.length > 0)
    return {
      type: 'done',
      ...told,
      files: got,
      missing: task.missing,
      ...(task.model !== undefined && { model: task.model }),
    };
  const { code, message, kind } = faultOf(task, got);
  const type = code === 'outcome_unknown' ? 'unknown' : 'failed';
  return { type, ...told, code, ...(kind !== undefined && { kind }), message, billed: task.billed };
}

function toldBy(line: number, { id, generation, charge }: TaskView, at: number) {
  return { line, at, task: id, ...(generation !== undefined && { generation }), charge };
}

function faultOf(task: TaskView, got: readonly PictureFile[] | PictureFault): NonNullable<TaskView['error']> {
  if ('code' in got) return got;
  if (task.status === 'completed')
    return { code: 'no_image_returned', message: 'the task is completed and holds no picture' };
  if (task.error) return task.error;
  return task.status === 'canceled'
    ? { code: 'canceled', message: 'somebody canceled the task' }
    : { code: 'failed', message: 'the gateway gave no reason' };
}

/** The gateway refused the request: nothing was spent. */
export function refusedEnd(line: number, { code, message }: PictureFault, at: number): Failed {
  return { type: 'failed', line, at, code, message, billed: 'no', charge: FREE };
}

/** Nobody can say any more what became of it; at most its reserve was spent. */
export function lostEnd(
  line: number,
  intended: Intended | undefined,
  task: string | undefined,
  why: PictureFault,
  at: number,
): Unknown {
  return {
    type: 'unknown',
    line,
    at,
    ...(task !== undefined && { task }),
    ...why,
    billed: 'maybe',
    charge: { price_usd: 0, possible_usd: intended?.reserved_usd ?? null },
  };
}
