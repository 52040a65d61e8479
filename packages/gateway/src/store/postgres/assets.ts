import type { AssetRow } from '../asset-row.ts';
import type { Statement, Transaction } from './verb.ts';

/**
 * Parts of a `WITH` that write the assets which rows of `source` (number, hash, type, bytes, at) refer to. What is there
 * already is locked by the `UPDATE`, so that `expire` on another node sees the reference before it decides. In the order
 * of the hashes, so that two nodes never wait for each other. `references` is the table that keeps them, and its columns.
 */
export function insertAssets(source: string, references = 'generation_assets (generation, hash)'): string {
  return `
    written_assets AS (
      INSERT INTO assets (hash, type, bytes, created_at)
      SELECT DISTINCT ON (hash) hash, type, bytes, at FROM ${source} ORDER BY hash
      ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash
    ), written_references AS (
      INSERT INTO ${references}
      SELECT DISTINCT number, hash FROM ${source}
      ON CONFLICT DO NOTHING
    )`;
}

/** Two statements: the second one begins when the rows are locked, and sees references that were written until then. */
const LOCK_ASSETS: Statement = {
  name: 'lock-assets',
  text: 'SELECT FROM assets WHERE hash = ANY($1::text[]) ORDER BY hash FOR UPDATE',
};
const REMOVE_ASSETS: Statement = {
  name: 'remove-assets',
  text: `
    DELETE FROM assets a
    WHERE hash = ANY($1::text[]) AND NOT EXISTS (SELECT FROM generation_assets r WHERE r.hash = a.hash)
      AND NOT EXISTS (SELECT FROM cache_assets c WHERE c.hash = a.hash)
    RETURNING hash, type, bytes`,
};

/** The lock holds back whoever is about to mark one of them, so no mark comes after this. */
const REMOVE_MARKS: Statement = {
  name: 'remove-marks',
  text: `
    DELETE FROM marks m
    WHERE hash = ANY($1::text[]) AND NOT EXISTS (SELECT FROM assets a WHERE a.hash = m.hash)`,
};

/** Forgets those of these assets that nothing refers to any more, with their marks; in the order asked. */
export async function removeUnreferenced(
  { query }: Transaction,
  hashes: readonly string[],
): Promise<readonly AssetRow[]> {
  if (hashes.length === 0) return [];
  const [, removed] = await Promise.all(
    [LOCK_ASSETS, REMOVE_ASSETS, REMOVE_MARKS].map((statement) => query(statement, [hashes])),
  );
  const byHash = new Map(removed?.map((row) => [String(row.hash), row]));
  return hashes.flatMap((hash): AssetRow[] => {
    const row = byHash.get(hash);
    return row ? [{ hash, type: String(row.type), bytes: Number(row.bytes) }] : [];
  });
}
