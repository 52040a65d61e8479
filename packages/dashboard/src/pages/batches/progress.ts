import type { Batch } from '../../api/batches.ts';
import type { Tone } from '../../ui/layout.tsx';

const SECOND_MS = 1_000;
/** Of a batch that has hardly begun nothing can be told. */
const LEAST_DONE = 2;

/** How many of its lines are over, 0 to 1; null while nobody has counted them. */
export function shareDone({ request_counts: counts }: Batch): number | null {
  return counts.total === 0 ? null : (counts.completed + counts.failed) / counts.total;
}

/** How long the rest takes at the pace until now, ms; undefined where that cannot be told. */
export function leftMs(
  { status, in_progress_at: begun, request_counts: counts }: Batch,
  now: number,
): number | undefined {
  const done = counts.completed + counts.failed;
  if (status !== 'in_progress' || begun === null || done < LEAST_DONE || counts.total === 0) return undefined;
  const tookMs = Math.max(SECOND_MS, now - begun * SECOND_MS);
  return (tookMs / done) * (counts.total - done);
}

/** When it came to its end, epoch ms. */
export function endedAt(batch: Batch): number | undefined {
  const at = batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at;
  return at === null ? undefined : at * SECOND_MS;
}

/** A word and its colour: one that completed with failed lines did not go well. */
export function stateOf({ status, request_counts: counts }: Batch): { readonly word: string; readonly tone: Tone } {
  if (status === 'completed' && counts.failed > 0) return { word: 'completed, with failures', tone: 'warn' };
  const tones: Readonly<Partial<Record<Batch['status'], Tone>>> = {
    ...{ completed: 'good', failed: 'bad', expired: 'warn', cancelled: 'plain', cancelling: 'warn' },
  };
  return { word: status.replaceAll('_', ' '), tone: tones[status] ?? 'info' };
}
