import type { TimeoutPolicy } from '../plan.ts';

/** High-quality pictures take minutes: 45 to 280 s were measured, so every clock but connect is long. */
export const TIMEOUTS: TimeoutPolicy & { readonly firstByteMs: number; readonly fastFirstByteMs: number } = {
  connectMs: 10_000,
  firstByteMs: 300_000,
  fastFirstByteMs: 120_000,
  idleMs: 60_000,
  totalMs: 600_000,
  harvestMs: 600_000,
};

/** The first-byte clock of a model: what was set, its own, or the default for models of its speed. */
export function firstByteMs(
  { fast, firstByteMs: own }: { readonly fast?: boolean; readonly firstByteMs?: number },
  set: number | undefined,
): number {
  return set ?? own ?? (fast ? TIMEOUTS.fastFirstByteMs : TIMEOUTS.firstByteMs);
}
