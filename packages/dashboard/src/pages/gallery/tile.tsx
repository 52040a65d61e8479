import { memo, useLayoutEffect, useRef } from 'react';
import { ownPath, type Picture } from '../../api/gallery.ts';

const MARK_WORDS = { star: ', starred', reject: ', rejected' } as const;

/** One picture of the grid, in few nodes; what is pressed in it is heard by the grid, by `data-act`. */
export const Tile = memo(function Tile(props: {
  readonly picture: Picture;
  readonly at: number;
  readonly column: number;
  readonly widthPx: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
}) {
  const { picture, at, column, widthPx, isActive, isSelected } = props;
  const { prompt, mark } = picture;
  // A table would lay out its rows; these stand where they are put, and the focus is the grid's.
  const cell = {
    role: 'gridcell',
    'aria-colindex': column + 1,
    'aria-selected': isSelected,
    'aria-label': `${prompt}${mark ? MARK_WORDS[mark] : ''}`,
  };
  return (
    <div
      {...cell}
      id={tileId(at)}
      data-at={at}
      data-mark={mark ?? undefined}
      data-active={isActive || undefined}
      className="gallery-tile"
      style={{ width: widthPx }}
    >
      <Thumbnail src={ownPath(picture.thumbnail_url)} sizePx={widthPx} />
      <span className="gallery-words">{prompt}</span>
      <span className="gallery-acts">
        <Act name="select" isOn={isSelected} label="Select to compare" />
        <Act name="star" isOn={mark === 'star'} label="Star" />
        <Act name="reject" isOn={mark === 'reject'} label="Reject" />
      </span>
    </div>
  );
});

export function tileId(at: number): string {
  return `gallery-tile-${at}`;
}

const ICONS = { select: ['○', '✓'], star: ['☆', '★'], reject: ['✕', '✕'] } as const;

/** By keyboard the same is done from the grid, so that the Tab key need not pass three buttons per picture. */
function Act(props: { readonly name: keyof typeof ICONS; readonly isOn: boolean; readonly label: string }) {
  const { name, isOn, label } = props;
  return (
    <button type="button" tabIndex={-1} data-act={name} aria-pressed={isOn} aria-label={label} title={label}>
      {ICONS[name][isOn ? 1 : 0]}
    </button>
  );
}

/** One transparent pixel. */
const BLANK = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

/**
 * The element is used again for another picture as one scrolls, and would show the one before, above another prompt,
 * until the new one is there. An image without any address would make nodes of its own for the words in its place.
 */
function Thumbnail({ src, sizePx }: { readonly src: string; readonly sizePx: number }) {
  const image = useRef<HTMLImageElement>(null);
  useLayoutEffect(() => {
    const element = image.current;
    if (!element) return;
    element.src = BLANK;
    element.src = src;
  }, [src]);
  return <img ref={image} alt="" decoding="async" width={sizePx} height={sizePx} draggable={false} />;
}
