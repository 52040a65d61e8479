import { randomBytes } from 'node:crypto';
import type { PictureAct } from '../faults/fault.ts';
import { type Cue, textOf } from '../faults/script.ts';
import type { ImageCall } from '../wire/call.ts';
import { type Course, TASK_WORDS, type TaskFault } from './behaviours.ts';

/** A job that was accepted and charged. What becomes of it when follows from this alone, so a restart changes nothing. */
export interface Task {
  readonly id: string;
  /** When it was accepted; milliseconds since the epoch, like every time here. */
  readonly at: number;
  /** As it stands on the bill. */
  readonly model: string;
  readonly cue: Cue<TaskFault>;
  readonly act: PictureAct;
  readonly call: ImageCall;
  /** Pictures charged at the submit. */
  readonly charged: number;
  readonly webhookUrl?: string;
  /** Absent for a job of the sandbox's own API. */
  readonly imitation?: Imitation;
  readonly canceled?: { readonly at: number; readonly billed: boolean };
  /** Its webhook was sent, or was about to be when the process ended. */
  readonly told?: true;
}

/** Whose manner a job is played in; what that protocol's answers say again later is in `data`. */
export interface Imitation {
  readonly protocol: string;
  /** The path of the protocol as the job's caller addressed it, such as `/fault/ok/bfl`. */
  readonly path: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Status =
  | 'queued'
  | 'cold_start'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'moderated'
  | 'canceled'
  /** It ended and can no longer be looked up. */
  | 'gone';

export interface State {
  readonly status: Status;
  /** 0 to 100. */
  readonly progress: number;
  readonly ended: boolean;
  /** When it ends, or ended; Infinity for a job that never does. */
  readonly endsAt: number;
}

export function newTaskId(): string {
  return `job_${randomBytes(12).toString('hex')}`;
}

export function courseOf({ cue }: Task): Course {
  return cue.fault.course(cue.value);
}

/** Where a job is at `now`. */
export function stateOf(task: Task, now: number): State {
  if (task.canceled) {
    const { progress } = stateOf({ ...withoutCancel(task) }, task.canceled.at);
    return { status: 'canceled', progress, ended: true, endsAt: task.canceled.at };
  }
  const { waits, runsMs, end } = courseOf(task);
  const startsAt = task.at + (waits?.ms ?? 0);
  const endsAt = startsAt + runsMs;
  if (now >= endsAt)
    return { status: end.status, progress: end.status === 'succeeded' ? 100 : 99, ended: true, endsAt };
  if (waits && now < startsAt) return { status: waits.as, progress: 0, ended: false, endsAt };
  return { status: 'running', progress: shareDone(now - startsAt, runsMs), ended: false, endsAt };
}

function withoutCancel({ canceled: _canceled, ...task }: Task): Task {
  return task;
}

function shareDone(ranMs: number, runsMs: number): number {
  if (runsMs === Number.POSITIVE_INFINITY) return 50;
  return Math.min(99, Math.max(0, Math.floor((100 * ranMs) / runsMs)));
}

/** A task as a line of the book: its cue as text, and without the bytes of references, which no picture needs. */
export interface Stored extends Omit<Task, 'cue' | 'act' | 'call'> {
  readonly cue: string;
  readonly call: Omit<ImageCall, 'references'>;
}

export function stored({ cue, act: _act, call: { references: _references, ...call }, ...task }: Task): Stored {
  return { ...task, cue: textOf(cue), call };
}

/** Undefined when this version knows no such fault. */
export function restored({ cue: text, call, ...task }: Stored): Task | undefined {
  const [name = '', value] = text.split(':');
  const fault = TASK_WORDS.faults.get(name);
  if (fault?.act.kind !== 'pictures') return undefined;
  const cue = { fault, value: value === undefined ? undefined : Number(value) };
  return { ...task, cue, act: fault.act, call: { ...call, references: [] } };
}
