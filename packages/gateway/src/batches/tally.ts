import type { Batch } from './batch.ts';

/** Which lines of a batch are over, and how they ended. */
export interface Tally {
  settle(index: number, completed: boolean): void;
  counts(): Batch['counts'];
  /** Up to where every line is over: a process that takes over need not look before it. */
  settled(): Batch['settled'];
}

const OPEN = 0;
const COMPLETED = 1;
const FAILED = 2;

export function createTally({ counts: { total }, settled }: Pick<Batch, 'counts' | 'settled'>): Tally {
  const lines = new Uint8Array(total);
  let { lines: before, completed: completedBefore } = settled;
  let completed = completedBefore;
  let failed = before - completedBefore;

  return {
    settle(index, isCompleted) {
      if (index < before || index >= total || lines[index] !== OPEN) return;
      lines[index] = isCompleted ? COMPLETED : FAILED;
      if (isCompleted) completed += 1;
      else failed += 1;
      for (let line = lines[before]; line !== undefined && line !== OPEN; line = lines[before]) {
        before += 1;
        completedBefore += line === COMPLETED ? 1 : 0;
      }
    },
    counts: () => ({ total, completed, failed }),
    settled: () => ({ lines: before, completed: completedBefore }),
  };
}
