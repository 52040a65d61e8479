/**
 * Parts of a `WITH` that write the assets which rows of `source` (number, hash, type, bytes, at) refer to. What is there
 * already is locked by the `UPDATE`, so that `expire` on another node sees the reference before it decides. In the order
 * of the hashes, so that two nodes never wait for each other.
 */
export function insertAssets(source: string): string {
  return `
    written_assets AS (
      INSERT INTO assets (hash, type, bytes, created_at)
      SELECT DISTINCT ON (hash) hash, type, bytes, at FROM ${source} ORDER BY hash
      ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash
    ), written_references AS (
      INSERT INTO generation_assets (generation, hash)
      SELECT DISTINCT number, hash FROM ${source}
      ON CONFLICT DO NOTHING
    )`;
}
