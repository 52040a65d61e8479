import { type CSSProperties, type KeyboardEvent, useRef } from 'react';
import { type Mark, ownPath, type Picture } from '../../api/gallery.ts';
import { href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { fileName } from './download.ts';
import { useViewGestures } from './use-view-gestures.ts';
import { transformOf, type View } from './view.ts';

interface PaneProps {
  readonly picture: Picture;
  /** `1 of 3`. */
  readonly place: string;
  readonly view: View;
  readonly onView: (change: (view: View) => View) => void;
  readonly onMark: (mark: Mark) => void;
  readonly onSwap: (() => void) | undefined;
  readonly onRemove: (() => void) | undefined;
}

/** One picture of a comparison, seen through the view that all of them share. */
export function Pane(props: PaneProps) {
  const { picture, place, view, onView, onMark } = props;
  const { prompt, width, height, url, mark, target, route } = picture;
  const frame = useRef<HTMLElement>(null);
  useViewGestures(frame, picture, onView);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 's') onMark(mark === 'star' ? null : 'star');
    if (event.key === 'x') onMark(mark === 'reject' ? null : 'reject');
  };
  const style: CSSProperties & Readonly<Record<`--${string}`, number>> = {
    '--ratio': width / height,
    transform: transformOf(view),
  };
  return (
    <article className="compare-pane" data-mark={mark ?? undefined} aria-label={`Picture ${place}`}>
      <section
        ref={frame}
        className="compare-frame"
        aria-label={`View of picture ${place}`}
        {...{ tabIndex: 0, onKeyDown }}
      >
        <img src={ownPath(url)} alt={prompt} decoding="async" draggable={false} style={style} />
      </section>
      <div className="compare-head">
        <strong className="compare-target">{target ?? route}</strong>
        <PaneActs {...props} />
      </div>
    </article>
  );
}

function PaneActs({ picture, place, onMark, onSwap, onRemove }: PaneProps) {
  const { mark, url, generation } = picture;
  return (
    <span className="actions">
      <Button
        look="quiet"
        aria-label={`Star picture ${place}`}
        aria-pressed={mark === 'star'}
        onClick={() => onMark(mark === 'star' ? null : 'star')}
      >
        {mark === 'star' ? '★' : '☆'}
      </Button>
      <Button
        look="quiet"
        aria-label={`Reject picture ${place}`}
        aria-pressed={mark === 'reject'}
        onClick={() => onMark(mark === 'reject' ? null : 'reject')}
      >
        ⊘
      </Button>
      {onSwap && (
        <Button
          look="quiet"
          aria-label={`Swap picture ${place} with the next`}
          title="Swap with the next"
          onClick={onSwap}
        >
          ⇄
        </Button>
      )}
      <a className="button button-quiet" href={href('playground', undefined, { from: generation })}>
        Again
      </a>
      <a className="button button-quiet" href={ownPath(url)} download={fileName(picture)}>
        Download
      </a>
      {onRemove && (
        <Button look="quiet" aria-label={`Take picture ${place} out`} title="Take it out" onClick={onRemove}>
          ✕
        </Button>
      )}
    </span>
  );
}
