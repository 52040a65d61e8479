import type { Canvas } from './canvas.ts';
import type { Steps } from './slices.ts';

// ITU-T T.81, tables K.1 (quantisation), K.3 and K.5 (Huffman codes). Chrominance shares the luminance tables.
const QUANTISATION = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const DC_COUNTS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_SYMBOLS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const AC_COUNTS = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d];
const AC_SYMBOLS = [
  ...Buffer.from(
    '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637' +
      '38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3' +
      'a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
    'hex',
  ),
];
const END_OF_BLOCK = 0;
const SIXTEEN_ZEROS = 0xf0;

const ZIGZAG = zigzag();
// COSINES[u * 8 + x]: the one-dimensional DCT-II of T.81 A.3.3, its scale factors included.
const COSINES = Float64Array.from({ length: 64 }, (_, at) => {
  const [u, x] = [at >> 3, at & 7];
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

/** The order in which T.81 figure A.6 walks the 64 coefficients: along the diagonals, turning at each end. */
function zigzag(): number[] {
  const all = Array.from({ length: 64 }, (_, at) => at);
  const diagonal = (at: number) => (at >> 3) + (at & 7);
  const along = (at: number) => (diagonal(at) % 2 === 0 ? at & 7 : at >> 3);
  return all.sort((one, other) => diagonal(one) - diagonal(other) || along(one) - along(other));
}

/** Huffman codes by symbol, as `length << 16 | code` (T.81 annex C). */
function huffman(counts: readonly number[], symbols: readonly number[]): Uint32Array {
  const codes = new Uint32Array(256);
  let code = 0;
  let next = 0;
  counts.forEach((count, index) => {
    for (let n = 0; n < count; n++) codes[symbols[next++] ?? 0] = ((index + 1) << 16) | code++;
    code <<= 1;
  });
  return codes;
}

const DC = huffman(DC_COUNTS, DC_SYMBOLS);
const AC = huffman(AC_COUNTS, AC_SYMBOLS);

/** Baseline JPEG, 4:4:4, `quality` 1 to 100 on the scale of the Independent JPEG Group; alpha is ignored. */
export function* encodeJpeg(canvas: Canvas, quality: number): Steps<Buffer> {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  const divisors = QUANTISATION.map((value) => Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100))));
  const bits = createBits(canvas.width * canvas.height);
  const previous: [number, number, number] = [0, 0, 0];
  const block = new Float64Array(64);
  for (let y = 0; y < canvas.height; y += 8) {
    for (let x = 0; x < canvas.width; x += 8) {
      for (const component of [0, 1, 2] as const) {
        readBlock(canvas, x, y, component, block);
        transform(block);
        previous[component] = writeBlock(bits, block, divisors, previous[component]);
      }
    }
    yield;
  }
  bits.write(0x7f, 7);
  return Buffer.concat([header(canvas, divisors), bits.bytes(), Buffer.from([0xff, 0xd9])]);
}

// Rows of the RGB to YCbCr matrix of JFIF 1.02; Y is shifted by -128 like every sample, Cb and Cr then need no shift.
const MATRIX = [
  [0.299, 0.587, 0.114, -128],
  [-0.168736, -0.331264, 0.5, 0],
  [0.5, -0.418688, -0.081312, 0],
] as const;

/** Reads one component of an 8x8 block; beyond the picture's edge its last row and column go on. */
function readBlock(
  { width, height, bytes }: Canvas,
  left: number,
  top: number,
  component: 0 | 1 | 2,
  block: Float64Array,
): void {
  const [red, green, blue, shift] = MATRIX[component];
  for (let at = 0; at < 64; at++) {
    const x = Math.min(width - 1, left + (at & 7));
    const from = (Math.min(height - 1, top + (at >> 3)) * width + x) * 4;
    block[at] = red * (bytes[from] ?? 0) + green * (bytes[from + 1] ?? 0) + blue * (bytes[from + 2] ?? 0) + shift;
  }
}

