/** Where an answer's bytes go: both may return a promise, which holds back what follows until it settles. */
export interface Sink {
  take(chunk: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
}

export interface Delivery {
  push(chunk: Uint8Array): void;
  end(): void;
  /** Nothing is handed on from here; chunks still waiting are dropped. */
  stop(): void;
}

export interface DeliveryHooks {
  pause(): void;
  resume(): void;
  done(): void;
  failed(error: unknown): void;
}

/**
 * Hands chunks to a sink in order, one at a time, and holds the flow while the sink is busy. Chunks may still arrive
 * then (undici flushes its parser when the peer closes); they wait here and are at most what one socket had buffered.
 */
export function deliver(sink: Sink, hooks: DeliveryHooks): Delivery {
  const waiting: Uint8Array[] = [];
  let busy = false;
  let ended = false;
  let stopped = false;

  const stop = () => {
    stopped = true;
    waiting.length = 0;
  };
  const run = () => {
    if (busy || stopped) return;
    try {
      for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
        const taken = sink.take(chunk);
        if (taken !== undefined) return hold(taken);
      }
      if (stopped) return;
      if (ended) finish();
      else hooks.resume();
    } catch (error) {
      hooks.failed(error);
    }
  };
  const hold = (taken: Promise<void>) => {
    busy = true;
    hooks.pause();
    taken.then(() => {
      busy = false;
      run();
    }, hooks.failed);
  };
  /** With nothing before it a chunk need not wait in line. */
  const hand = (chunk: Uint8Array) => {
    try {
      const taken = sink.take(chunk);
      if (taken !== undefined) hold(taken);
    } catch (error) {
      hooks.failed(error);
    }
  };
  const finish = () => {
    stop();
    const taken = sink.end();
    if (taken === undefined) hooks.done();
    else taken.then(hooks.done, hooks.failed);
  };

  return {
    push(chunk) {
      // undici's parser hands on nothing, again and again, for as long as a resumed body has no new bytes.
      if (stopped || chunk.length === 0) return;
      if (busy || waiting.length > 0) waiting.push(chunk);
      else hand(chunk);
    },
    end() {
      ended = true;
      run();
    },
    stop,
  };
}
