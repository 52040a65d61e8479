/** Which part of a long grid is drawn; all lengths in px. */
export interface Layout {
  readonly columns: number;
  readonly tileWidth: number;
  readonly rowHeight: number;
}

export const GAP = 12;
export const CAPTION_HEIGHT = 28;
const LEAST_TILE = 172;
const LEAST_COLUMNS = 2;
const MAX_OVERSCAN_ROWS = 3;
/** Eleven nodes each: together with the rest of the page they stay under 1,500. */
const MAX_TILES = 96;

/** As many columns as fit, at least two; tiles are square, with a caption below. */
export function layoutFor(width: number): Layout {
  const columns = Math.max(LEAST_COLUMNS, Math.floor((width + GAP) / (LEAST_TILE + GAP)));
  const tileWidth = Math.max(1, Math.floor((width - GAP * (columns - 1)) / columns));
  return { columns, tileWidth, rowHeight: tileWidth + CAPTION_HEIGHT + GAP };
}

export interface RowRange {
  readonly first: number;
  /** Not in the range any more. */
  readonly end: number;
  /** Rows are drawn in as many places, each of which is used again: the same number at every position. */
  readonly places: number;
}

/** The rows to draw where the grid's first `scrolled` px are above the window. */
export function rowsAt(
  { columns, rowHeight }: Layout,
  options: { readonly scrolled: number; readonly viewHeight: number; readonly rows: number },
): RowRange {
  const { scrolled, viewHeight, rows } = options;
  const seen = Math.ceil(Math.max(0, viewHeight) / rowHeight) + 1;
  const spare = Math.floor((MAX_TILES / columns - seen) / 2);
  const overscan = Math.min(MAX_OVERSCAN_ROWS, Math.max(1, spare));
  const places = seen + 2 * overscan;
  const wanted = Math.floor(Math.max(0, scrolled) / rowHeight) - overscan;
  const first = Math.max(0, Math.min(wanted, rows - places));
  return { first, end: Math.min(rows, first + places), places };
}

/** By how much to scroll so that this row is seen whole; 0 where it is. */
export function scrollToShow(
  row: number,
  { rowHeight }: Layout,
  view: { readonly scrolled: number; readonly height: number; readonly above?: number; readonly below?: number },
): number {
  const { scrolled, height, above = 0, below = 0 } = view;
  const top = row * rowHeight - scrolled;
  if (top < above) return top - above;
  const beyond = top + rowHeight - (height - below);
  return beyond > 0 ? Math.min(beyond, top - above) : 0;
}
