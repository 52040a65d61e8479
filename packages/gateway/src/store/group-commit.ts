import { StoreOverloadedError } from './errors.ts';

/** What became of a batch: results in the operations' order, and beside them the operations that failed by themselves. */
export interface BatchAnswer {
  readonly results: readonly unknown[];
  readonly failures: readonly { readonly index: number; readonly message: string }[];
}

/**
 * Gathers operations while a batch is under way and sends them on as the next one, so that many share one sync of
 * the disk and a lone one waits for nobody. Operations take effect in the order they were submitted.
 */
export interface GroupCommit<Operation> {
  /** Resolves with `convert`'s reading of the result, or rejects with what it throws. */
  submit<Result, Value>(operation: Operation, convert: (result: Result) => Value): Promise<Value>;
  /** The batch under way was answered. */
  settle(answer: BatchAnswer): void;
  /** The batch under way was undone as a whole. */
  reject(error: Error): void;
  /** Rejects everything under way, waiting and to come. */
  end(error: Error): void;
  /** Resolves when nothing is under way or waiting; takes no more from now on and rejects it with `error`. */
  drain(error: Error): Promise<void>;
}

export interface GroupCommitOptions<Operation> {
  readonly post: (batch: readonly Operation[]) => void;
  readonly maxQueued: number;
}

interface Waiting<Operation> {
  readonly operation: Operation;
  readonly succeed: (result: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/** Bounds how long one transaction holds everybody else up. */
const MAX_BATCH = 1_000;

export function createGroupCommit<Operation>(options: GroupCommitOptions<Operation>): GroupCommit<Operation> {
  const { post, maxQueued } = options;
  let queue: Waiting<Operation>[] = [];
  let underway: readonly Waiting<Operation>[] = [];
  let scheduled = false;
  let refusal: Error | undefined;
  let drained: (() => void) | undefined;

  function send(): void {
    scheduled = false;
    if (underway.length > 0) return;
    underway = queue.slice(0, MAX_BATCH);
    queue = queue.slice(MAX_BATCH);
    try {
      if (underway.length > 0) post(underway.map((one) => one.operation));
      else drained?.();
    } catch (error) {
      conclude((one) => one.fail(error));
    }
  }

  /** Once per turn of the event loop: what arrived on many sockets in one turn goes as one batch. */
  function schedule(): void {
    if (scheduled || underway.length > 0) return;
    scheduled = true;
    setImmediate(send);
  }

  function conclude(tell: (one: Waiting<Operation>, index: number) => void): void {
    const batch = underway;
    underway = [];
    batch.forEach(tell);
    schedule();
  }

  return {
    submit(operation, convert) {
      if (refusal) return Promise.reject(refusal);
      if (queue.length >= maxQueued) return Promise.reject(new StoreOverloadedError(maxQueued));
      return new Promise((resolve, reject) => {
        queue.push({ operation, succeed: settler(convert, resolve, reject), fail: reject });
        schedule();
      });
    },

    settle({ results, failures }) {
      const failed = new Map(failures.map(({ index, message }) => [index, message]));
      conclude((one, index) => {
        const message = failed.get(index);
        if (message === undefined) one.succeed(results[index]);
        else one.fail(new Error(`the store refused an operation: ${message}`));
      });
    },

    reject: (error) => conclude((one) => one.fail(error)),

    end(error) {
      refusal ??= error;
      const lost = [...underway, ...queue];
      underway = [];
      queue = [];
      for (const one of lost) one.fail(error);
      drained?.();
    },

    drain(error) {
      refusal ??= error;
      return new Promise((resolve) => {
        drained = resolve;
        schedule();
      });
    },
  };
}

function settler<Result, Value>(
  convert: (result: Result) => Value,
  resolve: (value: Value) => void,
  reject: (error: unknown) => void,
): (result: unknown) => void {
  return (result) => {
    try {
      resolve(convert(result as Result));
    } catch (error) {
      reject(error);
    }
  };
}
