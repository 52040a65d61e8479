import type { Look } from '@onetake/core';

/** Decoded pixels, four bytes each (red, green, blue, opacity; not premultiplied), row after row. */
export interface DecodedPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

type Measured = Omit<Look, 'width' | 'height'>;

const CHANNELS = 4;
/** Rec. ITU-R BT.709, 3.2. */
const [RED, GREEN, BLUE] = [0.2126, 0.7152, 0.0722];
/** What shines through transparency where a place needs one luma: neither a white nor a black drawing vanishes on it. */
const BEHIND = 0.5;
/** Less opaque than this nobody sees a pixel's colour. */
const VISIBLE_OPACITY = 0.1;
const LUMA_STEPS = 256;
const [LOW_PERCENTILE, HIGH_PERCENTILE] = [0.05, 0.95];
/** The variance of the Laplacian of a soft photo of 256 pixels; sharp ones have two to four times that. */
const SOFT_VARIANCE = 0.01;
const HASH_SIDE = 8;
/** Two neighbouring places differ when they are one step of an 8-bit picture apart: noise makes no structure. */
const HASH_STEP = 1 / 255;

/**
 * Measures a picture that was scaled down to a few hundred pixels a side: linear in the pixels, in one thread. Sides of
 * 0 and data of another length than the sides say are a RangeError.
 */
export function measure(pixels: DecodedPixels): Measured {
  const { data, width, height } = pixels;
  if (!(width >= 1 && height >= 1) || data.length !== width * height * CHANNELS) {
    throw new RangeError(`pixels.data holds ${data.length} bytes; ${width} × ${height} pixels are 4 bytes each`);
  }
  const lumas = lumasOf(data);
  const tones = measureTones(data, lumas);
  const shown = flatten(data, lumas);
  const variance = laplacianVariance(shown, width, height);
  return { ...tones, sharpness: variance / (variance + SOFT_VARIANCE), hash: differenceHash(shown, width, height) };
}

/** In the order of their sums: value times weight, then value squared times weight. */
const [R, G, B, LUMA, ALPHA] = [0, 1, 2, 3, 4];
const SUMS = 5;
const LEVELS = Float64Array.from({ length: 256 }, (_, level) => level / 255);

/** One pass with plain sums: this runs on the main thread, and objects for each pixel would take five times as long. */
function measureTones(data: Uint8Array, lumas: Float64Array): Omit<Measured, 'sharpness' | 'hash'> {
  const sums = new Float64Array(SUMS);
  const squares = new Float64Array(SUMS);
  const histogram = new Float64Array(LUMA_STEPS);
  let peakLuma = 0;
  const add = (which: number, value: number, weight: number) => {
    sums[which] = (sums[which] ?? 0) + value * weight;
    squares[which] = (squares[which] ?? 0) + value * value * weight;
  };
  for (let place = 0, at = 0; place < lumas.length; place += 1, at += CHANNELS) {
    const opacity = LEVELS[data[at + 3] ?? 0] ?? 0;
    const luma = lumas[place] ?? 0;
    add(R, LEVELS[data[at] ?? 0] ?? 0, opacity);
    add(G, LEVELS[data[at + 1] ?? 0] ?? 0, opacity);
    add(B, LEVELS[data[at + 2] ?? 0] ?? 0, opacity);
    add(LUMA, luma, opacity);
    add(ALPHA, opacity, 1);
    const step = Math.min(LUMA_STEPS - 1, Math.round(luma * (LUMA_STEPS - 1)));
    histogram[step] = (histogram[step] ?? 0) + opacity;
    if (opacity >= VISIBLE_OPACITY && luma > peakLuma) peakLuma = luma;
  }
  const visible = sums[ALPHA] ?? 0;
  const deviation = (which: number, weight: number) => deviationOf(sums[which] ?? 0, squares[which] ?? 0, weight);
  return {
    meanLuma: visible > 0 ? (sums[LUMA] ?? 0) / visible : 0,
    peakLuma,
    deviation: deviation(LUMA, visible),
    colourDeviation: Math.max(deviation(R, visible), deviation(G, visible), deviation(B, visible)),
    opaqueShare: visible / lumas.length,
    alphaDeviation: deviation(ALPHA, lumas.length),
    contrast: percentile(histogram, visible, HIGH_PERCENTILE) - percentile(histogram, visible, LOW_PERCENTILE),
  };
}

function deviationOf(sum: number, squares: number, weight: number): number {
  if (weight <= 0) return 0;
  const mean = sum / weight;
  return Math.sqrt(Math.max(0, squares / weight - mean * mean));
}

function percentile(histogram: Float64Array, total: number, share: number): number {
  let passed = 0;
  for (let step = 0; step < histogram.length; step += 1) {
    passed += histogram[step] ?? 0;
    if (total > 0 && passed >= share * total) return step / (LUMA_STEPS - 1);
  }
  return 0;
}

function lumasOf(data: Uint8Array): Float64Array {
  const lumas = new Float64Array(data.length / CHANNELS);
  for (let place = 0, at = 0; place < lumas.length; place += 1, at += CHANNELS) {
    lumas[place] = (RED * (data[at] ?? 0) + GREEN * (data[at + 1] ?? 0) + BLUE * (data[at + 2] ?? 0)) / 255;
  }
  return lumas;
}

/** The luma of every place, over one that is neither white nor black. */
function flatten(data: Uint8Array, lumas: Float64Array): Float64Array {
  return lumas.map((luma, place) => {
    const opacity = LEVELS[data[place * CHANNELS + 3] ?? 0] ?? 0;
    return opacity * luma + (1 - opacity) * BEHIND;
  });
}

/** Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy": blur takes the second derivative away. */
function laplacianVariance(shown: Float64Array, width: number, height: number): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const around = (shown[at - 1] ?? 0) + (shown[at + 1] ?? 0) + (shown[at - width] ?? 0) + (shown[at + width] ?? 0);
      const change = around - 4 * (shown[at] ?? 0);
      sum += change;
      squares += change * change;
      count += 1;
    }
  }
  return deviationOf(sum, squares, count) ** 2;
}

/** N. Krawetz 2013, "Kind of Like That": of 9 × 8 places, whether each is darker than the next one in its row. */
function differenceHash(shown: Float64Array, width: number, height: number): string {
  let hash = 0n;
  for (let row = 0; row < HASH_SIDE; row += 1) {
    const [top, bottom] = span(row, HASH_SIDE, height);
    let before = meanOf(shown, width, span(0, HASH_SIDE + 1, width), [top, bottom]);
    for (let column = 1; column <= HASH_SIDE; column += 1) {
      const mean = meanOf(shown, width, span(column, HASH_SIDE + 1, width), [top, bottom]);
      hash = (hash << 1n) | (mean - before > HASH_STEP ? 1n : 0n);
      before = mean;
    }
  }
  return hash.toString(16).padStart((HASH_SIDE * HASH_SIDE) / 4, '0');
}

type Span = readonly [from: number, to: number];

/** At least one place, also where the picture has fewer than there are spans. */
function span(index: number, spans: number, length: number): Span {
  const from = Math.min(length - 1, Math.floor((index * length) / spans));
  return [from, Math.max(from + 1, Math.floor(((index + 1) * length) / spans))];
}

function meanOf(shown: Float64Array, width: number, [left, right]: Span, [top, bottom]: Span): number {
  let sum = 0;
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) sum += shown[y * width + x] ?? 0;
  }
  return sum / ((right - left) * (bottom - top));
}
