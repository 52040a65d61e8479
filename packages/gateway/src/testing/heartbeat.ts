import type { VirtualClock } from '@onetake/core/testing';

const BEAT_MS = 500;

/** Lets virtual time run on while sockets, which know nothing of it, do their work; returns the stop function. */
export function startHeartbeat(clock: VirtualClock): () => void {
  let stop = () => {};
  const beat = () => {
    stop = clock.timer(clock.now() + BEAT_MS, beat);
  };
  beat();
  return () => stop();
}
