import type { AssetName } from '../../assets/disk.ts';
import { type Statement, touching, type Verb } from './verb.ts';

/**
 * Rows are locked in the order of their keys, so that two nodes which swap the same cells never wait for each other; the
 * version that counts is that of the locked row.
 */
const SWAP: Statement = {
  name: 'swap-cells',
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($1::json) AS w (key text, version bigint, value text)
    ), locked AS MATERIALIZED (
      SELECT key, version FROM cells WHERE key = ANY($2::text[]) ORDER BY key FOR UPDATE
    ), changed AS (
      UPDATE cells c SET version = c.version + 1, value = w.value
      FROM wanted w JOIN locked l ON l.key = w.key AND l.version = w.version WHERE c.key = l.key RETURNING c.key
    ), written AS (
      INSERT INTO cells (key, version, value) SELECT key, 1, value FROM wanted WHERE version = 0 ORDER BY key
      ON CONFLICT DO NOTHING RETURNING key
    )
    SELECT key FROM changed UNION ALL SELECT key FROM written`,
};

export const swapCell: Verb<{ readonly key: string; readonly version: number; readonly value: string }, boolean> = {
  touches: ({ key }) => [touching.cell(key)],
  joins: true,

  async run({ query, tell }, operations) {
    const keys = operations.map(({ key }) => key);
    const rows = await query(SWAP, [JSON.stringify(operations), keys]);
    const swapped = new Set(rows.map(({ key }) => key));
    for (const key of keys) if (swapped.has(key)) tell({ kind: 'cell', key });
    return keys.map((key) => swapped.has(key));
  },
};

const PUT_PICTURE: Statement = {
  name: 'put-picture',
  text: `
    INSERT INTO pictures (hash, type, written_at, bytes) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hash, type) DO UPDATE SET written_at = excluded.written_at`,
};

export interface PutPicture extends Pick<AssetName, 'hash' | 'type'> {
  readonly bytes: Uint8Array;
  readonly at: number;
}

export const putPicture: Verb<PutPicture, void> = {
  touches: ({ hash, type }) => [touching.picture(hash, type)],

  async run({ query }, operations) {
    await Promise.all(operations.map(({ hash, type, at, bytes }) => query(PUT_PICTURE, [hash, type, at, bytes])));
    return [];
  },
};

const REMOVE_PICTURE: Statement = {
  name: 'remove-picture',
  text: 'DELETE FROM pictures WHERE hash = $1 AND type = $2 AND written_at < $3',
};

export const removePicture: Verb<AssetName & { readonly writtenBefore: number }, void> = {
  touches: ({ hash, type }) => [touching.picture(hash, type)],

  async run({ query }, operations) {
    await Promise.all(
      operations.map(({ hash, type, writtenBefore }) => query(REMOVE_PICTURE, [hash, type, writtenBefore])),
    );
    return [];
  },
};
