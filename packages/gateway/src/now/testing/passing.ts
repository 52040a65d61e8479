import type { VirtualClock } from '@onetake/core/testing';

/** Resolves when so much virtual time has passed, and what it set off is done. */
export function passing(clock: VirtualClock, ms: number): Promise<void> {
  return clock.drive(new Promise((resolve) => clock.timer(clock.now() + ms, resolve)));
}
