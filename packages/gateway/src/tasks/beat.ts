import type { Io } from '@onetake/core';

/** A moment at which everybody writes what need not be durable at once, so that it is one write for all of them. */
export interface Beat {
  next(): Promise<void>;
}

/** A moment comes when somebody waits for it, at most `everyMs` later. */
export function createBeat(io: Pick<Io, 'now' | 'timer'>, everyMs: number): Beat {
  let coming: Promise<void> | undefined;
  return {
    next() {
      coming ??= new Promise<void>((resolve) => {
        io.timer(io.now() + everyMs, () => {
          coming = undefined;
          resolve();
        });
      });
      return coming;
    },
  };
}
