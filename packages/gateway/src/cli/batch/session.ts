import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliContext } from '../context.ts';
import { CliError, EXIT, messageOf } from '../exit.ts';
import { writeAtomically } from '../picture-file.ts';
import type { Reached } from '../reach.ts';
import { type DriverResult, drive } from './driver.ts';
import type { LineEvent } from './events.ts';
import type { OpenBatch } from './folder.ts';
import type { InputLine } from './line.ts';
import type { LineRequest } from './line-work.ts';
import {
  foldBatch,
  type LineState,
  type Manifest,
  newLine,
  nextAction,
  type Selection,
  unusableLine,
} from './manifest.ts';
import { askModels, type Models, picturePrice } from './model-facts.ts';
import { micros } from './money.ts';
import type { Clock } from './patience.ts';
import { pictureSaver } from './pictures.ts';
import { showProgress } from './progress.ts';
import { exitCodeFor, failedLines, type Report, reportOf, startOf } from './report.ts';
import { bodyOf, picturesOf } from './request.ts';
import { taskCalls } from './task-calls.ts';

export interface SessionOptions {
  readonly selection: Selection;
  /** Null is no cap. */
  readonly capUsd: number | null;
  readonly concurrency: number;
  readonly json: boolean;
}

export interface SessionResult {
  readonly report: Report;
  readonly exitCode: number;
  /** Why it ended before its time. */
  readonly stopped?: unknown;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // An abort ends the wait; it is no fault.
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
};

/** One process at work on a batch, from its journal to its report. */
export async function runSession(
  context: CliContext,
  open: OpenBatch,
  gateway: Reached,
  options: SessionOptions,
): Promise<SessionResult> {
  const { journal, batch, lines } = open;
  const sessionStartedAt = Date.now();
  const manifest = manifestOf(open);
  const models = await askModels(gateway, wantedModels(open, manifest, options.selection), context.signal);
  const inputs = new Map(lines.map((line) => [line.line, line]));
  const request = (line: number) => requestOf(inputs.get(line), open, models);
  if (options.capUsd !== null) checkCap(manifest, options, batch.id, request);
  await journal.append({ type: 'session', at: sessionStartedAt, max_cost_usd: options.capUsd });

  const tasks = taskCalls(gateway);
  const progress = showProgress(context, manifest, options.json);
  const result = await drive({
    batch: batch.id,
    manifest,
    selection: options.selection,
    capMicros: options.capUsd === null ? undefined : micros(options.capUsd),
    concurrency: options.concurrency,
    request,
    tasks,
    append: (event) => journal.append(event),
    savePictures: pictureSaver(open.directory, lines.at(-1)?.line ?? 0, tasks),
    clock: systemClock,
    signal: context.signal,
    onEvent: (event: LineEvent) => progress.event(event),
  }).finally(() => progress.stop());

  const report = reportOf(manifest, {
    batch: batch.id,
    endedBy: endedBy(result, manifest, context.signal),
    capUsd: options.capUsd,
    startedAt: startOf(open.events, sessionStartedAt),
    sessionStartedAt,
    now: Date.now(),
  });
  await writeReport(open, manifest, report, result.stopped);
  return { report, exitCode: exitCodeFor(report), ...(result.stopped !== undefined && { stopped: result.stopped }) };
}

/** The lines of an open batch as its journal leaves them. Throws a `CliError` for a journal that contradicts itself. */
export function manifestOf({
  lines,
  events,
  batch,
  directory,
}: Pick<OpenBatch, 'lines' | 'events' | 'batch' | 'directory'>): Manifest {
  const at = Date.parse(batch.created);
  const states: readonly LineState[] = lines.map(({ line, problem }) =>
    problem ? unusableLine(line, problem, at) : newLine(line),
  );
  try {
    return foldBatch(
      states,
      events.filter((event) => event.type !== 'session'),
    );
  } catch (error) {
    throw new CliError(`${directory}: its journal is damaged (${messageOf(error)}); begin a new batch elsewhere`);
  }
}

/** Only the models of lines that may still be sent are asked about. */
function wantedModels({ batch, lines }: OpenBatch, manifest: Manifest, selection: Selection): ReadonlySet<string> {
  const wanted = lines.filter(({ line, problem }) => {
    const kind = problem ? undefined : nextAction(manifest.line(line), batch.id, selection, Date.now())?.kind;
    return kind === 'start';
  });
  return new Set(wanted.map((line) => String(bodyOf(line, batch.fields).model)));
}

function requestOf(line: InputLine | undefined, { batch }: OpenBatch, models: Models): LineRequest {
  if (line === undefined) throw new Error('a line that the batch does not have was asked for');
  const body = bodyOf(line, batch.fields);
  const facts = models.get(String(body.model));
  if (facts && 'code' in facts) return { body, priceMicros: undefined, problem: facts };
  const price = facts && picturePrice(facts.price, body)?.highUsd;
  return { body, priceMicros: price === undefined ? undefined : micros(price) * picturesOf(body) };
}

/** A cap needs to know what everything costs, before and after. */
function checkCap(
  manifest: Manifest,
  { selection }: SessionOptions,
  batch: string,
  request: (line: number) => LineRequest,
): void {
  const { charged } = manifest.totals();
  if (charged.unpriced > 0)
    throw new CliError(
      `--max-cost: ${charged.unpriced} earlier charges have no known price, so a cap could not be kept; leave it out`,
      EXIT.usage,
    );
  const now = Date.now();
  for (const state of manifest.lines()) {
    if (nextAction(state, batch, selection, now)?.kind !== 'start') continue;
    const { priceMicros, problem, body } = request(state.line);
    if (priceMicros === undefined && problem === undefined) throw noPrice(String(body.model));
  }
}

/** Why a model cannot be held to a cap. */
export function noPrice(model: string): CliError {
  const message = `--max-cost: nobody here knows in advance what a picture of ${model} costs, so a cap could not be kept; leave it out, or use a model with a price per picture`;
  return new CliError(message, EXIT.usage);
}

function endedBy({ capped, stopped }: DriverResult, manifest: Manifest, signal: AbortSignal): Report['ended_by'] {
  const { lines } = manifest.totals();
  if (signal.aborted && lines.pending + lines.sent + lines.accepted > 0) return 'interrupt';
  if (stopped !== undefined) return 'error';
  return capped ? 'cap' : 'done';
}

/** What stopped the batch, such as a full disk, may stop its report as well; the first is the one to tell. */
async function writeReport(open: OpenBatch, manifest: Manifest, report: Report, stopped: unknown): Promise<void> {
  try {
    const failed = Buffer.from([...failedLines(manifest, open.lines)].join(''));
    await writeAtomically(join(open.directory, 'failed.jsonl'), failed);
    await writeAtomically(
      join(open.directory, 'report.json'),
      Buffer.from(`${JSON.stringify(report, undefined, 2)}\n`),
    );
  } catch (error) {
    if (stopped === undefined) throw error;
  }
}
