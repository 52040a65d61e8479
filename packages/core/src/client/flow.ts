/** Bytes on their way from a provider to whoever reads the body: no faster than they are read. */
export interface Flow {
  readonly body: ReadableStream<Uint8Array>;
  /** A returned promise settles when there is room again; what comes after the end is passed over. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Ends the body, after some last bytes if there are any. */
  end(last?: Uint8Array): void;
  /** Breaks the body off: the reader's next read is rejected with this. */
  fail(error: unknown): void;
}

/** Held for the reader at most, beyond the chunk that fills it. */
const BUFFER_BYTES = 64 * 1024;

/** `onLeave` is called when the reader gives the body up. */
export function createFlow(onLeave: () => void): Flow {
  let open = true;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let resume = () => {};
  const close = () => {
    open = false;
    resume();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      pull: () => resume(),
      cancel: () => {
        close();
        onLeave();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
  );
  return {
    body,
    write(bytes) {
      if (!open || bytes.length === 0) return;
      controller?.enqueue(bytes);
      if ((controller?.desiredSize ?? 1) > 0) return;
      return new Promise((resolve) => {
        resume = resolve;
      });
    },
    end(last) {
      if (!open) return;
      if (last) controller?.enqueue(last);
      close();
      controller?.close();
    },
    fail(error) {
      if (!open) return;
      close();
      controller?.error(error);
    },
  };
}
