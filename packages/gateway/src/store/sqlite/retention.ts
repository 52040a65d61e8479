import type { DatabaseSync } from 'node:sqlite';
import type { AssetRow } from '../asset-row.ts';
import type { Expired, RetentionBounds } from '../retention.ts';

/** The operations that forget, whole finished generations, oldest first, and that say how much there is. */
export function prepareRetention(
  database: DatabaseSync,
  removeUnreferenced: (hash: string) => AssetRow | undefined,
  expireLedger: (before: number, limit: number) => void,
) {
  const sumBytes = database.prepare(`
    SELECT coalesce(sum(bytes), 0) - (SELECT coalesce(sum(bytes), 0) FROM cache_entries) AS bytes FROM assets`);
  const selectOldest = database.prepare(`
    SELECT number, created_at AS createdAt FROM generations WHERE status NOT IN ('pending', 'processing')
    ORDER BY created_at, id LIMIT ?`);
  const removals = [
    'DELETE FROM events WHERE generation = ?',
    'DELETE FROM webhooks WHERE generation = ?',
    'DELETE FROM plans WHERE generation = ?',
    'DELETE FROM idempotency WHERE generation = ?',
    'DELETE FROM search_texts WHERE generation = ?',
    'DELETE FROM delivered WHERE generation = ?',
    'DELETE FROM generation_assets WHERE generation = ?',
    'DELETE FROM generations WHERE number = ?',
  ].map((sql) => database.prepare(sql));
  const selectReferences = database.prepare('SELECT hash FROM generation_assets WHERE generation = ?');
  const forgetDisabled = database.prepare('DELETE FROM disabled_endpoints WHERE disabled_at < ?');

  function remove(generation: number): AssetRow[] {
    const references = selectReferences.all(generation);
    for (const statement of removals) statement.run(generation);
    return references.flatMap(({ hash }) => removeUnreferenced(String(hash)) ?? []);
  }

  return {
    storedBytes: (): number => Number(sumBytes.get()?.bytes),

    expire({ createdBefore, excessBytes, ledgerBefore, limit }: RetentionBounds): Expired {
      forgetDisabled.run(createdBefore);
      if (ledgerBefore !== undefined) expireLedger(ledgerBefore, limit);
      const assets: AssetRow[] = [];
      let generations = 0;
      let excess = excessBytes;
      for (const { number, createdAt } of selectOldest.all(limit)) {
        if (Number(createdAt) >= createdBefore && excess <= 0) break;
        const removed = remove(Number(number));
        for (const asset of removed) excess -= asset.bytes;
        assets.push(...removed);
        generations += 1;
      }
      return { generations, assets };
    },
  };
}
