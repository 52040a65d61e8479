import type { DatabaseSync } from 'node:sqlite';
import type { Columns } from './rows.ts';

/** The operations on cells; values are JSON. */
export function prepareCells(database: DatabaseSync) {
  const selectOne = database.prepare('SELECT key, version, value FROM cells WHERE key = ?');
  const selectMany = database.prepare(`
    SELECT key, version, value FROM cells WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 ORDER BY key`);
  const insert = database.prepare('INSERT OR IGNORE INTO cells (key, version, value) VALUES (?, 1, ?)');
  const update = database.prepare('UPDATE cells SET version = version + 1, value = ? WHERE key = ? AND version = ?');

  return {
    readCell: (key: string): Columns | undefined => selectOne.get(key),

    readCells: (prefix: string): Columns[] => selectMany.all(prefix),

    swapCell(key: string, version: number, value: string): boolean {
      const { changes } = version === 0 ? insert.run(key, value) : update.run(value, key, version);
      return changes > 0;
    },
  };
}
