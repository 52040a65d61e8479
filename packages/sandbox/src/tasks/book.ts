import { join } from 'node:path';
import { openJsonLines } from '../json-lines.ts';
import { restored, type Stored, stateOf, stored, type Task } from './task.ts';

export interface TaskBookLimits {
  readonly lines: number;
  readonly bytes: number;
}

export const TASK_BOOK_LIMITS: TaskBookLimits = { lines: 100_000, bytes: 128 * 1024 * 1024 };

/** The jobs that were accepted. What changes one returns when it is written, so that a kill does not undo it. */
export interface TaskBook {
  get(id: string): Task | undefined;
  all(): Iterable<Task>;
  /** Forgets the oldest ended jobs where there are too many; false when the open ones alone are too many. */
  makeRoom(now: number): boolean;
  add(task: Task): void;
  cancel(id: string, canceled: NonNullable<Task['canceled']>): Task | undefined;
  /** Marks a webhook as sent. */
  tell(id: string): void;
  /** The job canceled last whose charge was to be taken back. */
  lastRefund(): Task | undefined;
  /** Counts the looks at a job, from 1, since the process began. */
  countLook(id: string): number;
  forget(): void;
  close(): void;
}

type Line =
  | { readonly job: Stored }
  | { readonly id: string; readonly canceled: NonNullable<Task['canceled']> }
  | { readonly id: string; readonly told: true };

/** What a line has around a job: `{"job":` and `}` and its end. */
const LINE_FRAME_BYTES = 9;

interface Kept {
  task: Task;
  looks: number;
}

/**
 * Jobs in `tasks.jsonl` under `dataDir`: a line when one is accepted, canceled or told of, rewritten to a line a job
 * when they are over 100,000 or 128 MiB, and then half of that is free for new ones.
 */
export function openTaskBook(dataDir: string, limits = TASK_BOOK_LIMITS): TaskBook {
  const kept = new Map<string, Kept>();
  let lines = 0;
  let lastRefund: string | undefined;

  const take = (line: Line) => {
    lines++;
    if ('job' in line) {
      const task = restored(line.job);
      if (task) kept.set(task.id, { task, looks: 0 });
      return;
    }
    const one = kept.get(line.id);
    if (!one) return;
    if ('canceled' in line) {
      one.task = { ...one.task, canceled: line.canceled };
      if (one.task.charged > 0 && !line.canceled.billed) lastRefund = line.id;
    } else one.task = { ...one.task, told: true };
  };
  const file = openJsonLines(join(dataDir, 'tasks.jsonl'), (line) => take(line as Line));
  const write = (line: Line) => {
    file.append(line);
    take(line);
  };
  const halfFull = () => kept.size >= limits.lines / 2 || file.size >= limits.bytes / 2;

  return {
    get: (id) => kept.get(id)?.task,
    *all() {
      for (const { task } of kept.values()) yield task;
    },
    makeRoom(now) {
      if (lines < limits.lines && file.size < limits.bytes) return true;
      const jobs = keepNewest(kept, limits, now);
      file.replace(jobs);
      lines = jobs.length;
      return !halfFull();
    },
    add: (task) => write({ job: stored(task) }),
    cancel(id, canceled) {
      write({ id, canceled });
      return kept.get(id)?.task;
    },
    tell: (id) => write({ id, told: true }),
    lastRefund: () => (lastRefund === undefined ? undefined : kept.get(lastRefund)?.task),
    countLook(id) {
      const one = kept.get(id);
      return one ? ++one.looks : 0;
    },
    forget() {
      file.clear();
      kept.clear();
      lines = 0;
      lastRefund = undefined;
    },
    close: () => file.close(),
  };
}

/** Removes the oldest ended jobs until what is left takes less than half of the limits; returns the lines of the rest. */
function keepNewest(kept: Map<string, Kept>, limits: TaskBookLimits, now: number): Line[] {
  const newestFirst = [...kept.values()].reverse().map(({ task }) => task);
  const open = newestFirst.filter((task) => !stateOf(task, now).ended);
  const ended = newestFirst.filter((task) => stateOf(task, now).ended);
  let left = { lines: limits.lines / 2, bytes: limits.bytes / 2 };
  for (const task of [...open, ...ended]) {
    left = { lines: left.lines - 1, bytes: left.bytes - bytesOf(task) };
    if ((left.lines <= 0 || left.bytes <= 0) && stateOf(task, now).ended) kept.delete(task.id);
  }
  return [...kept.values()].map(({ task }) => ({ job: stored(task) }));
}

function bytesOf(task: Task): number {
  return Buffer.byteLength(JSON.stringify(stored(task))) + LINE_FRAME_BYTES;
}
