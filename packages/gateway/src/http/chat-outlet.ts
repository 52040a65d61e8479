import type { ServerResponse } from 'node:http';
import type { Io } from '@onetake/core';

/** Writes to a caller at the pace at which that takes it. */
export interface Outlet {
  /** A returned promise settles when the caller has taken what waits, or is gone. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** The caller takes nothing now. */
  isHeld(): boolean;
}

/** A caller who takes nothing for so long is cut off. */
export const SLOW_CALLER_MS = 300_000;

/** Nothing is allocated for a chunk that the connection takes at once. */
export function createOutlet(response: ServerResponse, io: Pick<Io, 'now' | 'timer'>): Outlet {
  let held: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  let stopTimer = () => {};
  const release = () => {
    stopTimer();
    const { resolve } = held ?? {};
    held = undefined;
    resolve?.();
  };
  const watch = (taken: number) => {
    stopTimer = io.timer(io.now() + SLOW_CALLER_MS, () => {
      const now = takenBy(response);
      if (now > taken) watch(now);
      else response.destroy();
    });
  };
  response.on('drain', release);
  response.on('close', release);
  return {
    isHeld: () => held !== undefined,
    write(bytes) {
      if (response.destroyed || response.write(bytes)) return undefined;
      if (held === undefined) {
        held = Promise.withResolvers<void>();
        watch(takenBy(response));
      }
      return held.promise;
    },
  };
}

/** Bytes that left this process on the caller's connection. */
function takenBy({ socket }: ServerResponse): number {
  return socket ? socket.bytesWritten - socket.writableLength : 0;
}
