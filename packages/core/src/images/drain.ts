/** Handles bytes of `chunk` from `at` on; returns where it stopped, as a promise when the writer of chunks must wait. */
export type Step = (chunk: Buffer, at: number) => number | Promise<number>;

/** Steps through a chunk to its end, waiting wherever a step does; without waits it stays synchronous. */
export function drain(chunk: Buffer, from: number, step: Step): void | Promise<void> {
  let at = from;
  while (at < chunk.length) {
    const next = step(chunk, at);
    if (typeof next !== 'number') return next.then((reached) => drain(chunk, reached, step));
    at = next;
  }
}

/** Where a step stopped, once `wait` is over. */
export function reached(at: number, wait: void | Promise<void>): number | Promise<number> {
  return wait === undefined ? at : wait.then(() => at);
}

/** The same memory seen as a Buffer, whose searches and decoders are native. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
