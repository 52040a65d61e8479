import { type HTMLAttributes, type KeyboardEvent, type MouseEvent, memo, useEffect, useMemo, useRef } from 'react';
import { type Picture, pictureId } from '../../api/gallery.ts';
import { moveOf } from './moves.ts';
import { Tile, tileId } from './tile.tsx';
import { useWindow } from './use-window.ts';
import type { Layout } from './window.ts';

export type Act = 'open' | 'select' | 'select-to' | 'star' | 'reject' | 'clear';

/** Pages are asked for this many rows before they are seen, so that one who scrolls does not wait for them. */
const AHEAD_ROWS = 36;
const CHORD_MS = 1_000;

const ACT_OF_KEY: Readonly<Record<string, Act>> = {
  ...{ Enter: 'open', ' ': 'select', c: 'select', s: 'star', x: 'reject', Escape: 'clear' },
};

interface GridProps {
  /** Of the list, whose place on the window is kept. */
  readonly name: string;
  readonly pictures: readonly Picture[];
  readonly hasMore: boolean;
  readonly onMore: () => void;
  readonly selection: readonly string[];
  /** The picture that keys are about. */
  readonly active: number;
  readonly onActive: (at: number) => void;
  readonly onAct: (act: Act, at: number) => void;
}

/**
 * Thousands of pictures, of which those in sight are drawn. The focus stays with the grid, which names the picture that
 * keys are about: an element that held it would be another picture's after a scroll.
 */
export function Grid(props: GridProps) {
  const { name, pictures, hasMore, onMore, selection, active, onActive, onAct } = props;
  const grid = useRef<HTMLDivElement>(null);
  const { seen, rows, reveal } = useWindow(grid, pictures.length, name);
  const chosen = useMemo(() => new Set(selection), [selection]);
  const isNearEnd = seen !== undefined && seen.range.end + AHEAD_ROWS >= rows;
  useEffect(() => {
    if (isNearEnd && hasMore) onMore();
  });
  const pressedGAt = useRef(Number.NEGATIVE_INFINITY);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !seen) return;
    // `g` and a letter goes to another page, wherever the focus is.
    const isChord = event.timeStamp - pressedGAt.current < CHORD_MS;
    pressedGAt.current = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
    if (isChord) return;
    const { columns, rowHeight } = seen.layout;
    const rowsPerPage = Math.floor(window.innerHeight / rowHeight);
    const to = moveOf(event.key, active, { count: pictures.length, columns, rowsPerPage });
    const act = ACT_OF_KEY[event.key];
    if (to === undefined && act === undefined) return;
    event.preventDefault();
    reveal(to ?? active);
    if (to !== undefined) onActive(to);
    else if (act) onAct(act, active);
  };

  const onClick = (event: MouseEvent) => {
    const target = event.target instanceof Element ? event.target : undefined;
    const at = Number(target?.closest<HTMLElement>('[data-at]')?.dataset.at ?? Number.NaN);
    if (Number.isNaN(at)) return;
    const act = (target?.closest<HTMLElement>('[data-act]')?.dataset.act ?? 'open') as Act;
    grid.current?.focus({ preventScroll: true });
    onActive(at);
    onAct(event.shiftKey ? 'select-to' : act, at);
  };

  const isDrawn = seen !== undefined && isInRange(active, seen.layout, seen.range);
  const attributes: HTMLAttributes<HTMLDivElement> = {
    role: 'grid',
    'aria-label': 'Pictures, newest first',
    'aria-multiselectable': true,
    'aria-rowcount': hasMore ? -1 : rows,
    'aria-colcount': seen?.layout.columns,
    'aria-activedescendant': isDrawn ? tileId(active) : undefined,
    tabIndex: 0,
    onKeyDown,
    onClick,
    // A button in a tile must not take the focus along when its tile becomes another's.
    onMouseDown: (event) => event.preventDefault(),
  };
  return (
    <div
      ref={grid}
      {...attributes}
      className="gallery-grid"
      style={{ height: seen ? rows * seen.layout.rowHeight : undefined }}
    >
      {seen && <Rows {...{ pictures, active, chosen }} layout={seen.layout} range={seen.range} />}
    </div>
  );
}

function isInRange(at: number, { columns }: Layout, range: { readonly first: number; readonly end: number }): boolean {
  const row = Math.floor(at / columns);
  return row >= range.first && row < range.end;
}

function Rows(props: {
  readonly pictures: readonly Picture[];
  readonly active: number;
  readonly chosen: ReadonlySet<string>;
  readonly layout: Layout;
  readonly range: { readonly first: number; readonly end: number; readonly places: number };
}) {
  const { range, ...rest } = props;
  const rows = Array.from({ length: range.end - range.first }, (_, at) => range.first + at);
  // In their order for who reads them in a row, and by place, so that an element is used again for what comes into sight.
  return rows.map((row) => <Row key={row % range.places} row={row} {...rest} />);
}

const Row = memo(function Row(props: {
  readonly row: number;
  readonly pictures: readonly Picture[];
  readonly active: number;
  readonly chosen: ReadonlySet<string>;
  readonly layout: Layout;
}) {
  const { row, pictures, active, chosen, layout } = props;
  const { columns, tileWidth, rowHeight } = layout;
  const from = row * columns;
  return (
    <div
      {...{ role: 'row', 'aria-rowindex': row + 1 }}
      className="gallery-row"
      style={{ height: rowHeight, transform: `translateY(${row * rowHeight}px)` }}
    >
      {pictures.slice(from, from + columns).map((picture, column) => (
        <Tile
          key={String(column)}
          picture={picture}
          at={from + column}
          column={column}
          widthPx={tileWidth}
          isActive={from + column === active}
          isSelected={chosen.has(pictureId(picture))}
        />
      ))}
    </div>
  );
});
