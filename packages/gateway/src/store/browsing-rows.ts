import type { GalleryRow, ListedRow, PictureCursor, RowCursor } from './browsing.ts';

type Row = Readonly<Record<string, unknown>>;

/** The columns are named and typed by the queries; what is null there is absent here. */
export function listedRow({ pictureHash, pictureType, ...row }: Row): ListedRow {
  return {
    ...(present(row) as unknown as Omit<ListedRow, 'picture'>),
    ...(isThere(pictureHash) && { picture: { hash: String(pictureHash), type: String(pictureType) } }),
  };
}

export function galleryRow({ behind, ...row }: Row): GalleryRow {
  return { ...(present(row) as unknown as Omit<GalleryRow, 'index'>), index: Math.abs(Number(behind)) };
}

export function rowCursorOf({ createdAt, id }: ListedRow): RowCursor {
  return { createdAt, id };
}

export function pictureCursorOf({ number, index }: GalleryRow): PictureCursor {
  return { number, index };
}

/** The same, from another row on. */
export function withBefore<Cursor, Filter extends { readonly before?: Cursor }>(
  filter: Filter,
  before: Cursor | undefined,
): Filter {
  return before === undefined ? filter : { ...filter, before };
}

function present(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => isThere(value)));
}

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined;
}
