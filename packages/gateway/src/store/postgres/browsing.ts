import {
  foundInSteps,
  type Gallery,
  type GalleryFilter,
  LOOKED_AT_ONCE,
  MAX_MARKS,
  type MarkRequest,
  type SearchFilter,
} from '../browsing.ts';
import { galleryRow, listedRow, pictureCursorOf, rowCursorOf, withBefore } from '../browsing-rows.ts';
import {
  endOfGalleryLookSql,
  endOfLookSql,
  gallerySql,
  isDeliveredSql,
  looksThrough,
  looksThroughPictures,
  pageSql,
} from '../browsing-sql.ts';
import type { Sql } from '../ledger-sql.ts';
import type { Lane } from './lane.ts';
import { BROWSING, type Reader } from './reads.ts';
import { FOUND_ROW } from './rows.ts';
import type { Columns, Statement, Transaction, Verb } from './verb.ts';

interface BrowsingLanes {
  readonly generations: Lane;
  readonly reader: Reader;
}

/** The verbs of those who look; `checkLimit` refuses what may not be asked for at once. */
export function browsingVerbs({ generations, reader }: BrowsingLanes, checkLimit: (limit: number) => void): Gallery {
  const ask = ({ text, values }: Sql) => reader.readBehind(generations, { text }, values);

  return {
    search: async (filter) => {
      checkLimit(filter.limit);
      return foundInSteps(
        filter,
        (before, limit) => search({ ...withBefore(filter, before), limit }, ask),
        rowCursorOf,
      );
    },
    gallery: async (filter) => {
      checkLimit(filter.limit);
      const step = (before: typeof filter.before, limit: number) =>
        gallery({ ...withBefore(filter, before), limit }, ask);
      return foundInSteps(filter, step, pictureCursorOf);
    },
    mark: (request) => generations.submit(mark, request, (answer) => answer),
  };
}

type Ask = (sql: Sql) => Promise<readonly Columns[]>;

async function search(filter: SearchFilter, ask: Ask) {
  const [end] = looksThrough(filter) ? await ask(endOfLookSql(filter, BROWSING, LOOKED_AT_ONCE)) : [];
  const stoppedAt = end && { createdAt: Number(end.createdAt), id: String(end.id) };
  const rows = await ask(pageSql(filter, FOUND_ROW, BROWSING, stoppedAt));
  return { rows: rows.map((row) => listedRow(withPrompt(row))), ...(stoppedAt && { stoppedAt }) };
}

async function gallery(filter: GalleryFilter, ask: Ask) {
  const [end] = looksThroughPictures(filter) ? await ask(endOfGalleryLookSql(filter, BROWSING, LOOKED_AT_ONCE)) : [];
  const stoppedAt = end && { number: Number(end.number), index: -Number(end.behind) };
  const rows = await ask(gallerySql(filter, BROWSING, stoppedAt));
  return {
    rows: rows.map((row) => galleryRow(withPrompt(row))),
    ...(stoppedAt && { stoppedAt }),
  };
}

function withPrompt(row: Columns) {
  return { ...row, prompt: JSON.parse(String(row.prompt)) };
}

/** Until the marks are written, nobody forgets their pictures. In order, so that two nodes never wait for each other. */
const KEEP_ASSETS: Statement = {
  name: 'mark-keep',
  text: 'SELECT FROM assets WHERE hash = ANY($1::text[]) ORDER BY hash FOR KEY SHARE',
};
const IS_ANYBODYS: Statement = { name: 'mark-anybodys', text: isDeliveredSql(BROWSING, true) };
const IS_OWN: Statement = { name: 'mark-own', text: isDeliveredSql(BROWSING, false) };
const REMOVE: Statement = { name: 'mark-remove', text: 'DELETE FROM marks WHERE caller = $1 AND hash = $2' };
const CHANGE: Statement = {
  name: 'mark-change',
  text: `
    INSERT INTO marks (caller, hash, mark, at)
    SELECT $1, $2, $3, $4
    WHERE EXISTS (SELECT FROM marks WHERE caller = $1 AND hash = $2)
      OR (SELECT count(*) FROM marks WHERE caller = $1) < ${MAX_MARKS}
    ON CONFLICT (caller, hash) DO UPDATE SET mark = excluded.mark, at = excluded.at
    RETURNING hash`,
};

const mark: Verb<MarkRequest, 'marked' | 'unknown' | 'full'> = {
  touches: () => [],
  joins: true,
  inSteps: true,

  async run(transaction, operations) {
    await transaction.query(KEEP_ASSETS, [operations.map(({ hash }) => hash)]);
    const answers: ('marked' | 'unknown' | 'full')[] = [];
    for (const operation of operations) answers.push(await markOnce(transaction, operation));
    return answers;
  },
};

async function markOnce({ query }: Transaction, { caller, hash, mark, at, ofAnybody }: MarkRequest) {
  const [delivered] = await (ofAnybody ? query(IS_ANYBODYS, [hash]) : query(IS_OWN, [hash, caller]));
  if (delivered === undefined) return 'unknown';
  if (mark === null) await query(REMOVE, [caller, hash]);
  else if ((await query(CHANGE, [caller, hash, mark, at])).length === 0) return 'full';
  return 'marked';
}
