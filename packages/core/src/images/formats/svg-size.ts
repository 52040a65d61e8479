/** What a replaced element without a size measures: CSS 2.2, 10.3.2. */
const DEFAULT_WIDTH = 300;
const DEFAULT_HEIGHT = 150;

const MAX_LENGTH_CHARS = 40;

/** CSS pixels per unit: CSS Values 4, 6.2. */
const PIXELS: Readonly<Record<string, number>> = { px: 1, in: 96, cm: 96 / 2.54, mm: 96 / 25.4, pt: 96 / 72, pc: 16 };

/**
 * The size of an SVG in whole CSS pixels from its root's attributes: absolute `width` and `height`, else those of
 * `viewBox`, else 300 × 150. One absolute side takes the other from the ratio of `viewBox`.
 */
export function svgSize(attributes: string): { width: number; height: number } {
  const found = new Map<string, string>();
  for (const [, name = '', quoted] of attributes.matchAll(/([^\s=/"']+)(?:\s*=\s*("[^"]*"|'[^']*'))?/g)) {
    if (quoted !== undefined) found.set(name, quoted.slice(1, -1).trim());
  }
  const [, , boxWidth = 0, boxHeight = 0] = (found.get('viewBox') ?? '').split(/[\s,]+/).map(Number);
  const hasBox = boxWidth > 0 && boxHeight > 0;
  const width = pixels(found.get('width'));
  const height = pixels(found.get('height'));
  const ratio = hasBox ? boxWidth / boxHeight : DEFAULT_WIDTH / DEFAULT_HEIGHT;
  if (width !== undefined) return whole(width, height ?? width / ratio);
  if (height !== undefined) return whole(height * ratio, height);
  return hasBox ? whole(boxWidth, boxHeight) : whole(DEFAULT_WIDTH, DEFAULT_HEIGHT);
}

/** Undefined for what has no size of its own, such as `100%` or `2em`. */
function pixels(length: string | undefined): number | undefined {
  if (length === undefined || length.length > MAX_LENGTH_CHARS) return undefined;
  const [, number, unit = 'px'] = /^(\+?\d*\.?\d+(?:e[+-]?\d+)?)([a-z]{2})?$/i.exec(length) ?? [];
  const perUnit = PIXELS[unit.toLowerCase()];
  return number === undefined || perUnit === undefined ? undefined : Number(number) * perUnit;
}

/** A side of 0 stays 0, because it disables rendering; anything more shows at least one pixel. */
function whole(width: number, height: number): { width: number; height: number } {
  return { width: Math.ceil(width), height: Math.ceil(height) };
}