const halfway = new Float64Array(64);

/** The two-dimensional DCT in place: over the rows, then over the columns. */
function transform(block: Float64Array): void {
  pass(block, halfway);
  pass(halfway, block);
}

/** Transforms each row of `from` and writes it as a column of `to`. */
function pass(from: Float64Array, to: Float64Array): void {
  for (let row = 0; row < 64; row += 8) {
    for (let u = 0; u < 8; u++) {
      let sum = 0;
      for (let x = 0; x < 8; x++) sum += (from[row + x] ?? 0) * (COSINES[u * 8 + x] ?? 0);
      to[u * 8 + (row >> 3)] = sum;
    }
  }
}

/** Writes one quantised block (T.81 F.1.2) and returns its DC coefficient, which predicts the next one. */
function writeBlock(bits: Bits, block: Float64Array, divisors: readonly number[], predicted: number): number {
  const first = Math.round((block[0] ?? 0) / (divisors[0] ?? 1));
  writeNumber(bits, DC, 0, first - predicted);
  let zeros = 0;
  for (let index = 1; index < 64; index++) {
    const at = ZIGZAG[index] ?? 0;
    const value = Math.round((block[at] ?? 0) / (divisors[at] ?? 1));
    if (value === 0) {
      zeros++;
      continue;
    }
    for (; zeros > 15; zeros -= 16) bits.writeCode(AC[SIXTEEN_ZEROS] ?? 0);
    writeNumber(bits, AC, zeros, value);
    zeros = 0;
  }
  if (zeros > 0) bits.writeCode(AC[END_OF_BLOCK] ?? 0);
  return first;
}

/** A code for (zeros before, bits needed), then the bits: negative numbers as their one's complement. */
function writeNumber(bits: Bits, codes: Uint32Array, zeros: number, value: number): void {
  const length = 32 - Math.clz32(Math.abs(value));
  bits.writeCode(codes[(zeros << 4) | length] ?? 0);
  if (length > 0) bits.write(value < 0 ? value + (1 << length) - 1 : value, length);
}

interface Bits {
  write(value: number, length: number): void;
  writeCode(code: number): void;
  bytes(): Buffer;
}

/** Collects bits, highest first, and stuffs a zero after every 0xFF byte; grows as needed. */
function createBits(capacity: number): Bits {
  let buffer = Buffer.allocUnsafe(Math.max(1024, capacity));
  let size = 0;
  let pending = 0;
  let pendingBits = 0;
  const push = (byte: number) => {
    if (size === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    buffer[size++] = byte;
  };
  const write = (value: number, length: number) => {
    pending = (pending << length) | value;
    pendingBits += length;
    while (pendingBits >= 8) {
      pendingBits -= 8;
      const byte = (pending >>> pendingBits) & 0xff;
      push(byte);
      if (byte === 0xff) push(0);
    }
    pending &= (1 << pendingBits) - 1;
  };
  return { write, writeCode: (code) => write(code & 0xffff, code >>> 16), bytes: () => buffer.subarray(0, size) };
}

function header({ width, height }: Canvas, divisors: readonly number[]): Buffer {
  const segment = (marker: number, body: readonly number[]) => [
    0xff,
    marker,
    (body.length + 2) >> 8,
    (body.length + 2) & 255,
    ...body,
  ];
  return Buffer.from([
    ...[0xff, 0xd8],
    ...segment(0xe0, [...Buffer.from('JFIF\0'), 1, 2, 0, 0, 1, 0, 1, 0, 0]),
    ...segment(0xdb, [0, ...ZIGZAG.map((at) => divisors[at] ?? 1)]),
    ...segment(0xc0, [8, height >> 8, height & 255, width >> 8, width & 255, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]),
    ...segment(0xc4, [0x00, ...DC_COUNTS, ...DC_SYMBOLS]),
    ...segment(0xc4, [0x10, ...AC_COUNTS, ...AC_SYMBOLS]),
    ...segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
  ]);
}
