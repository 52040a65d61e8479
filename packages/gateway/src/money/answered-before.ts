import type { Io } from '@onetake/core';
import type { BookedLine, Ledger } from '../store/ledger.ts';
import { createBeat } from '../tasks/beat.ts';
import { microUsdOf } from './usd.ts';

/** An answer for which nobody was asked, and what the same cost when it was made. */
export interface AnsweredBefore {
  readonly caller: string;
  readonly route: string;
  readonly requestId: string;
  /** Which made it. */
  readonly generation: string;
  readonly target: string | undefined;
  readonly costUsd: number | undefined;
}

/** Books what the cache saved, behind the answers. */
export interface AnsweredBook {
  note(answered: AnsweredBefore): void;
  /** Resolves when what was noted is written, or given up. */
  close(): Promise<void>;
}

export interface AnsweredBookOptions {
  readonly store: Pick<Ledger, 'book'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** So many lines are lost; no money hangs on them. */
  readonly onError: (error: unknown, lines: number) => void;
}

const WRITE_EVERY_MS = 1_000;
/** In one write, at most. */
const MAX_WRITTEN = 1_000;
/** Where the store does not keep up, what is beyond it is given up. */
const MAX_NOTED = 10_000;

export function createAnsweredBook({ store, io, onError }: AnsweredBookOptions): AnsweredBook {
  const beat = createBeat(io, WRITE_EVERY_MS);
  const noted: BookedLine[] = [];
  let lost = 0;
  let isComing = false;
  let written = Promise.resolve();

  async function write(): Promise<void> {
    isComing = false;
    if (lost > 0) onError(new Error('the store does not keep up'), lost);
    lost = 0;
    while (noted.length > 0) {
      const lines = noted.splice(0, MAX_WRITTEN);
      await store.book(lines).catch((error: unknown) => onError(error, lines.length));
    }
  }

  const writeInTurn = () => {
    written = written.then(write);
    return written;
  };

  return {
    note(answered) {
      if (noted.length < MAX_NOTED) noted.push(lineOf(answered, io.now()));
      else lost += 1;
      if (isComing) return;
      isComing = true;
      void beat.next().then(writeInTurn);
    },
    close: writeInTurn,
  };
}

function lineOf({ target, costUsd, ...answered }: AnsweredBefore, at: number): BookedLine {
  return {
    ...answered,
    run: 0,
    attempt: 0,
    startedAt: at,
    endedAt: at,
    ...(target !== undefined && { target }),
    role: 'cached',
    images: 0,
    spentMicroUsd: 0,
    possibleMicroUsd: 0,
    possibleImages: 0,
    savedMicroUsd: costUsd === undefined ? null : microUsdOf(costUsd),
    priced: 'none',
  };
}
