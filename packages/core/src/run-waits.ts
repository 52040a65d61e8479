import type { RunEnvironment } from './environment.ts';

/** Ends at `until`, or sooner when the caller comes or goes, on news, on cancel, and on park. */
export function waitUntil(until: number, environment: RunEnvironment): Promise<void> {
  return new Promise((resolve) => {
    const stop = onChange(until, environment, () => {
      stop();
      resolve();
    });
  });
}

/** Calls back once at `until`, or sooner when something happened that a decision depends on; returns how to stop it. */
export function onChange(until: number, environment: RunEnvironment, callback: () => void): () => void {
  const { cancel, park, io } = environment;
  if (cancel.aborted || park.aborted) {
    queueMicrotask(callback);
    return () => {};
  }
  const stopTimer = io.timer(until, callback);
  const stopPresence = environment.onPresence(callback);
  const stopNews = environment.onNews?.(callback);
  cancel.addEventListener('abort', callback, { once: true });
  park.addEventListener('abort', callback, { once: true });
  return () => {
    stopTimer();
    stopPresence();
    stopNews?.();
    cancel.removeEventListener('abort', callback);
    park.removeEventListener('abort', callback);
  };
}
