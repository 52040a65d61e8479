import type { Io } from '@onetake/core';

/** Proxies cut connections that are silent for a minute, some for half of one. */
export const KEEP_ALIVE_MS = 15_000;

/** A comment of server-sent events, which their readers pass over. */
export const KEEP_ALIVE_COMMENT = ': keep-alive\n\n';

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
} as const;

export interface Silence {
  /** Something was sent: the silence begins anew. */
  broken(): void;
  stop(): void;
}

/** Calls back after each `silenceMs` of silence until it is stopped, for good. */
export function listenForSilence(
  io: Pick<Io, 'now' | 'timer'>,
  onSilence: () => void,
  silenceMs = KEEP_ALIVE_MS,
): Silence {
  let stopTimer = () => {};
  let stopped = false;
  const broken = () => {
    stopTimer();
    if (stopped) return;
    stopTimer = io.timer(io.now() + silenceMs, () => {
      broken();
      onSilence();
    });
  };
  const stop = () => {
    stopped = true;
    stopTimer();
  };
  broken();
  return { broken, stop };
}
