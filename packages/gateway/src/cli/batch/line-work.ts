import type { JsonObject } from '@onetake/core';
import { endOf, lostEnd, type PictureFault, refusedEnd } from './ends.ts';
import type { Intended, LineEvent, PictureFile } from './events.ts';
import type { LineProblem } from './line.ts';
import type { Action, Manifest } from './manifest.ts';
import { dollars, reserveFor } from './money.ts';
import { type AskedFor, askPatiently, type Clock, type Gate } from './patience.ts';
import { paidAttemptsOf } from './request.ts';
import type { TaskCalls, TaskView } from './task-calls.ts';

/** A line as it is sent. */
export interface LineRequest {
  readonly body: JsonObject;
  /** What one paid attempt at all its pictures costs at most; undefined is not known. */
  readonly priceMicros: number | undefined;
  /** Why the gateway would refuse it: it is not sent, unless it was sent before. */
  readonly problem?: LineProblem;
}

/** What the work on a line stands on. */
export interface WorkDeps {
  readonly manifest: Manifest;
  /** The batch's id: part of every key. */
  readonly batch: string;
  /** Undefined is no cap. */
  readonly capMicros: number | undefined;
  readonly request: (line: number) => LineRequest;
  readonly tasks: TaskCalls;
  /** Resolves when the event is on the disk. */
  readonly append: (event: LineEvent) => Promise<void>;
  /** Writes the pictures of a task as files, each whole; undefined when it was halted. Rejects when the batch must stop. */
  readonly savePictures: (
    line: number,
    task: TaskView,
    work: Pick<WorkDeps, 'clock' | 'gate' | 'halt'>,
  ) => Promise<readonly PictureFile[] | PictureFault | undefined>;
  readonly clock: Clock;
  readonly gate: Gate;
  /** Begin nothing new, finish what is in flight. */
  readonly signal: AbortSignal;
  /** Everything ends at once, as if the process had died. */
  readonly halt: AbortSignal;
  /** After every event that is on the disk. */
  readonly onEvent?: (event: LineEvent) => void;
}

/** How long a task is waited for at the gateway by one request. */
const LONG_POLL_S = 30;
/** A gateway that answers a long poll at once is not asked again at once. */
const MIN_POLL_MS = 1_000;
/** Refusals that say the request itself is wrong, whatever was sent before. */
const WRONG_REQUEST: ReadonlySet<number> = new Set([400, 413, 415]);

/** The work an action means. What it may cost is held back before this returns; undefined when it does not fit. */
export function prepare(action: Action, deps: WorkDeps): (() => Promise<void>) | undefined {
  const { line } = action;
  switch (action.kind) {
    case 'follow':
      return () => follow(line, action.task, deps);
    case 'repeat':
      return () => submit(line, action.intended, true, deps);
    case 'give-up':
      return () => lose(line, TOO_OLD, deps);
    case 'start': {
      const request = deps.request(line);
      const { problem } = request;
      if (problem) return () => record(refusedEnd(line, problem, deps.clock.now()), deps);
      const intended = intend(action, request, deps);
      if (intended === undefined) return undefined;
      deps.manifest.apply(intended);
      return async () => {
        await deps.append(intended);
        deps.onEvent?.(intended);
        await submit(line, intended, false, deps);
      };
    }
  }
}

const TOO_OLD: PictureFault = {
  code: 'key_expired',
  message: 'it was sent longer ago than the gateway remembers keys, and no answer came; look it up before repeating it',
};
const FORGOTTEN: PictureFault = {
  code: 'task_not_found',
  message: 'the gateway does not know this task any more; look it up at the provider before repeating it',
};

