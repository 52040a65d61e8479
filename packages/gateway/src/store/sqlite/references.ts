import type { DatabaseSync } from 'node:sqlite';
import type { AssetRow } from '../store.ts';

/** Notes which assets a generation refers to; part of other operations. */
export type Refer = (generation: number, assets: readonly AssetRow[], createdAt: number) => void;

export function prepareReferences(database: DatabaseSync): Refer {
  const insertAsset = database.prepare(`
    INSERT INTO assets (hash, type, bytes, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const insertReference = database.prepare(`
    INSERT INTO generation_assets (generation, hash) VALUES (?, ?) ON CONFLICT DO NOTHING`);
  return (generation, assets, createdAt) => {
    for (const { hash, type, bytes } of assets) {
      insertAsset.run(hash, type, bytes, createdAt);
      insertReference.run(generation, hash);
    }
  };
}

/** Forgets an asset that nothing refers to any more, with its marks; undefined where something does. */
export function prepareUnreferenced(database: DatabaseSync): (hash: string) => AssetRow | undefined {
  const remove = database.prepare(`
    DELETE FROM assets WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM generation_assets WHERE hash = ?1)
      AND NOT EXISTS (SELECT 1 FROM cache_assets WHERE hash = ?1)
    RETURNING hash, type, bytes`);
  const removeMarks = database.prepare('DELETE FROM marks WHERE hash = ?');
  return (hash) => {
    const row = remove.get(hash);
    if (row) removeMarks.run(hash);
    return row && { hash: String(row.hash), type: String(row.type), bytes: Number(row.bytes) };
  };
}
