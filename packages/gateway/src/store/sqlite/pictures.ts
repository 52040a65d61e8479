import type { DatabaseSync } from 'node:sqlite';

/** The operations of `SmallPictures`: whole pictures, in the same file and the same syncs as the journals. */
export function preparePictures(database: DatabaseSync) {
  const insert = database.prepare(`
    INSERT INTO pictures (hash, type, written_at, bytes) VALUES (?, ?, ?, ?)
    ON CONFLICT (hash, type) DO UPDATE SET written_at = excluded.written_at`);
  const select = database.prepare('SELECT bytes FROM pictures WHERE hash = ? AND type = ?');
  const remove = database.prepare('DELETE FROM pictures WHERE hash = ? AND type = ? AND written_at < ?');

  return {
    putPicture(hash: string, type: string, bytes: Uint8Array, at: number): void {
      insert.run(hash, type, at, bytes);
    },

    readPicture(hash: string, type: string): Uint8Array | undefined {
      return select.get(hash, type)?.bytes as Uint8Array | undefined;
    },

    removePicture(hash: string, type: string, writtenBefore: number): void {
      remove.run(hash, type, writtenBefore);
    },
  };
}
