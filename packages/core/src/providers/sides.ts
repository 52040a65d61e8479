/** A size of `WIDTHxHEIGHT` in pixels; undefined where there is none, or another word. */
export function sidesOf(size: string | undefined): { readonly width: number; readonly height: number } | undefined {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size ?? '') ?? [];
  return width === undefined ? undefined : { width: Number(width), height: Number(height) };
}
