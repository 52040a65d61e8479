/** Answers that stay open for long, as many as may be, each ended early when the gateway stops. */
export interface OpenAnswers {
  /** Returns the function to call when it is over; undefined when there are as many as may be. */
  open(endEarly: () => void): (() => void) | undefined;
  /** Ends those there are, and whatever is opened from here on. */
  close(): void;
}

export function createOpenAnswers(maxOpen: number): OpenAnswers {
  const answers = new Set<() => void>();
  let closed = false;
  return {
    open(endEarly) {
      if (answers.size >= maxOpen) return undefined;
      // An entry of its own, whoever passes the same function twice.
      const entry = () => endEarly();
      answers.add(entry);
      if (closed) queueMicrotask(entry);
      return () => answers.delete(entry);
    },
    close() {
      closed = true;
      for (const endEarly of [...answers]) endEarly();
    },
  };
}
