import { type RefObject, useCallback, useLayoutEffect, useState } from 'react';
import { type Layout, layoutFor, type RowRange, rowsAt, scrollToShow } from './window.ts';

interface Seen {
  readonly layout: Layout;
  readonly range: RowRange;
}

interface Measures {
  readonly width: number;
  readonly top: number;
}

/** Where scrolling stood when a list was left, so that coming back from a comparison finds it there. */
const left = new Map<string, number>();
const MAX_LEFT = 20;

/**
 * Which rows of a grid of `count` pictures are to be drawn; undefined until it was measured. It follows the window as it
 * scrolls and draws anew only where another row comes into it. `name`: of the list, whose place is kept.
 */
export function useWindow(grid: RefObject<HTMLElement | null>, count: number, name: string) {
  const [measures, setMeasures] = useState<Measures>();
  const [scrolled, setScrolled] = useState({ rowTop: 0, viewHeight: 0 });
  const layout = measures && layoutFor(measures.width);
  const rowHeight = layout?.rowHeight;

  useLayoutEffect(() => {
    const element = grid.current;
    if (!element) return;
    const measure = () => {
      const { width, top } = element.getBoundingClientRect();
      const next = { width: Math.floor(width), top: Math.round(top + window.scrollY) };
      setMeasures((before) => (before?.width === next.width && before.top === next.top ? before : next));
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    // What stands above the grid moves it without resizing it.
    if (element.parentElement) watcher.observe(element.parentElement);
    return () => watcher.disconnect();
  }, [grid]);

  useLayoutEffect(() => {
    if (measures === undefined || rowHeight === undefined) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      const rowTop = Math.floor((window.scrollY - measures.top) / rowHeight) * rowHeight;
      const viewHeight = window.innerHeight;
      setScrolled((before) =>
        before.rowTop === rowTop && before.viewHeight === viewHeight ? before : { rowTop, viewHeight },
      );
    };
    const onScroll = () => {
      if (frame === 0) frame = requestAnimationFrame(look);
    };
    look();
    window.addEventListener('scroll', onScroll, { passive: true });
    window.addEventListener('resize', onScroll);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener('scroll', onScroll);
      window.removeEventListener('resize', onScroll);
    };
  }, [measures, rowHeight]);

  useKeptPlace(name, measures !== undefined && count > 0);

  const reveal = useCallback(
    (at: number) => {
      if (!measures) return;
      const shape = layoutFor(measures.width);
      const view = { scrolled: window.scrollY - measures.top, height: window.innerHeight, above: 8, below: 64 };
      const by = scrollToShow(Math.floor(at / shape.columns), shape, view);
      if (by !== 0) window.scrollBy({ top: by, behavior: 'instant' });
    },
    [measures],
  );

  const rows = layout ? Math.ceil(count / layout.columns) : 0;
  const seen: Seen | undefined = layout && {
    layout,
    range: rowsAt(layout, { scrolled: scrolled.rowTop, viewHeight: scrolled.viewHeight, rows }),
  };
  return { seen, rows, reveal };
}

function useKeptPlace(name: string, isReady: boolean): void {
  useLayoutEffect(() => {
    if (!isReady) return;
    const at = left.get(name);
    if (at !== undefined) window.scrollTo({ top: at, behavior: 'instant' });
    let last = window.scrollY;
    const onScroll = () => {
      last = window.scrollY;
    };
    window.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      window.removeEventListener('scroll', onScroll);
      left.delete(name);
      left.set(name, last);
      for (const oldest of left.keys()) if (left.size > MAX_LEFT) left.delete(oldest);
    };
  }, [name, isReady]);
}
