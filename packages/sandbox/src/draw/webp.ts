import type { Canvas } from './canvas.ts';
import { type BitWriter, canonicalCodes, codeLengths, createBitWriter } from './prefix-codes.ts';
import type { Steps } from './slices.ts';

const PREDICTOR_TRANSFORM = 0;
const SUBTRACT_GREEN_TRANSFORM = 2;
const PREDICT_LEFT = 1;
const LARGEST_BLOCK_BITS = 9;
const LONGEST_RUN = 4096;
/** Alphabets of the five prefix codes: green with run lengths, red, blue, alpha, distances. */
const ALPHABETS = [256 + 24, 256, 256, 256, 40];
/** Distance code 2 is "one pixel to the left"; it needs symbol 1 and no further bits. */
const ONE_TO_THE_LEFT = 1;

/**
 * Lossless WebP: green subtracted from red and blue, each pixel predicted by its left neighbour, runs of equal
 * residues as references, prefix codes. Source: "Specification for WebP Lossless Bitstream", Google, and RFC 9649.
 */
export function* encodeWebp(canvas: Canvas, alpha: boolean): Steps<Buffer> {
  const residues = yield* predictionResidues(canvas, alpha);
  const runs = yield* findRuns(residues);
  const bits = createBitWriter(residues.length / 2);
  bits.write(0x2f, 8);
  bits.write(canvas.width - 1, 14);
  bits.write(canvas.height - 1, 14);
  bits.write(alpha ? 1 : 0, 1);
  bits.write(0, 3);
  writeTransforms(bits);
  yield* writePixels(bits, residues, runs);
  return riff(bits.bytes());
}

/** ARGB residues after both transforms; an alpha channel that is not kept is opaque everywhere. */
function* predictionResidues({ width, height, bytes }: Canvas, keepAlpha: boolean): Steps<Uint32Array> {
  const residues = new Uint32Array(width * height);
  const transformed = new Uint32Array(width);
  let above = 0xff000000;
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from += 4) {
      const green = bytes[from + 1] ?? 0;
      const red = ((bytes[from] ?? 0) - green) & 255;
      const blue = ((bytes[from + 2] ?? 0) - green) & 255;
      const alpha = keepAlpha ? (bytes[from + 3] ?? 0) : 255;
      transformed[x] = ((alpha << 24) | (red << 16) | (green << 8) | blue) >>> 0;
    }
    for (let x = width - 1; x > 0; x--) {
      residues[y * width + x] = difference(transformed[x] ?? 0, transformed[x - 1] ?? 0);
    }
    residues[y * width] = difference(transformed[0] ?? 0, above);
    above = transformed[0] ?? 0;
    if (y % 32 === 0) yield;
  }
  return residues;
}

/** Subtracts channel by channel, modulo 256. */
function difference(one: number, other: number): number {
  const odd = (one | 0x00ff00ff) - (other & 0xff00ff00);
  const even = (one & 0x00ff00ff) + 0xff00ff00 - (other & 0x00ff00ff);
  return ((odd & 0xff00ff00) | (even & 0x00ff00ff)) >>> 0;
}

/** For each pixel, 0 where it is written itself, else the length of the run of its predecessor that starts here. */
function* findRuns(residues: Uint32Array): Steps<Uint16Array> {
  const runs = new Uint16Array(residues.length);
  for (let at = 1; at < residues.length; ) {
    let end = at;
    while (end < residues.length && end - at < LONGEST_RUN && residues[end] === residues[at - 1]) end++;
    if (end - at > 2) runs[at] = end - at;
    at = Math.max(at + 1, end);
    if (at % 64 === 0) yield;
  }
  return runs;
}

function writeTransforms(bits: BitWriter): void {
  bits.write(1, 1);
  bits.write(SUBTRACT_GREEN_TRANSFORM, 2);
  bits.write(1, 1);
  bits.write(PREDICTOR_TRANSFORM, 2);
  bits.write(LARGEST_BLOCK_BITS - 2, 3);
  // The picture of predictors says "left" everywhere: five codes of a single symbol, so its pixels take no bits.
  bits.write(0, 1);
  for (const symbol of [PREDICT_LEFT, 0, 0, 0, 0]) writeSingleSymbol(bits, symbol);
  bits.write(0, 1);
}

