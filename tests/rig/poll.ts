import { setTimeout as pause } from 'node:timers/promises';

const EVERY_MS = 20;

/** Asks again and again until there is an answer; rejects after `timeoutMs`, saying what never came. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value | undefined | false>,
  timeoutMs = 15_000,
): Promise<Value> {
  const givingUpAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > givingUpAt) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await pause(EVERY_MS);
  }
}
