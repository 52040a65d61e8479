import { type CSSProperties, useRef, useState } from 'react';
import { type Picture, pictureId, usePictures } from '../../api/gallery.ts';
import { useAllSettings } from '../../api/settings.ts';
import { go, href, usePlace } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { Page } from '../../ui/layout.tsx';
import { Empty, ErrorBox, Loading } from '../../ui/states.tsx';
import { Differences } from './difference-table.tsx';
import { Pane } from './pane.tsx';
import { MOST_COMPARED } from './selection-bar.tsx';
import { COMPARE_KEYS, ShortcutsDialog } from './shortcuts.tsx';
import { useKeys } from './use-keys.ts';
import { useMarking } from './use-marking.tsx';
import { actualSize, FITTED, fittedSize, moved, type Size, type View, zoomed } from './view.ts';
import './compare.css';

const ZOOM_STEP = 1.25;
const MOVE_STEP_PX = 60;

/** Two to four pictures side by side, seen through one view: `#/compare?ids=gen_1:0,gen_2:1`. */
export default function Compare() {
  const { query } = usePlace();
  const ids = idsOf(query.get('ids'));
  const found = usePictures(ids);
  const failed = found.find(({ isError }) => isError);
  if (ids.length === 0)
    return (
      <Page title="Compare">
        <Empty>
          <p>
            Select two to {MOST_COMPARED} pictures in the <a href={href('gallery')}>gallery</a> and press Compare.
          </p>
        </Empty>
      </Page>
    );
  if (failed) return <ErrorBox error={failed.error} onRetry={failed.refetch} />;
  if (found.some(({ isPending }) => isPending)) return <Loading what="the pictures" />;
  const pictures = found.flatMap(({ data }) => data ?? []);
  return <Compared key={ids.length} pictures={pictures} missing={ids.length - pictures.length} />;
}

/** As high as the tallest of them needs where the window has room for it. */
function leastRatio(pictures: readonly Picture[]): CSSProperties & Readonly<Record<`--${string}`, number>> {
  return { '--least-ratio': Math.min(...pictures.map(({ width, height }) => width / height)) };
}

function idsOf(text: string | null): readonly string[] {
  const ids = (text ?? '').split(',').filter((id) => id !== '');
  return [...new Set(ids)].slice(0, MOST_COMPARED);
}

function addressOf(pictures: readonly Picture[]): string {
  return href('compare', undefined, { ids: pictures.map(pictureId).join(',') });
}

function Compared({ pictures, missing }: { readonly pictures: readonly Picture[]; readonly missing: number }) {
  const [view, setView] = useState(FITTED);
  const [hasKeys, setHasKeys] = useState(false);
  const stage = useRef<HTMLDivElement>(null);
  const { mark, said, failure } = useMarking();
  const settings = useAllSettings(pictures);
  const change = (by: (view: View, fitted: Size, picture: Size) => View) => {
    const first = pictures[0];
    const frame = stage.current?.querySelector('.compare-frame');
    if (!first || !frame) return;
    const fitted = fittedSize(first, { width: frame.clientWidth, height: frame.clientHeight });
    setView((before) => by(before, fitted, first));
  };
  const press = (key: string) => {
    const by = changeOf(key);
    if (by) change(by);
    return by !== undefined;
  };
  useKeys('page', (key) => {
    if (key !== '?') return press(key);
    setHasKeys(true);
    return true;
  });
  const swap = (at: number) => {
    const order = [...pictures];
    order.splice(at + 1, 0, ...order.splice(at, 1));
    go(addressOf(order), { replace: true });
  };
  return (
    <Page title="Compare" actions={<Tools press={press} zoom={view.zoom} onKeys={() => setHasKeys(true)} />}>
      <p className="hidden-text" role="status">
        {said}
      </p>
      {missing > 0 && (
        <p className="warn">{missing} of the pictures cannot be found: removed by now, or another key’s.</p>
      )}
      <div className="compare-stage" data-count={pictures.length} ref={stage} style={leastRatio(pictures)}>
        {pictures.map((picture, at) => (
          <Pane
            key={pictureId(picture)}
            picture={picture}
            place={`${at + 1} of ${pictures.length}`}
            view={view}
            onView={setView}
            onMark={(wanted) => mark(picture, wanted)}
            onSwap={at + 1 < pictures.length ? () => swap(at) : undefined}
            onRemove={pictures.length > 1 ? () => go(addressOf(pictures.filter((one) => one !== picture))) : undefined}
          />
        ))}
      </div>
      {failure}
      <Differences pictures={pictures} settings={settings} />
      {hasKeys && <ShortcutsDialog keys={COMPARE_KEYS} onClose={() => setHasKeys(false)} />}
    </Page>
  );
}

function changeOf(key: string): ((view: View, fitted: Size, picture: Size) => View) | undefined {
  const aside = (x: number, y: number) => (view: View, fitted: Size) =>
    moved(view, { x: x * MOVE_STEP_PX, y: y * MOVE_STEP_PX }, fitted);
  switch (key) {
    case '+':
    case '=':
      return (view, fitted) => zoomed(view, ZOOM_STEP, fitted);
    case '-':
      return (view, fitted) => zoomed(view, 1 / ZOOM_STEP, fitted);
    case '0':
      return () => FITTED;
    case '1':
      return (view, fitted, picture) => actualSize(view, picture, fitted);
    case 'ArrowLeft':
      return aside(1, 0);
    case 'ArrowRight':
      return aside(-1, 0);
    case 'ArrowUp':
      return aside(0, 1);
    case 'ArrowDown':
      return aside(0, -1);
    default:
      return undefined;
  }
}

function Tools({
  press,
  zoom,
  onKeys,
}: {
  readonly press: (key: string) => unknown;
  readonly zoom: number;
  readonly onKeys: () => void;
}) {
  return (
    <>
      <Button aria-label="Further" aria-keyshortcuts="-" disabled={zoom <= 1} onClick={() => press('-')}>
        −
      </Button>
      <output className="compare-zoom" aria-label="Zoom">
        {zoom === 1 ? 'Fit' : `× ${zoom.toFixed(1)}`}
      </output>
      <Button aria-label="Closer" aria-keyshortcuts="+" onClick={() => press('+')}>
        +
      </Button>
      <Button aria-keyshortcuts="0" onClick={() => press('0')}>
        Fit
      </Button>
      <Button aria-keyshortcuts="1" onClick={() => press('1')}>
        100 %
      </Button>
      <a className="button" href={href('gallery')}>
        Gallery
      </a>
      <Button look="quiet" aria-keyshortcuts="?" onClick={onKeys}>
        Keys <kbd>?</kbd>
      </Button>
    </>
  );
}