function* writePixels(bits: BitWriter, residues: Uint32Array, runs: Uint16Array): Steps<void> {
  const counts = ALPHABETS.map((size) => new Uint32Array(size));
  yield* walk(residues, runs, (code, symbol) => {
    const of = counts[code];
    if (of) of[symbol] = (of[symbol] ?? 0) + 1;
  });
  // No color cache, one group of codes for the whole picture.
  bits.write(0, 2);
  const lengths = counts.map(codeLengths);
  const codes = lengths.map(canonicalCodes);
  counts.forEach((count, code) => {
    writeCode(bits, count, lengths[code]);
  });
  yield* walk(residues, runs, (code, symbol, extra, extraBits) => {
    bits.write(codes[code]?.[symbol] ?? 0, lengths[code]?.[symbol] ?? 0);
    if (extraBits > 0) bits.write(extra, extraBits);
  });
}

type Visit = (code: number, symbol: number, extra: number, extraBits: number) => void;

function* walk(residues: Uint32Array, runs: Uint16Array, visit: Visit): Steps<void> {
  let sinceYield = 0;
  for (let at = 0; at < residues.length; ) {
    const run = runs[at] ?? 0;
    if (run > 0) {
      const { symbol, extra, extraBits } = lengthSymbol(run);
      visit(0, 256 + symbol, extra, extraBits);
      visit(4, ONE_TO_THE_LEFT, 0, 0);
    } else {
      const pixel = residues[at] ?? 0;
      visit(0, (pixel >>> 8) & 255, 0, 0);
      visit(1, (pixel >>> 16) & 255, 0, 0);
      visit(2, pixel & 255, 0, 0);
      visit(3, pixel >>> 24, 0, 0);
    }
    at += run || 1;
    if (++sinceYield % 8192 === 0) yield;
  }
}

/** The prefix symbol of a run length and its further bits (section 4.2.2 of the specification). */
function lengthSymbol(length: number): { symbol: number; extra: number; extraBits: number } {
  if (length <= 4) return { symbol: length - 1, extra: 0, extraBits: 0 };
  const value = length - 1;
  const high = 31 - Math.clz32(value);
  const extraBits = high - 1;
  return { symbol: 2 * high + ((value >> extraBits) & 1), extra: value & ((1 << extraBits) - 1), extraBits };
}

/** A code of one symbol: it takes no bits where it is used. */
function writeSingleSymbol(bits: BitWriter, symbol: number): void {
  bits.write(0b001, 2);
  bits.write(1, 1);
  bits.write(symbol, 8);
}

/** Writes a code as its lengths, four bits each: a code of code lengths in which 0 to 15 are all equally long. */
function writeCode(bits: BitWriter, counts: Uint32Array, lengths: Uint8Array = new Uint8Array()): void {
  const used = [...counts.keys()].filter((symbol) => counts[symbol]);
  if (used.length < 2) {
    writeSingleSymbol(bits, used[0] ?? 0);
    return;
  }
  bits.write(0, 1);
  bits.write(19 - 4, 4);
  // The order of the nineteen is 17, 18, 0 to 5, 16, 6 to 15: the three repeat codes are unused.
  for (const repeats of [true, true, ...Array(6).fill(false), true, ...Array(10).fill(false)])
    bits.write(repeats ? 0 : 4, 3);
  bits.write(0, 1);
  for (const length of lengths) bits.write(reversedNibble(length), 4);
}

function reversedNibble(value: number): number {
  return ((value & 1) << 3) | ((value & 2) << 1) | ((value & 4) >> 1) | ((value & 8) >> 3);
}

function riff(data: Buffer): Buffer {
  const padding = data.length % 2;
  const header = Buffer.alloc(20);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(12 + data.length + padding, 4);
  header.write('WEBPVP8L', 8, 'latin1');
  header.writeUInt32LE(data.length, 16);
  return Buffer.concat([header, data, Buffer.alloc(padding)]);
}
