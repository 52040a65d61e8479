import type { DatabaseSync } from 'node:sqlite';
import type { LostRequest } from '../store.ts';

/**
 * An index of fingerprints would cost every generation more than it is worth: where one process owns the data it
 * remembers who was lost and seldom asks. So the few candidates come from three short indexes. Parameters: fingerprint,
 * caller, since, settledBefore, now.
 */
export const LOST_SQL = `
  SELECT number FROM generations
  WHERE number IN (
      SELECT number FROM generations WHERE fingerprint = ?1 AND lost_at IS NOT NULL
      UNION ALL
      SELECT number FROM generations
      WHERE finished_at >= ?3 AND finished_at < ?4 AND delivered_at IS NULL AND task IS NULL AND taken_at IS NULL
        AND fingerprint = ?1
      UNION ALL
      SELECT number FROM generations
      WHERE status = 'processing' AND status <> 'completed' AND lease_until <= ?5 AND taken_at IS NULL
        AND fingerprint = ?1
    )
    AND +caller = ?2 AND delivered_at IS NULL AND task IS NULL AND billed IS NOT 'no'
    AND (finished_at IS NULL OR max(finished_at, coalesce(lost_at, 0)) >= ?3)
  ORDER BY created_at, number LIMIT 1`;

/** The operations on answers that reached nobody. */
export function prepareLost(database: DatabaseSync) {
  const deliver = database.prepare('UPDATE generations SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL');
  const lose = database.prepare('UPDATE generations SET lost_at = ? WHERE id = ? AND delivered_at IS NULL');
  const take = database.prepare(`
    UPDATE generations SET lost_at = NULL, taken_at = ?5 WHERE number = (${LOST_SQL}) RETURNING id`);

  return {
    markDelivered(ids: readonly string[], at: number): void {
      for (const id of ids) deliver.run(at, id);
    },

    markLost(ids: readonly string[], at: number): void {
      for (const id of ids) lose.run(at, id);
    },

    claimLost({ caller, fingerprint, since, settledBefore, now }: LostRequest): string | undefined {
      const taken = take.get(fingerprint, caller, since, settledBefore, now);
      return taken && String(taken.id);
    },
  };
}
