import assert from 'node:assert/strict';
import { crc32, inflateSync } from 'node:zlib';

export interface DecodedPng {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
}

/** Reads an eight-bit RGB or RGBA PNG with filters 0 (none) and 1 (left neighbour); asserts on anything that is wrong. */
export function decodePng(png: Buffer): DecodedPng {
  assert.equal(png.toString('latin1', 0, 8), '\x89PNG\r\n\x1a\n');
  const chunks = readChunks(png);
  const [header, data, end] = chunks;
  assert.ok(header && data && end);
  assert.deepEqual([header.type, data.type, end.type, chunks.length], ['IHDR', 'IDAT', 'IEND', 3]);
  const [width, height] = [header.data.readUInt32BE(0), header.data.readUInt32BE(4)];
  const channels = header.data[9] === 6 ? 4 : 3;
  return { width, height, channels, pixels: unfilter(inflateSync(data.data), width * channels, channels) };
}

function readChunks(png: Buffer): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const checked = png.subarray(at + 4, at + 8 + length);
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(checked));
    chunks.push({ type: checked.toString('latin1', 0, 4), data: checked.subarray(4) });
    at += 12 + length;
  }
  return chunks;
}

function unfilter(rows: Buffer, stride: number, channels: number): Uint8Array {
  assert.equal(rows.length % (stride + 1), 0);
  const height = rows.length / (stride + 1);
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    assert.ok(filter === 0 || filter === 1);
    for (let x = 0; x < stride; x++) {
      const left = filter === 1 && x >= channels ? (pixels[y * stride + x - channels] ?? 0) : 0;
      pixels[y * stride + x] = (rows[y * (stride + 1) + 1 + x] ?? 0) + left;
    }
  }
  return pixels;
}
