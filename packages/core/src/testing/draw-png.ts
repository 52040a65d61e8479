import { crc32, deflateSync } from 'node:zlib';

/** A PNG by its samples; nothing in it is checked, so that tests can draw broken ones. */
export interface DrawnPng {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  /** Samples, row by row. */
  readonly samples: readonly (readonly number[])[];
  readonly transparency?: readonly number[];
  /** Filter per row, repeated. */
  readonly filters: readonly number[];
  readonly interlace?: number;
  /** After the last row. */
  readonly extra?: number;
  readonly cutRows?: number;
}

/** Samples per pixel by colour type. */
export const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

function packed(samples: readonly number[], depth: number): number[] {
  const bits = samples.map((one) => one.toString(2).padStart(depth, '0')).join('');
  return (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

/** The filters told anew, forwards: PNG third edition, 9.2. */
function filtered(row: readonly number[], above: readonly number[], filter: number, step: number): number[] {
  return row.map((byte, at) => {
    const [a, b, c] = [row[at - step] ?? 0, above[at] ?? 0, at < step ? 0 : (above[at - step] ?? 0)];
    const p = a + b - c;
    const nearest = [a, b, c].toSorted((one, other) => Math.abs(p - one) - Math.abs(p - other))[0] ?? 0;
    return (byte - ([0, a, b, Math.floor((a + b) / 2), nearest][filter] ?? 0)) & 255;
  });
}

export function drawPng({
  width,
  height,
  depth,
  colour,
  samples,
  transparency,
  filters,
  interlace = 0,
  extra = 0,
  cutRows = 0,
}: DrawnPng) {
  const step = Math.max(1, Math.floor((depth * (CHANNELS[colour] ?? 1)) / 8));
  const rows = samples.map((row) => packed(row, depth));
  const lines = rows.map((row, y) => {
    const filter = filters[y % filters.length] ?? 0;
    return Buffer.from([filter, ...filtered(row, rows[y - 1] ?? [], filter, step)]);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlace], 8);
  const data = deflateSync(Buffer.concat([...lines.slice(0, lines.length - cutRows), Buffer.alloc(extra)]));
  const half = data.length >> 1;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...(colour === 3 ? [chunk('PLTE', Buffer.alloc(3 * 2 ** depth))] : []),
    ...(transparency ? [chunk('tRNS', Buffer.from(transparency))] : []),
    chunk('IDAT', data.subarray(0, half)),
    chunk('IDAT', data.subarray(half)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
