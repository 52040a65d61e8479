import { type RefObject, useEffect } from 'react';
import { fittedSize, moved, type Size, type View, zoomed } from './view.ts';

const WHEEL_LINE_PX = 16;
/** A notch of a mouse wheel, 100 px, is about a fifth more. */
const ZOOM_PER_PX = 0.002;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Wheel, drag and pinch over a frame change the view; the point under the pointer stays under it. */
export function useViewGestures(
  frame: RefObject<HTMLElement | null>,
  picture: Size,
  onView: (change: (view: View) => View) => void,
): void {
  const { width, height } = picture;
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const fitted = () => fittedSize({ width, height }, { width: element.clientWidth, height: element.clientHeight });
    const fromMiddle = ({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }): Point => {
      const box = element.getBoundingClientRect();
      return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
    };
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const px = event.deltaMode === 0 ? event.deltaY : event.deltaY * WHEEL_LINE_PX;
      const from = fromMiddle(event);
      onView((view) => zoomed(view, Math.exp(-px * ZOOM_PER_PX), fitted(), from));
    };
    const pointers = followPointers(element, fromMiddle, (before, after) =>
      onView((view) => dragged(view, before, after, fitted())),
    );
    // React would listen in a way that cannot keep the page from scrolling.
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      element.removeEventListener('wheel', onWheel);
      pointers.end();
    };
  }, [frame, width, height, onView]);
}

/** One finger moves; two move and zoom by how far they are apart. */
export function dragged(view: View, before: readonly Point[], after: readonly Point[], fitted: Size): View {
  const [from, to] = [middleOf(before), middleOf(after)];
  const [apart, now] = [distanceOf(before), distanceOf(after)];
  const zoomedView = apart > 0 && now > 0 ? zoomed(view, now / apart, fitted, from) : view;
  return moved(zoomedView, { x: to.x - from.x, y: to.y - from.y }, fitted);
}

function middleOf(points: readonly Point[]): Point {
  const sum = points.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}

function distanceOf([a, b]: readonly Point[]): number {
  return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
}

function followPointers(
  element: HTMLElement,
  place: (event: PointerEvent) => Point,
  onMove: (before: readonly Point[], after: readonly Point[]) => void,
) {
  const points = new Map<number, Point>();
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || points.size >= 2) return;
    element.setPointerCapture(event.pointerId);
    points.set(event.pointerId, place(event));
  };
  const move = (event: PointerEvent) => {
    if (!points.has(event.pointerId)) return;
    const before = [...points.values()];
    points.set(event.pointerId, place(event));
    onMove(before, [...points.values()]);
  };
  const up = (event: PointerEvent) => void points.delete(event.pointerId);
  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', move);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  return {
    end() {
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', up);
      element.removeEventListener('pointercancel', up);
    },
  };
}
