import type { Color } from './shapes.ts';

/** RGBA, eight bits a channel, rows from top to bottom, alpha not premultiplied. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8ClampedArray;
  /** The same memory as `bytes`, one element a pixel. */
  readonly pixels: Uint32Array;
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

export function createCanvas(width: number, height: number): Canvas {
  const buffer = new ArrayBuffer(width * height * 4);
  return { width, height, bytes: new Uint8ClampedArray(buffer), pixels: new Uint32Array(buffer) };
}

/** An opaque color as one element of `Canvas.pixels`. */
export function packed(color: Color): number {
  if (!LITTLE_ENDIAN) return ((color << 8) | 0xff) >>> 0;
  return (0xff000000 | ((color & 0xff) << 16) | (color & 0xff00) | (color >>> 16)) >>> 0;
}

/** Lays `color` with `alpha` (0 to 1) over the pixel at `index`: the "over" operator of Porter and Duff, 1984. */
export function blend(canvas: Canvas, index: number, color: Color, alpha: number): void {
  const { bytes } = canvas;
  const at = index * 4;
  const below = (bytes[at + 3] ?? 0) / 255;
  const above = Math.min(1, alpha);
  const total = above + below * (1 - above);
  if (total <= 0) return;
  const share = above / total;
  for (let channel = 0, shift = 16; channel < 3; channel++, shift -= 8) {
    const old = bytes[at + channel] ?? 0;
    bytes[at + channel] = old + (((color >>> shift) & 255) - old) * share;
  }
  bytes[at + 3] = total * 255;
}

/** Paints the part of row `y` from `from` to `to`; a pixel that is covered in part takes part of the color. */
export function paintSpan(canvas: Canvas, y: number, from: number, to: number, color: Color, alpha: number): void {
  const start = Math.max(0, from);
  const end = Math.min(canvas.width, to);
  if (end <= start) return;
  const row = y * canvas.width;
  const first = Math.ceil(start);
  const last = Math.floor(end);
  if (first > last) {
    blend(canvas, row + last, color, alpha * (end - start));
    return;
  }
  if (first > start) blend(canvas, row + first - 1, color, alpha * (first - start));
  if (alpha >= 1) canvas.pixels.fill(packed(color), row + first, row + last);
  else for (let x = first; x < last; x++) blend(canvas, row + x, color, alpha);
  if (end > last) blend(canvas, row + last, color, alpha * (end - last));
}