function intend(
  { line, key }: Extract<Action, { kind: 'start' }>,
  { body, priceMicros }: LineRequest,
  { manifest, capMicros, clock }: WorkDeps,
): Intended | undefined {
  const { charged, reservedMicros } = manifest.totals();
  const room = { capMicros, countedMicros: charged.countedMicros, reservedMicros };
  const reserve = reserveFor(priceMicros, paidAttemptsOf(body), room);
  if (reserve === undefined) return undefined;
  return {
    type: 'intended',
    line,
    at: clock.now(),
    key,
    reserved_usd: reserve.micros === undefined ? null : dollars(reserve.micros),
    ...(reserve.maxPaidAttempts !== undefined && { max_paid_attempts: reserve.maxPaidAttempts }),
  };
}

async function record(event: LineEvent, { manifest, append, onEvent }: WorkDeps): Promise<void> {
  manifest.apply(event);
  await append(event);
  onEvent?.(event);
}

/** Hands the line over to the gateway; `maybeTaken` when an earlier try may have reached it. */
async function submit(line: number, intended: Intended, maybeTaken: boolean, deps: WorkDeps): Promise<void> {
  const { body } = deps.request(line);
  let mayBeThere = maybeTaken;
  const answer = await askPatiently(() => deps.tasks.submit(body, intended, deps.halt), {
    clock: deps.clock,
    gate: deps.gate,
    signal: AbortSignal.any([deps.signal, deps.halt]),
    onSetback: ({ kind }) => {
      if (kind === 'unreachable') mayBeThere = true;
    },
  });
  if (deps.halt.aborted) return undefined;
  if (answer === undefined) {
    // Left as it is, it is repeated with its key by the next session.
    return mayBeThere ? undefined : record({ type: 'withdrawn', line, at: deps.clock.now() }, deps);
  }
  if (answer.kind === 'told') {
    await record({ type: 'accepted', line, at: deps.clock.now(), task: answer.value.id }, deps);
    return follow(line, answer.value.id, deps);
  }
  const fault = answer.kind === 'gone' ? FORGOTTEN : answer;
  const isRefused = answer.kind === 'refused' && (!mayBeThere || WRONG_REQUEST.has(answer.status));
  return isRefused ? record(refusedEnd(line, fault, deps.clock.now()), deps) : lose(line, fault, deps);
}

/** Waits for the task's end. After an interrupt one that has not begun is left to the gateway and to a resume. */
async function follow(line: number, task: string, deps: WorkDeps): Promise<void> {
  const { clock, gate, signal, halt } = deps;
  let isRunning = false;
  // Ended by the task's end, by a task that is gone, or by an interrupt.
  for (;;) {
    const leaving = signal.aborted;
    const cut = leaving ? halt : AbortSignal.any([signal, halt]);
    const waitS: number = leaving && !isRunning ? 0 : LONG_POLL_S;
    const askedAt = clock.now();
    const answer: AskedFor<TaskView> = await askPatiently(() => deps.tasks.read(task, waitS, cut), {
      clock,
      gate,
      signal: cut,
    });
    if (halt.aborted) return undefined;
    if (answer === undefined) continue;
    if (answer.kind === 'gone') return lose(line, FORGOTTEN, deps);
    if (answer.kind === 'refused') return lose(line, answer, deps);
    const { status } = answer.value;
    if (status !== 'pending' && status !== 'processing') return finish(line, answer.value, deps);
    isRunning = status === 'processing';
    if (leaving && !isRunning) return undefined;
    if (clock.now() - askedAt < MIN_POLL_MS) await clock.sleep(MIN_POLL_MS, cut);
  }
}

async function finish(line: number, task: TaskView, deps: WorkDeps): Promise<void> {
  const got = task.status === 'completed' ? await deps.savePictures(line, task, deps) : [];
  if (got === undefined || deps.halt.aborted) return;
  await record(endOf(line, task, got, deps.clock.now()), deps);
}

async function lose(line: number, { code, message }: PictureFault, deps: WorkDeps): Promise<void> {
  const { intended, task } = deps.manifest.line(line);
  await record(lostEnd(line, intended, task, { code, message }, deps.clock.now()), deps);
}
