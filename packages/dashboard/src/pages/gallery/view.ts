/** What is seen of a picture: its point in the middle of the frame (0 to 1 of its size) and how often its fitted size. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const FITTED: View = { x: 0.5, y: 0.5, zoom: 1 };
export const MAX_ZOOM = 32;

/** The size at which a picture is seen whole in a frame. */
export function fittedSize(picture: Size, frame: Size): Size {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height);
  return { width: picture.width * scale, height: picture.height * scale };
}

/** Larger or smaller by `factor`; the point `from` of the frame (px from its middle) stays where it is. */
export function zoomed(view: View, factor: number, fitted: Size, from = { x: 0, y: 0 }): View {
  const zoom = Math.max(1, Math.min(MAX_ZOOM, view.zoom * factor));
  const shift = 1 / view.zoom - 1 / zoom;
  return within({
    zoom,
    x: view.x + (from.x / fitted.width) * shift,
    y: view.y + (from.y / fitted.height) * shift,
  });
}

/** Drawn aside by so many px of the frame. */
export function moved(view: View, by: { readonly x: number; readonly y: number }, fitted: Size): View {
  return within({
    ...view,
    x: view.x - by.x / (fitted.width * view.zoom),
    y: view.y - by.y / (fitted.height * view.zoom),
  });
}

/** One pixel of the picture on one of the window. */
export function actualSize(view: View, picture: Size, fitted: Size): View {
  return within({ ...view, zoom: Math.max(1, Math.min(MAX_ZOOM, picture.width / fitted.width)) });
}

/** No further than that an edge of the picture comes to where it is when all of it is seen. */
function within({ x, y, zoom }: View): View {
  const margin = 0.5 / zoom;
  const bound = (value: number) => Math.max(margin, Math.min(1 - margin, value));
  return { x: bound(x), y: bound(y), zoom };
}

/** For CSS, of an element that has the fitted size and stands in the middle of the frame. */
export function transformOf({ x, y, zoom }: View): string {
  return `translate(${((0.5 - x) * zoom * 100).toFixed(3)}%, ${((0.5 - y) * zoom * 100).toFixed(3)}%) scale(${zoom.toFixed(4)})`;
}
