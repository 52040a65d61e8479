import type { AssetRow } from './asset-row.ts';
import type { GenerationRow, ListFilter } from './generation-row.ts';

/**
 * What people look through. What no index answers is looked for row by row, in steps between which the store does other
 * things, and for at most `MAX_LOOKED` rows per call: then the answer says where the next call goes on.
 */
export interface Gallery {
  /** As `list`, by more. */
  search(filter: SearchFilter): Promise<Found<ListedRow, RowCursor>>;
  /** Pictures that were handed over, those of the newest generation first, and of one generation in their order. */
  gallery(filter: GalleryFilter): Promise<Found<GalleryRow, PictureCursor>>;
  /**
   * Sets or takes away what a caller thinks of a picture; goes with the picture. `unknown`: it was not handed over to
   * them. `full`: they have `MAX_MARKS`.
   */
  mark(mark: MarkRequest): Promise<'marked' | 'unknown' | 'full'>;
}

export const MAX_LOOKED = 50_000;
/** So many take some milliseconds. */
export const LOOKED_AT_ONCE = 10_000;
/** Of one caller. */
export const MAX_MARKS = 10_000;

export interface Found<Row, Cursor> {
  readonly rows: readonly Row[];
  /** Where the next page begins; absent where nothing is left. */
  readonly next?: Cursor;
  /** So many rows were looked at, and then the call ended, with fewer found than were wanted. */
  readonly stoppedAfter?: number;
}

export interface RowCursor {
  readonly createdAt: number;
  readonly id: string;
}

export interface SearchFilter extends ListFilter {
  /** The name that was asked for. */
  readonly route?: string;
  /** `provider/model`, or `provider/` for all of one. */
  readonly target?: string;
  readonly makes?: 'pictures' | 'chat';
  readonly code?: string;
  /** Stands in the first `MAX_SEARCHED_CHARS` of the prompt, in capitals or not. */
  readonly text?: string;
  /** Created at or after, and before (epoch ms). */
  readonly since?: number;
  readonly until?: number;
}

export interface ListedRow extends GenerationRow {
  readonly makes: 'pictures' | 'chat';
  /** How many were handed over. */
  readonly pictures: number;
  /** The first of them. */
  readonly picture?: Pick<AssetRow, 'hash' | 'type'>;
}

/** A picture that was handed over, with its sides in pixels. */
export interface DeliveredPicture extends AssetRow {
  readonly width: number;
  readonly height: number;
}

export type Mark = 'star' | 'reject';

export interface GalleryFilter extends Pick<SearchFilter, 'route' | 'target' | 'text'> {
  /** Whose marks are told and filtered by. */
  readonly viewer: string;
  /** Whose pictures; absent: everybody's. */
  readonly caller?: string;
  /** Only this one's. */
  readonly generation?: string;
  readonly mark?: Mark | 'none' | 'unrejected';
  readonly before?: PictureCursor;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** Numbers grow as generations come. */
export interface PictureCursor {
  readonly number: number;
  readonly index: number;
}

export interface GalleryRow extends DeliveredPicture {
  readonly number: number;
  readonly generation: string;
  /** Which of the generation's pictures, from 0. */
  readonly index: number;
  readonly prompt: string;
  readonly route: string;
  readonly target?: string;
  readonly caller: string;
  readonly createdAt: number;
  readonly mark?: Mark;
  /** The set of candidates it is one of. */
  readonly candidates?: string;
}

export interface MarkRequest {
  readonly caller: string;
  readonly hash: string;
  /** Null takes it away. */
  readonly mark: Mark | null;
  readonly at: number;
  /** Also of a picture that was handed over to others. */
  readonly ofAnybody?: true;
}

/** What one step found: `stoppedAt` is the last row it looked at, where there may be more behind. */
export interface Step<Row, Cursor> {
  readonly rows: readonly Row[];
  readonly stoppedAt?: Cursor;
}

/** A page, found in steps. */
export async function foundInSteps<Row, Cursor>(
  { limit, before: from }: { readonly limit: number; readonly before?: Cursor },
  take: (before: Cursor | undefined, limit: number) => Promise<Step<Row, Cursor>>,
  cursorOf: (row: Row) => Cursor,
): Promise<Found<Row, Cursor>> {
  const rows: Row[] = [];
  let before = from;
  for (let looked = 0; looked < MAX_LOOKED; looked += LOOKED_AT_ONCE) {
    const found = await take(before, limit - rows.length);
    rows.push(...found.rows);
    const last = rows.at(-1);
    if (last && rows.length >= limit) return { rows, next: cursorOf(last) };
    if (found.stoppedAt === undefined) return { rows };
    before = found.stoppedAt;
  }
  return { rows, ...(before !== undefined && { next: before }), stoppedAfter: MAX_LOOKED };
}
