import type { Io } from '@onetake/core';
import type { Store } from '../store/store.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { Batch } from './batch.ts';
import { BATCH_SCOPE, type BeginLineDeps, beginLine, lineKey, pause } from './begin-line.ts';
import type { Ends } from './ends.ts';
import type { Held } from './held.ts';
import { type LineLog, type LineRecord, openLineLog, readLineLog } from './line-log.ts';
import { readLines, type TextLine } from './read-lines.ts';
import { MAX_LINE_BYTES, readRequestLine } from './request-line.ts';
import { createTally, type Tally } from './tally.ts';

export interface RunLinesDeps extends BeginLineDeps {
  readonly store: Pick<Store, 'findIdempotent'>;
  readonly tasks: Pick<Tasks, 'cancel'>;
  readonly ends: Ends;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** Tasks of one batch that are open at once. */
  readonly lookahead: number;
}

export interface LinePaths {
  readonly input: string;
  /** What its lines became, of pictures. */
  readonly log: string;
  /** What was answered to them, of chat. */
  readonly answers: string;
}

/** Begun together and written down together, so that a crash leaves at most so many that are in the store alone. */
const CHUNK_LINES = 32;
const ASK_AGAIN_MS = 10_000;

/** The lines of one batch while they run. */
interface Lines {
  readonly tally: Tally;
  readonly log: LineLog;
  /** Tasks that are not over, with their lines' index. */
  readonly open: Map<string, number>;
  readonly track: (record: LineRecord) => void;
  /** Resolves at the next end of a task, or when the batch ends or is let go. */
  readonly nextEnd: () => Promise<void>;
}

/**
 * Brings every line to its end, or leaves when the batch is let go. What is begun is in the log before more is begun.
 * `onProgress` is told how far it is, before the first line.
 */
export async function runLines(
  held: Held,
  paths: LinePaths,
  deps: RunLinesDeps,
  onProgress: (progress: () => Partial<Batch>) => void,
): Promise<void> {
  const tally = createTally(held.batch());
  onProgress(() => ({ counts: tally.counts(), settled: tally.settled() }));
  const log = await openLineLog(paths.log);
  const watching = new Map<string, () => void>();
  try {
    const lines = openLines(held, log, tally, watching, deps);
    for await (const record of readLineLog(paths.log, tally.settled().lines)) lines.track(record);
    await beginLines(held, paths, lines, deps);
    if (held.ending.aborted) await endLines(held, lines, deps);
    while (lines.open.size > 0 && !held.leaving.aborted) await waitAndEnd(held, lines, deps);
  } finally {
    for (const unwatch of watching.values()) unwatch();
    await log.close();
  }
}

function openLines(
  held: Held,
  log: LineLog,
  tally: Tally,
  watching: Map<string, () => void>,
  { ends }: RunLinesDeps,
): Lines {
  const open = new Map<string, number>();
  let wake = () => {};
  for (const signal of [held.ending, held.leaving]) signal.addEventListener('abort', () => wake(), { once: true });

  function track(record: LineRecord): void {
    const { index } = record;
    if (index < tally.settled().lines) return;
    if ('task' in record) watch(record.task, index);
    else tally.settle(index, false);
  }

  function watch(task: string, index: number): void {
    open.set(task, index);
    const unwatch = ends.watch(task, (completed) => {
      open.delete(task);
      watching.delete(task);
      tally.settle(index, completed);
      wake();
    });
    watching.set(task, unwatch);
  }

  const nextEnd = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  return { tally, log, open, track, nextEnd };
}

async function beginLines(held: Held, { input }: LinePaths, lines: Lines, deps: RunLinesDeps): Promise<void> {
  const chunk: TextLine[] = [];
  const isStopped = () => held.ending.aborted || held.leaving.aborted;
  for await (const line of readLines(input, MAX_LINE_BYTES)) {
    if (line.index < lines.log.length()) continue;
    chunk.push(line);
    while (!isStopped() && lines.open.size >= deps.lookahead) await lines.nextEnd();
    if (isStopped()) return;
    if (chunk.length < Math.min(CHUNK_LINES, deps.lookahead - lines.open.size)) continue;
    await beginChunk(held, chunk.splice(0), lines, deps);
  }
  if (!isStopped() && chunk.length > 0) await beginChunk(held, chunk, lines, deps);
}

async function beginChunk(held: Held, chunk: readonly TextLine[], lines: Lines, deps: RunLinesDeps): Promise<void> {
  const batch = held.batch();
  const stopped = AbortSignal.any([held.ending, held.leaving]);
  const records = await Promise.all(
    chunk.map((line) => {
      const read = readRequestLine(line, batch.endpoint);
      // It was read once, and nobody writes to it since.
      if (!read.ok) throw new Error(`the input of ${batch.id} changed: ${read.fault.message}`);
      return beginLine(batch, line.index, read.request.body, stopped, deps);
    }),
  );
  // Let go while queues were full, what comes after is begun again by who takes over, under the same keys.
  const left = records.findIndex((record) => 'left' in record);
  const known = held.leaving.aborted && left >= 0 ? records.slice(0, left) : records;
  await lines.log.append(known);
  for (const record of known) lines.track(record);
}

/** Nothing more is begun; what a crash kept out of the log is found by its key, and what is open is asked to end. */
async function endLines(held: Held, { log, track }: Lines, { store, io }: RunLinesDeps): Promise<void> {
  const batch = held.batch();
  const from = log.length();
  const indices = Array.from({ length: Math.min(CHUNK_LINES, batch.counts.total - from) }, (_, step) => from + step);
  const found = await Promise.all(
    indices.map(async (index): Promise<LineRecord> => {
      const scope = { caller: batch.caller, endpoint: BATCH_SCOPE, key: lineKey(batch, index) };
      const hit = await store.findIdempotent(scope, io.now());
      return hit ? { index, task: hit.id } : { index, left: true };
    }),
  );
  const last = found.findLastIndex((record) => 'task' in record);
  const known = found.slice(0, last + 1);
  await log.append(known);
  for (const record of known) track(record);
}

/** Waits for the next end; in a batch that ends, whatever is open is asked to end too, and asked again. */
async function waitAndEnd(held: Held, { open, nextEnd }: Lines, { tasks, io }: RunLinesDeps): Promise<void> {
  if (!held.ending.aborted) return nextEnd();
  const { caller } = held.batch();
  for (const id of [...open.keys()]) await tasks.cancel(id, caller, 0);
  const givingUpAt = io.now() + ASK_AGAIN_MS;
  while (open.size > 0 && !held.leaving.aborted && io.now() < givingUpAt) {
    const waiting = new AbortController();
    await Promise.race([nextEnd(), pause(givingUpAt - io.now(), waiting.signal, io)]);
    waiting.abort();
  }
}
