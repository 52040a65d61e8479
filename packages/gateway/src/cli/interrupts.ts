import type { EventEmitter } from 'node:events';
import { EXIT } from './exit.ts';

/** npm passes on the Ctrl-C that the terminal already sent: two this close together are one. */
const SAME_INTERRUPT_MS = 500;

export interface InterruptOptions {
  readonly now: () => number;
  readonly exit: (code: number) => void;
}

/**
 * Aborts on SIGINT, SIGTERM, SIGHUP and when the launcher's channel closes. Asked again after half a second, it exits
 * at once.
 */
export function watchInterrupts(source: EventEmitter, { now, exit }: InterruptOptions): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const interrupt = () => {
    if (firstAt === undefined) {
      firstAt = now();
      controller.abort();
    } else if (now() - firstAt >= SAME_INTERRUPT_MS) {
      exit(EXIT.interrupted);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect']) source.on(signal, interrupt);
  return controller.signal;
}

/** Resolves when the command shall end. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
