import { setImmediate as nextTurn } from 'node:timers/promises';

const SLICE_MS = 8;

/** Work that yields often enough that nobody notices it: every `yield` is a place where other requests may go first. */
export type Steps<T> = Generator<void, T, void>;

/** Runs `steps` to the end in slices of about 8 ms, with a turn of the event loop between them. */
export async function runInSlices<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const sliceEnds = performance.now() + SLICE_MS;
    while (performance.now() < sliceEnds) {
      const step = steps.next();
      if (step.done) return step.value;
    }
    await nextTurn();
  }
}
