import type { DatabaseSync } from 'node:sqlite';
import type { Rows, StoredColumns } from './rows.ts';

/** The operations that give leases of what nobody holds, renew them, and tell their owners of a wish to cancel. */
export function prepareLeases(database: DatabaseSync, rows: Rows) {
  const selectEnded = database.prepare(`
    SELECT number, created_at AS createdAt, id FROM generations
    WHERE status = 'processing' AND status <> 'completed' AND lease_until <= ? ORDER BY created_at, id LIMIT ?`);
  // CROSS JOIN keeps SQLite from reading every generation there is in their order.
  const selectOverdue = database.prepare(`
    SELECT number, created_at AS createdAt, id FROM waiting w CROSS JOIN generations g ON g.number = w.generation
    WHERE w.deadline_at <= ? ORDER BY created_at, id LIMIT ?`);
  const stopWaiting = database.prepare('DELETE FROM waiting WHERE generation = ?');
  const takeLease = database.prepare(`
    UPDATE generations SET status = 'processing', worker = ?, lease_until = ? WHERE number = ?`);
  const renewLease = database.prepare(`
    UPDATE generations SET lease_until = ? WHERE id = ? AND worker = ? RETURNING cancel_requested_at AS cancelRequestedAt`);
  const noteCancel = database.prepare(`
    UPDATE generations SET cancel_requested_at = coalesce(cancel_requested_at, ?)
    WHERE id = ? AND finished_at IS NULL`);
  const exists = database.prepare('SELECT 1 FROM generations WHERE id = ?');

  return {
    claim(worker: string, now: number, until: number, limit: number): StoredColumns[] {
      const found = [...selectEnded.all(now, limit), ...selectOverdue.all(now, limit)].map((row) => ({
        number: Number(row.number),
        createdAt: Number(row.createdAt),
        id: String(row.id),
      }));
      found.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
      return found.slice(0, limit).flatMap(({ number }) => {
        stopWaiting.run(number);
        takeLease.run(worker, until, number);
        return rows.byNumber(number) ?? [];
      });
    },

    renew(worker: string, ids: readonly string[], until: number): string[] {
      return ids.filter((id) => typeof renewLease.get(until, id, worker)?.cancelRequestedAt === 'number');
    },

    requestCancel(id: string, at: number): 'noted' | 'finished' | 'unknown' {
      if (noteCancel.run(at, id).changes > 0) return 'noted';
      return exists.get(id) ? 'finished' : 'unknown';
    },
  };
}
