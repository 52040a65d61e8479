import type { Logger } from 'pino';
import { type AnswerLineDeps, answerLine, type LineSignals } from './answer-line.ts';
import { type AnswerLog, type LineAnswer, openAnswerLog, readAnswerLog } from './answer-log.ts';
import type { Batch } from './batch.ts';
import { pause } from './begin-line.ts';
import { NO_USAGE, plusUsage } from './chat-batch.ts';
import type { Held } from './held.ts';
import { readLines, type TextLine } from './read-lines.ts';
import { MAX_LINE_BYTES } from './request-line.ts';
import { createRoom, type Room } from './room.ts';
import type { LinePaths } from './run-lines.ts';
import { createTally } from './tally.ts';

export interface RunChatLinesDeps extends AnswerLineDeps {
  /** Lines of one batch that are in flight at once. */
  readonly lookahead: number;
  /** For the lines of all batches. */
  readonly room: Room;
  readonly log: Pick<Logger, 'error'>;
}

/** What is in flight when the batch is let go may end within this; then it is broken off, and asked again. */
const LAST_ANSWERS_MS = 10_000;
const WRITE_AGAIN_MS = 1_000;

/**
 * Answers every line that has no answer yet, or leaves when the batch is let go. A line is over when its answer is on
 * the disk, and is not asked again then; one that is in flight when the process dies is. `onProgress` is told how far
 * it is, before the first line.
 */
export async function runChatLines(
  held: Held,
  { input, answers }: Pick<LinePaths, 'input' | 'answers'>,
  deps: RunChatLinesDeps,
  onProgress: (progress: () => Partial<Batch>) => void,
): Promise<void> {
  const standing = createStanding(held.batch().counts);
  for await (const answer of readAnswerLog(answers)) standing.settle(answer);
  onProgress(standing.progress);
  const log = await openAnswerLog(answers);
  const ends = endsOf(held, deps);
  const own = createRoom(deps.lookahead);
  const inFlight = new Set<Promise<void>>();

  async function answer(line: TextLine): Promise<void> {
    const told = await answerLine(held.batch(), line, ends.signals, deps);
    if (told && (await keep(told, log, held.leaving, deps))) standing.settle(told);
  }

  try {
    for await (const line of readLines(input, MAX_LINE_BYTES)) {
      if (standing.isSettled(line.index)) continue;
      const places = await takeBoth(own, deps.room, ends.signals.stopped);
      if (places === undefined) break;
      const done = answer(line)
        .catch(ends.fail)
        .finally(() => {
          places.giveBack();
          inFlight.delete(done);
        });
      inFlight.add(done);
    }
    await Promise.all(inFlight);
    ends.throwIfFailed();
  } finally {
    ends.close();
    await Promise.all(inFlight);
    await log.close();
  }
}

/** Which lines are over, and what they came to. */
function createStanding(counts: Batch['counts']) {
  const tally = createTally({ counts, settled: { lines: 0, completed: 0 } });
  const settled = new Uint8Array(counts.total);
  let usage = NO_USAGE;
  return {
    isSettled: (index: number) => settled[index] === 1,
    settle({ index, file, usage: used }: Pick<LineAnswer, 'index' | 'file' | 'usage'>): void {
      if (settled[index] !== 0) return;
      settled[index] = 1;
      tally.settle(index, file === 'output');
      if (used) usage = plusUsage(usage, used);
    },
    progress: () => ({ counts: tally.counts(), settled: tally.settled(), usage }),
  };
}

interface Ends {
  readonly signals: LineSignals;
  /** A fault of ours ends the work on the batch; it is taken up again. */
  fail(error: unknown): void;
  throwIfFailed(): void;
  close(): void;
}

/** A batch that ends breaks off what is in flight at once; one that is let go gives it a moment. */
function endsOf({ ending, leaving }: Pick<Held, 'ending' | 'leaving'>, { io }: Pick<RunChatLinesDeps, 'io'>): Ends {
  const [ended, disowned, failed] = [new AbortController(), new AbortController(), new AbortController()];
  let stopTimer = () => {};
  const end = () => ended.abort();
  const disown = () => {
    disowned.abort();
    ended.abort();
  };
  const leave = () => {
    stopTimer = io.timer(io.now() + LAST_ANSWERS_MS, disown);
  };
  if (ending.aborted) end();
  if (leaving.aborted) leave();
  ending.addEventListener('abort', end);
  leaving.addEventListener('abort', leave);
  return {
    signals: {
      stopped: AbortSignal.any([ending, leaving, failed.signal]),
      ended: ended.signal,
      disowned: disowned.signal,
    },
    fail(error) {
      failed.abort(error);
      disown();
    },
    throwIfFailed: () => failed.signal.throwIfAborted(),
    close() {
      stopTimer();
      ending.removeEventListener('abort', end);
      leaving.removeEventListener('abort', leave);
      disown();
    },
  };
}

async function takeBoth(own: Room, all: Room, signal: AbortSignal) {
  if (!(await own.take(signal))) return undefined;
  if (await all.take(signal)) {
    return {
      giveBack() {
        all.giveBack();
        own.giveBack();
      },
    };
  }
  own.giveBack();
  return undefined;
}

/** An answer that cannot be written was paid for: it is held, with its place, until it can be. False when it was let go. */
export async function keep(
  answer: LineAnswer,
  log: AnswerLog,
  leaving: AbortSignal,
  deps: Pick<RunChatLinesDeps, 'io' | 'log'>,
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      await log.append(answer);
      return true;
    } catch (err) {
      if (tries === 1) deps.log.error({ err }, 'an answer of a batch could not be written; it is tried again');
      if (leaving.aborted) return false;
      await pause(WRITE_AGAIN_MS, leaving, deps.io);
    }
  }
}
