import type { Argument, Fault, PictureAct } from '../faults/fault.ts';
import { FAULTS, type Vocabulary } from '../faults/script.ts';

/** One way for a job to go, chosen by its name where a model's name would stand. */
export interface TaskFault extends Fault {
  /** What an accepted job goes through; `seconds` is the fault's argument. */
  readonly course: (seconds: number | undefined) => Course;
}

/** What a job goes through until it ends. */
export interface Course {
  readonly waits?: { readonly as: 'queued' | 'cold_start'; readonly ms: number };
  /** Infinity never ends. */
  readonly runsMs: number;
  readonly end: End;
  readonly quirk?: 'no webhook' | 'every other look answers 500';
}

export type End =
  | { readonly status: 'succeeded' }
  | { readonly status: 'failed' | 'moderated'; readonly code: string; readonly message: string }
  /** Nobody knows the job any more. */
  | { readonly status: 'gone' };

const QUICK_MS = 100;
const WARM_MS = 200;
const MAX_SECONDS = 3600;
const PICTURES: PictureAct = { kind: 'pictures' };
const SUCCEEDED: End = { status: 'succeeded' };

function seconds(example: number, required = true): Argument {
  return { unit: 'seconds', required, maximum: MAX_SECONDS, example };
}

function milliseconds(value: number | undefined): number {
  return value === undefined ? QUICK_MS : Math.max(1, Math.round(value * 1000));
}

const quick: TaskFault['course'] = () => ({ runsMs: QUICK_MS, end: SUCCEEDED });

function runsTo(end: End, quirk?: Course['quirk']): TaskFault['course'] {
  return (value) => ({ runsMs: milliseconds(value), end, ...(quirk && { quirk }) });
}

/** The faults that only a job can have. */
const OWN_FAULTS: readonly TaskFault[] = [
  {
    ...{ name: 'ok', charges: true, act: PICTURES, course: quick },
    sentence: 'The job is done after 0.1 seconds.',
  },
  {
    ...{ name: 'slow', argument: seconds(20), charges: true, act: PICTURES, course: runsTo(SUCCEEDED) },
    sentence: 'The job runs, its progress rises, and it is done after S seconds.',
  },
  {
    ...{ name: 'cold', argument: seconds(5), charges: true, act: PICTURES },
    sentence: 'The model starts for S seconds; 0.2 seconds later the job is done.',
    course: (value) => ({ waits: { as: 'cold_start', ms: milliseconds(value) }, runsMs: WARM_MS, end: SUCCEEDED }),
  },
  {
    ...{ name: 'queued', argument: seconds(5), charges: true, act: PICTURES },
    sentence: 'The job waits in a queue for S seconds; 0.1 seconds later it is done.',
    course: (value) => ({ waits: { as: 'queued', ms: milliseconds(value) }, runsMs: QUICK_MS, end: SUCCEEDED }),
  },
  {
    ...{ name: 'stuck', charges: true, act: PICTURES },
    sentence: 'The job stays at 50 percent for ever.',
    course: () => ({ runsMs: Number.POSITIVE_INFINITY, end: SUCCEEDED }),
  },
  {
    ...{ name: 'failed', argument: seconds(2, false), charges: true, act: PICTURES },
    sentence: 'The job fails after S seconds, 0.1 without a number, and is charged.',
    course: runsTo({
      ...{ status: 'failed', code: 'generation_failed' },
      message: 'The model crashed while it was working on the picture.',
    }),
  },
  {
    ...{ name: 'moderated', argument: seconds(2, false), charges: false, act: PICTURES },
    sentence: 'The prompt is blocked by moderation after S seconds, 0.1 without a number; no work was done.',
    course: runsTo({
      ...{ status: 'moderated', code: 'request_moderated' },
      message: 'The request was rejected by the safety system. safety_violations=[violence].',
    }),
  },
  {
    ...{ name: 'moderated-output', argument: seconds(2, false), charges: true, act: PICTURES },
    sentence: 'The picture is made and then blocked by moderation, after S seconds, 0.1 without a number.',
    course: runsTo({
      ...{ status: 'moderated', code: 'content_moderated' },
      message: 'The generated output was blocked by the safety system. safety_violations=[violence].',
    }),
  },
  {
    ...{ name: 'lost-webhook', argument: seconds(2), charges: true, act: PICTURES },
    sentence: 'The job is done after S seconds and its webhook is never sent.',
    course: runsTo(SUCCEEDED, 'no webhook'),
  },
  {
    ...{ name: 'submit-lost', charges: true, course: quick },
    sentence: 'Takes the job on and resets the connection before any byte of the answer: its id reaches nobody.',
    act: { kind: 'pictures', connection: { at: 'before', how: 'reset' } },
  },
  {
    ...{ name: 'poll-500', argument: seconds(2, false), charges: true, act: PICTURES },
    sentence:
      'Every other look at the job, from the first on, answers 500; done after S seconds, 0.1 without a number.',
    course: runsTo(SUCCEEDED, 'every other look answers 500'),
  },
  {
    ...{ name: 'gone', argument: seconds(1), charges: true, act: PICTURES },
    sentence: 'After S seconds nobody knows the job any more, although it is charged.',
    course: runsTo({ status: 'gone' }),
  },
  {
    ...{ name: 'corrupt', charges: true, course: quick },
    sentence: 'The job is done, and its pictures are cut off at two thirds of their bytes.',
    act: FAULTS.get('truncated')?.act ?? PICTURES,
  },
];

/** By name, what `GET /faults` lists for tasks. */
export const TASK_FAULTS: ReadonlyMap<string, TaskFault> = new Map(OWN_FAULTS.map((fault) => [fault.name, fault]));

/**
 * A job's own faults, and those of the Images API: what refuses there refuses the submit, what breaks a connection
 * breaks the submit's, and what spoils a picture spoils the job's.
 */
export const TASK_WORDS: Vocabulary<TaskFault> = {
  faults: new Map([
    ...[...FAULTS.values()].map((fault) => [fault.name, { ...fault, course: quick }] as const),
    ...TASK_FAULTS,
  ]),
  prefixes: ['sandbox-task/', 'sandbox/'],
};
