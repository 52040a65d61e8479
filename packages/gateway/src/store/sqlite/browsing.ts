import type { DatabaseSync } from 'node:sqlite';
import {
  type GalleryFilter,
  LOOKED_AT_ONCE,
  MAX_MARKS,
  type MarkRequest,
  type PictureCursor,
  type RowCursor,
  type SearchFilter,
} from '../browsing.ts';
import {
  endOfGalleryLookSql,
  endOfLookSql,
  gallerySql,
  isDeliveredSql,
  looksThrough,
  looksThroughPictures,
  pageSql,
} from '../browsing-sql.ts';
import { BROWSING } from './reads.ts';
import { type Columns, FOUND_ROW, type Values } from './rows.ts';
import { prepareAsked } from './statements.ts';

/** The operations of those who look: one step each, so that others have their turn in between. */
export function prepareBrowsing(database: DatabaseSync) {
  const asked = prepareAsked(database);

  return {
    /** `rows` by `FOUND_NAMES`. */
    search(filter: SearchFilter): { readonly rows: readonly Values[]; readonly stoppedAt?: RowCursor } {
      const [end] = looksThrough(filter) ? asked.rows(endOfLookSql(filter, BROWSING, LOOKED_AT_ONCE)) : [];
      const stoppedAt = end && { createdAt: Number(end.createdAt), id: String(end.id) };
      const rows = asked.arrays(pageSql(filter, FOUND_ROW, BROWSING, stoppedAt));
      return { rows, ...(stoppedAt && { stoppedAt }) };
    },

    gallery(filter: GalleryFilter): { readonly rows: readonly Columns[]; readonly stoppedAt?: PictureCursor } {
      const isLook = looksThroughPictures(filter);
      const [end] = isLook ? asked.rows(endOfGalleryLookSql(filter, BROWSING, LOOKED_AT_ONCE)) : [];
      const stoppedAt = end && { number: Number(end.number), index: -Number(end.behind) };
      const rows = asked.rows(gallerySql(filter, BROWSING, stoppedAt));
      return { rows, ...(stoppedAt && { stoppedAt }) };
    },

    mark: prepareMarks(database),
  };
}

function prepareMarks(database: DatabaseSync) {
  const findAnybodys = database.prepare(isDeliveredSql(BROWSING, true));
  const findOwn = database.prepare(isDeliveredSql(BROWSING, false));
  const remove = database.prepare('DELETE FROM marks WHERE caller = ? AND hash = ?');
  const change = database.prepare('UPDATE marks SET mark = ?, at = ? WHERE caller = ? AND hash = ?');
  const insert = database.prepare('INSERT INTO marks (mark, at, caller, hash) VALUES (?, ?, ?, ?)');
  const count = database.prepare('SELECT count(*) AS count FROM marks WHERE caller = ?');

  return ({ caller, hash, mark, at, ofAnybody }: MarkRequest): 'marked' | 'unknown' | 'full' => {
    const isDelivered = ofAnybody ? findAnybodys.get(hash) : findOwn.get(hash, caller);
    if (isDelivered === undefined) return 'unknown';
    if (mark === null) remove.run(caller, hash);
    else if (change.run(mark, at, caller, hash).changes === 0) {
      if (Number(count.get(caller)?.count) >= MAX_MARKS) return 'full';
      insert.run(mark, at, caller, hash);
    }
    return 'marked';
  };
}
