import type { SizeRule } from '../capabilities.ts';

export interface Pixels {
  readonly width: number;
  readonly height: number;
}

type PixelRule = Extract<SizeRule, { kind: 'pixels' }>;

/** Sides this much off what was asked make another picture. */
const MAX_RATIO_OFF = 1.25;
/** The shape shows more than a few pixels more or less. */
const RATIO_WEIGHT = 4;
const ROUNDING = 1e-9;
const MAX_STEPS = 4_096;

/** `1024x768`; undefined for anything else. */
export function parseSize(size: string): Pixels | undefined {
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size) ?? [];
  return width === undefined || height === undefined ? undefined : { width: Number(width), height: Number(height) };
}

export function spellSize({ width, height }: Pixels): string {
  return `${width}x${height}`;
}

/** Width over height of `16:9`; undefined for anything else. */
export function parseRatio(ratio: string): number | undefined {
  const [, width, height] = /^([1-9]\d{0,4})[:x]([1-9]\d{0,4})$/.exec(ratio) ?? [];
  return width === undefined || height === undefined ? undefined : Number(width) / Number(height);
}

/** The side of the square of `2K`, `0.5K`, `1MP`, `512` or `1080px`; undefined for anything else. */
export function parseResolution(resolution: string): number | undefined {
  const [, amount = '', unit = ''] = /^(\d{1,5}(?:\.\d{1,3})?) ?(k|mp|px)?$/i.exec(resolution) ?? [];
  const number = Number(amount);
  const side = { k: number * 1024, mp: Math.sqrt(number) * 1024 }[unit.toLowerCase()] ?? number;
  return side >= 1 ? side : undefined;
}

/** Of sizes of about the wanted shape, the nearest in shape and area; undefined where every shape is another. */
export function nearestSize(sizes: readonly Pixels[], wanted: Pixels): Pixels | undefined {
  const ratio = wanted.width / wanted.height;
  const area = wanted.width * wanted.height;
  const alike = sizes.filter(({ width, height }) => isAlike(width / height, ratio));
  return nearestOf(alike, ({ width, height }) => RATIO_WEIGHT * off(width / height, ratio) + off(width * height, area));
}

/** The wanted size where it is within bounds, else the nearest that is; undefined where none has about its shape. */
export function sizeWithin(wanted: Pixels, rule: PixelRule): Pixels | undefined {
  if (isWithin(wanted, rule)) return wanted;
  const { multipleOf, minSide, maxSide } = rule;
  const first = Math.ceil(minSide / multipleOf);
  const last = Math.floor(maxSide / multipleOf);
  const stride = Math.max(1, Math.ceil((last - first) / MAX_STEPS));
  const candidates: Pixels[] = [];
  for (let step = first; step <= last; step += stride) {
    const width = step * multipleOf;
    const height = heightFor(width, wanted, rule);
    if (height !== undefined) candidates.push({ width, height });
  }
  return nearestSize(candidates, wanted);
}

/** The legal height at this width that comes nearest to the wanted shape. */
function heightFor(width: number, wanted: Pixels, rule: PixelRule): number | undefined {
  const { multipleOf, minSide, maxSide, minPixels = 0, maxPixels = Number.POSITIVE_INFINITY } = rule;
  const { maxRatio = Number.POSITIVE_INFINITY } = rule;
  const least = Math.ceil(Math.max(minSide, minPixels / width, width / maxRatio) / multipleOf);
  const most = Math.floor(Math.min(maxSide, maxPixels / width, width * maxRatio) / multipleOf);
  if (least > most) return undefined;
  const ideal = Math.round((width * wanted.height) / wanted.width / multipleOf);
  const height = Math.min(most, Math.max(least, ideal)) * multipleOf;
  return isWithin({ width, height }, rule) ? height : undefined;
}

function isWithin({ width, height }: Pixels, rule: PixelRule): boolean {
  const { multipleOf, minSide, maxSide, minPixels = 0, maxPixels = Number.POSITIVE_INFINITY } = rule;
  const { maxRatio = Number.POSITIVE_INFINITY } = rule;
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (width % multipleOf !== 0 || height % multipleOf !== 0 || short < minSide || long > maxSide) return false;
  const area = width * height;
  return area >= minPixels && area <= maxPixels && long <= short * maxRatio;
}

/** The first of the nearest. */
export function nearestOf<Item>(items: readonly Item[], distance: (item: Item) => number): Item | undefined {
  let found: { readonly item: Item; readonly at: number } | undefined;
  for (const item of items) {
    const at = distance(item);
    if (found === undefined || at < found.at - ROUNDING) found = { item, at };
  }
  return found?.item;
}

/** How far apart two amounts are, as a ratio: 0 for equal ones, the same both ways. */
export function off(a: number, b: number): number {
  return Math.abs(Math.log(a / b));
}

/** Whether two ratios of width to height make about the same picture. */
export function isAlike(a: number, b: number): boolean {
  return off(a, b) <= Math.log(MAX_RATIO_OFF) + ROUNDING;
}
