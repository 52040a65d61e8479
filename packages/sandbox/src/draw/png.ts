import { promisify } from 'node:util';
import { constants, crc32, deflate } from 'node:zlib';
import type { Canvas } from './canvas.ts';
import { runInSlices, type Steps } from './slices.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const FILTER_SUB = 1;
const ROWS_PER_STEP = 32;
const compress = promisify(deflate);

/** PNG (W3C, third edition): RGB, or RGBA when `alpha` is kept, each row filtered by its left neighbour. */
export async function encodePng(canvas: Canvas, alpha: boolean): Promise<Buffer> {
  const rows = await runInSlices(filterRows(canvas, alpha ? 4 : 3));
  return wrapPng(
    canvas.width,
    canvas.height,
    alpha,
    await compress(rows, { level: 3, strategy: constants.Z_FILTERED }),
  );
}

/** A valid PNG of at least `bytes` bytes whose noise no decoder can shortcut and whose compression costs nothing. */
export async function noisePng(bytes: number, noise: Buffer): Promise<{ png: Buffer; side: number }> {
  const side = Math.max(1, Math.ceil(Math.sqrt(bytes / 3)));
  const stride = side * 3 + 1;
  const rows = Buffer.alloc(stride * side);
  for (let at = 0; at < rows.length; at += noise.length) noise.copy(rows, at);
  for (let at = 0; at < rows.length; at += stride) rows[at] = 0;
  return { png: wrapPng(side, side, false, await compress(rows, { level: 0 })), side };
}

function* filterRows({ width, height, bytes }: Canvas, channels: 3 | 4): Steps<Buffer> {
  const rows = Buffer.allocUnsafe((width * channels + 1) * height);
  let to = 0;
  for (let y = 0, from = 0; y < height; y++) {
    rows[to++] = FILTER_SUB;
    for (let x = 0; x < width; x++, from += 4) {
      for (let channel = 0; channel < channels; channel++) {
        const left = x === 0 ? 0 : (bytes[from - 4 + channel] ?? 0);
        rows[to++] = (bytes[from + channel] ?? 0) - left;
      }
    }
    if (y % ROWS_PER_STEP === 0) yield;
  }
  return rows;
}

function wrapPng(width: number, height: number, alpha: boolean, data: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, alpha ? 6 : 2], 8);
  return Buffer.concat([
    SIGNATURE,
    ...chunk('IHDR', header),
    ...chunk('IDAT', data),
    ...chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer[] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, 'latin1');
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(data, crc32(head.subarray(4))), 0);
  return [head, data, check];
}
